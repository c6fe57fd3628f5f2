"""The contract of an environment in JAX, as checks: each failure is a sentence with what to change."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from morphorl.config.errors import SettingError
from morphorl.dynamics.conformance.findings import Finding, calls_outside, raise_problems, tried
from morphorl.environments import registry
from morphorl.environments.base import Action, Environment, EnvState, Step

ENVS = 3
MOST_STEPS = 2_000
"""Longer episodes are not played to their end."""


class Played(NamedTuple):
    """Steps with random actions in a few copies, none of them reset; the leading axes are time and copy."""

    before: EnvState
    after: Step
    keys: PyTree
    actions: Action


def check_environment(env_id: str) -> None:
    """Test an environment in JAX.

    Args:
        env_id: `MODULE:NAME` for one of your own, whose module is imported or trusted; or one of ours.

    Raises:
        ConformanceError: if it does not keep the contract; with a sentence for each check that failed.
        SettingError: if there is no such environment.

    Example:
        >>> check_environment("my_lab.tasks:Foraging")
    """
    raise_problems(env_id, environment_findings(env_id))


def environment_findings(env_id: str) -> list[Finding]:
    """Every check of an environment, in order; those after one without which they make no sense are left out."""
    words = "it can be made: reset and step can be traced"
    try:
        env = registry.make_env(env_id)
        made = tried(_can_be_traced, env)
    except SettingError:
        raise
    except Exception as error:  # the user's own code
        return [Finding(words, f"raises {type(error).__name__}: {str(error).partition(chr(10))[0]}")]
    findings = [Finding(words, made)]
    if made:
        return findings
    findings += [Finding(words, tried(check, env)) for words, check in STEPWISE.items()]
    if any(finding.problem for finding in findings):
        return findings
    played = play(env)
    return findings + [Finding(words, check(env, played)) for words, check in EPISODIC.items()]


def play(env: Environment) -> Played:
    """An episode's length of random actions, or `MOST_STEPS` of them."""
    length = min(env.time_limit, MOST_STEPS)
    key_reset, key_action, key_step = jax.random.split(jax.random.key(0), 3)
    if env.continuous:
        actions = jax.random.uniform(key_action, (length, ENVS, env.num_actions), minval=-1.0, maxval=1.0)
    else:
        actions = jax.random.randint(key_action, (length, ENVS), 0, env.num_actions)
    keys = jax.random.split(key_step, (length, ENVS))

    def step(state, now):
        after = jax.vmap(env.step)(now[0], state, now[1])
        return after.state, (state, after)

    state = jax.vmap(env.reset)(jax.random.split(key_reset, ENVS))[0]
    before, after = jax.jit(lambda state: jax.lax.scan(step, state, (keys, actions)))(state)[1]
    return Played(before, after, keys, actions)


# --- Single steps -----------------------------------------------------------------------------------------------------


def _can_be_traced(env: Environment) -> str | None:
    state, observation = jax.eval_shape(env.reset, jax.random.key(0))
    after = jax.eval_shape(env.step, jax.random.key(0), state, _action(env))
    if observation.shape != (env.num_features,) or after.observation.shape != (env.num_features,):
        shapes = f"reset observes {observation.shape} and step {after.observation.shape}"
        return f"{shapes}; must be vectors of one length."
    for name in ("reward", "terminated", "truncated"):
        if (shape := getattr(after, name).shape) != ():
            return f"{name} has shape {shape}; must be a single number: take one of an action's numbers, or their sum."
    return None


def _same_arrays(env: Environment) -> str | None:
    state, _ = jax.eval_shape(env.reset, jax.random.key(0))
    after = jax.eval_shape(env.step, jax.random.key(0), state, _action(env))
    if jax.tree.structure(state) != jax.tree.structure(after.state):
        return "step returns a state of another structure than reset; the two must be alike, leaf by leaf."
    for before, now in zip(jax.tree.leaves(state), jax.tree.leaves(after.state), strict=True):
        if (before.shape, before.dtype) != (now.shape, now.dtype):
            return (
                f"the state that reset returns has an array {before.dtype}{before.shape} where that of step has "
                f"{now.dtype}{now.shape}; the two must be alike, for one is taken in the other's place."
            )
    return None


def _no_callbacks(env: Environment) -> str | None:
    key = jax.random.key(0)
    state = jax.eval_shape(env.reset, key)[0]
    programs = {"reset": jax.make_jaxpr(env.reset)(key), "step": jax.make_jaxpr(env.step)(key, state, _action(env))}
    for name, program in programs.items():
        if outside := calls_outside(program.jaxpr):
            return f"{name} calls Python from within the program ({outside[0]}); take the callback (or print) out."
    return None


def _keys_used_once(env: Environment) -> str | None:
    state = env.reset(jax.random.key(0))[0]
    for name, function, given in (("reset", env.reset, ()), ("step", env.step, (state, _action(env)))):
        try:
            with jax.debug_key_reuse(True):
                jax.jit(lambda key, *given, function=function: function(key, *given))(jax.random.key(1), *given)
        except jax.errors.KeyReuseError:
            return f"{name} draws from one key twice, so that its random numbers depend on each other; split the key."
    return None


def _same_key_same_result(env: Environment) -> str | None:
    reset, step = jax.jit(env.reset), jax.jit(env.step)
    once, again = reset(jax.random.key(1)), reset(jax.random.key(1))
    if not _equal(once, again):
        return "reset gives two states for one key; all chance must come from the key."
    after = [step(jax.random.key(2), once[0], _action(env)) for _ in range(2)]
    return None if _equal(*after) else "step gives two results for one key; all chance must come from the key."


def _vmap_agrees(env: Environment) -> str | None:
    keys = jax.random.split(jax.random.key(3), ENVS)
    states, _ = jax.vmap(env.reset)(keys)
    together = jax.vmap(env.step)(keys, states, jnp.stack([_action(env)] * ENVS))
    for i in range(ENVS):
        alone = env.step(keys[i], jax.tree.map(lambda u, i=i: u[i], states), _action(env))
        here = jax.tree.map(lambda u, i=i: u[i], together)
        if not _equal(alone, here, tolerance=1e-5):
            return "step gives another result under vmap than alone; it must not depend on the shapes that it meets."
    return None


# --- Whole episodes ---------------------------------------------------------------------------------------------------


def _finite(env: Environment, played: Played) -> str | None:
    for name, values in (("observation", played.after.observation), ("reward", played.after.reward)):
        going_on = ~_over(played)
        here = np.asarray(values)[going_on]
        if not np.isfinite(here).all():
            return f"{name} is not finite under random actions; bound the state."
    return None


def _ends_apart(env: Environment, played: Played) -> str | None:
    going_on = ~_over(played)
    terminated, truncated = (np.asarray(end)[going_on] for end in (played.after.terminated, played.after.truncated))
    if not truncated.any() or not terminated[truncated].all():
        return None
    return (
        "each step that is truncated is terminated too; must be terminated where the task itself is over, and "
        "truncated where only the time is up, whose future still counts."
    )


def _time_limit(env: Environment, played: Played) -> str | None:
    if env.time_limit > MOST_STEPS:
        return None
    ended = np.asarray(played.after.terminated | played.after.truncated)
    if not ended.any(axis=0).all():
        return f"no end within {env.time_limit} steps; must be truncated at its time limit at the latest."
    first = np.argmax(ended, axis=0)
    early = np.asarray(played.after.truncated)[first, np.arange(ENVS)] & (first + 1 < env.time_limit)
    if early.any():
        return f"is truncated after {first[early][0] + 1} steps; its time limit says {env.time_limit}."
    return None


def _spaces(env: Environment, played: Played) -> str | None:
    made = registry.gymnax_style(env.id)
    if made is None:
        return None
    space = made[0].observation_space(made[1])
    low, high = (np.broadcast_to(np.asarray(side), space.shape).reshape(-1) for side in (space.low, space.high))
    seen = np.asarray(played.after.observation)[~_over(played)]
    slack = 1e-5 * np.maximum(1, np.abs(seen))
    outside = np.flatnonzero(((seen < low - slack) | (seen > high + slack)).any(axis=0))
    if not outside.size:
        return None
    i = int(outside[0])
    return (
        f"observation {i} goes from {seen[:, i].min():.3g} to {seen[:, i].max():.3g}; observation_space says "
        f"{low[i]:.3g} to {high[i]:.3g}."
    )


def _over(played: Played) -> np.ndarray:
    """Whether a copy's episode had ended before a step."""
    ended = np.cumsum(np.asarray(played.after.terminated | played.after.truncated), axis=0) > 0
    return np.concatenate([np.zeros((1, ENVS), bool), ended[:-1]])


STEPWISE: dict[str, Callable[[Environment], str | None]] = {
    "reset and step return the same arrays": _same_arrays,
    "nothing calls back to Python": _no_callbacks,
    "no key is used twice": _keys_used_once,
    "the same key gives the same result": _same_key_same_result,
    "vmap and single steps agree": _vmap_agrees,
}
EPISODIC: dict[str, Callable[[Environment, Played], str | None]] = {
    "observations and rewards are finite": _finite,
    "terminated and truncated are told apart": _ends_apart,
    "episodes end by the time limit": _time_limit,
    "observations lie in their space": _spaces,
}


def _action(env: Environment) -> Action:
    return jnp.zeros(env.num_actions) if env.continuous else jnp.array(env.num_actions - 1, jnp.int32)


def _equal(one: PyTree, other: PyTree, tolerance: float = 0.0) -> bool:
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return all(np.allclose(_plain(a), _plain(b), rtol=tolerance, atol=tolerance, equal_nan=True) for a, b in pairs)


def _plain(leaf) -> np.ndarray:
    return np.asarray(jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf)
