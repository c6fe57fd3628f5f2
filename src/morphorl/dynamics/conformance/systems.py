"""The contract of `Dynamics`, as checks of a class."""

import functools
from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from morphorl.dynamics.base import Dynamics, Given, Shape
from morphorl.dynamics.conformance.findings import (
    SETTINGS,
    Finding,
    calls_outside,
    made_of,
    raise_problems,
    tried,
    undocumented,
)
from morphorl.dynamics.conformance.readouts import actions_are_told_apart
from morphorl.dynamics.conformance.trial import Trial
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.properties import (
    constants_depend_on,
    guided_states,
    learnable_numbers,
    reads_out_what_it_guides,
)

STEPS = 200
"""How many steps a system is run under large observations."""
LARGE = 1e4
"""An observation that no environment should give, and that a broken sensor may."""
ENVS = 3


def check_dynamics(cls: type[Dynamics], shape: Shape = (4, 2)) -> None:
    """Test a class of dynamics, with its settings as they are by default.

    Args:
        shape: observation features and actions to test it with.

    Raises:
        ConformanceError: if it does not keep the contract; with a sentence for each check that failed.

    Example:
        >>> check_dynamics(ReactionDiffusion)
    """
    raise_problems(cls.__name__, dynamics_findings(cls, shape))


def dynamics_findings(cls: type[Dynamics], shape: Shape = (4, 2)) -> list[Finding]:
    """Every check of a class of dynamics, in order; those after one without which they make no sense are left out."""
    made, problem = made_of(cls)
    findings = [Finding(SETTINGS, problem or undocumented(cls))]
    if made is None:
        return findings
    drawn = tried(functools.partial(_can_be_drawn, shape=shape), made)
    if drawn:
        return [*findings, Finding("constants and noise can be drawn", drawn)]
    trial = Trial.of(made, shape)
    for words, check in FUNDAMENTAL.items():
        findings.append(Finding(words, tried(check, trial)))
        if findings[-1].problem:
            return findings
    return findings + [Finding(words, tried(check, trial)) for words, check in FURTHER.items()]


def init_gives_arrays(trial: Trial) -> str | None:
    """A state is a pytree of float32 arrays."""
    return _not_arrays("init", trial.init())


def step_keeps_the_state(trial: Trial) -> str | None:
    """A step returns a state of the same structure, shapes and dtypes, and leaves the one that it got as it was."""
    state = trial.init()
    kept = jax.tree.map(lambda u: np.array(u), state)
    after = trial.step(state, trial.observation)
    if jax.tree.structure(state) != jax.tree.structure(kept) or not _same(state, kept):
        return "step changes the state that it was given in place; it must return a new one."
    if wrong := _not_arrays("step", after):
        return wrong
    if jax.tree.structure(after) != jax.tree.structure(state):
        return "step returns a state of another structure than init; the two must be alike, leaf by leaf."
    shapes = [(np.shape(x), np.shape(y)) for x, y in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True)]
    different = next(((before, now) for before, now in shapes if before != now), None)
    return different and f"step returns an array of shape {different[1]} where init has one of {different[0]}."


def compiles(trial: Trial) -> str | None:
    """A whole step can be compiled, for settings whose numbers are known only later, and calls nothing outside.

    So it is in training, where runs that differ in numbers share one program.
    """

    def whole(system, key, observation):
        own = Trial.of(system, trial.shape)._replace(key=key)
        state = own.step(own.init(), observation)
        return state, own.read(state, observation) if system.is_readable else None, own.show(state, observation)

    try:
        program = jax.make_jaxpr(whole)(jax.tree.map(jnp.float32, trial.system), trial.key, trial.observation)
    except TypeError as error:  # JAX's, of all sorts: what is wrong without a program has been found before
        return (
            "branches in Python on a number that a compiled program does not know yet, takes it for a size, or hands "
            "it to NumPy; use jnp.where, jax.lax.cond and jax.numpy, or say static=True of a setting. (JAX says: "
            f"{str(error).splitlines()[0]})"
        )
    outside = calls_outside(program.jaxpr)
    return (
        f"calls Python from within the program ({outside[0]}); take the callback (or print) out." if outside else None
    )


def read_has_one_number_for_each_action(trial: Trial) -> str | None:
    """A readout has the shape (actions,); a system without one shows a vector."""
    state = trial.step(trial.init(), trial.observation)
    shown = trial.show(state, trial.observation)
    if np.ndim(shown) != 1:
        return f"show returns shape {np.shape(shown)}; must be one vector."
    if not trial.system.is_readable:
        return None
    readout = trial.read(state, trial.observation)
    if np.shape(readout) != trial.shape[1:]:
        return f"read returns shape {np.shape(readout)}; must be {trial.shape[1:]}, one number for each action."
    return _not_arrays("read", readout)


def the_key_decides(trial: Trial) -> str | None:
    """The same key gives the same state."""
    if not _same(trial.init(), trial.init()):
        return "init gives different states for the same key; draw with jax.random and `key`, from nothing else."
    observation, state = trial.observation, trial.init()
    if not _same(trial.step(state, observation), trial.step(state, observation)):
        return "step gives different states for the same state and observation; random numbers come from `noise`."
    return None


def a_reset_restores(trial: Trial) -> str | None:
    """After some steps, init gives what it gave before."""
    before, state = trial.init(), trial.init()
    for _ in range(5):
        state = trial.step(state, trial.observation)
    if not _same(before, trial.init()):
        return "init gives another state after some steps than before; nothing may be kept outside the state."
    return None


def parallel_agrees_with_the_loop(trial: Trial) -> str | None:
    """Many environments at once, compiled, do what each does on its own, and then exchange what they exchange."""
    system, shape = trial.system, trial.shape
    if not system.is_readable:
        return None
    states = [system.init(key, shape) for key in jax.random.split(trial.key, ENVS)]
    observations = jax.random.normal(trial.key, (shape[0], ENVS))
    noise = system.noise(trial.key, shape, (ENVS,))
    given = Given(Blind(strength=0.1), trial.offered["constants"], noise)
    together = jax.jit(lambda states: system.advance(states, observations, given))(_side_by_side(states))
    alone, readouts = [], []
    for i, state in enumerate(states):
        one = trial._replace(offered=trial.offered | {"noise": jax.tree.map(lambda u, i=i: u[..., i], noise)})
        alone.append(one.step(state, observations[:, i], given.guidance))
        readouts.append(one.read(alone[-1], observations[:, i]))
    if _close(together, (system.exchange(_side_by_side(alone), None), _side_by_side(readouts))):
        return None
    return "many environments at once (advance) do not do what step and read do for each; the two must agree."


def no_guidance_is_strength_0(trial: Trial) -> str | None:
    """Guidance of strength 0 is no guidance, to the last bit."""
    guided = trial.step(trial.init(), trial.observation, Blind(strength=0.0))
    if not _same(guided, trial.step(trial.init(), trial.observation)):
        return "γ = 0 does something else than no guidance; use what `guide(u)` returns as a term that is added."
    return None


def large_observations_leave_it_finite(trial: Trial) -> str | None:
    """States and readouts stay finite under observations that no environment should give."""

    def run(guide, observation):
        def one(state, _):
            return trial.step(state, observation, guide), None

        state = jax.lax.scan(one, trial.init(), None, STEPS)[0]
        read = trial.read if trial.system.is_readable else trial.show
        return state, read(state, observation)

    for strength in (0.0, 1.0):
        compiled = jax.jit(functools.partial(run, Blind(strength=strength)))
        for size in (0.0, 1.0, -LARGE, LARGE):
            result = compiled(jnp.full(trial.shape[0], size))
            if not all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(result)):
                return (
                    f"is not finite after {STEPS} steps under observations of {size:g} at γ = {strength:g}; keep "
                    "states within a bound (jnp.clip), and divide by nothing that may be 0."
                )
    return None


def gradients_are_finite(trial: Trial) -> str | None:
    """Every number that could be learned has a finite gradient."""
    system = trial.system
    names = learnable_numbers(system)
    if not names or not system.is_readable or type(system).noise is not Dynamics.noise:
        return None

    def loss(values):
        changed = eqx.tree_at(lambda one: [getattr(one, name) for name in names], system, values)
        own, state = trial._replace(system=changed), trial.init()
        for _ in range(4):
            state = own.step(state, trial.observation, Blind(strength=0.1))
        return jnp.sum(own.read(state, trial.observation) ** 2)

    gradient = jax.grad(loss)([jnp.asarray(getattr(system, name), jnp.float32) for name in names])
    wrong = [name for name, value in zip(names, gradient, strict=True) if not bool(jnp.isfinite(value))]
    if not wrong:
        return None
    return f"{', '.join(wrong)}: the gradient is not finite, so that it could not be learned; or say learned='fixed'."


def constants_know_no_learned_number(trial: Trial) -> str | None:
    """Constants, drawn once a run, depend on no number that could be learned."""
    wrong = constants_depend_on(trial.system, trial.shape)
    if not wrong:
        return None
    return (
        f"{', '.join(wrong)}: constants depend on what could be learned, and are drawn only once; compute in step what "
        "depends on it, or say learned='fixed'."
    )


def what_is_read_out_is_the_observation_times_it(trial: Trial) -> str | None:
    """What `guide(u, read=True)` is asked for is read out as o_k = Σ_i x_i·u_ik.

    Where random numbers are a part of the readout, settings refuse a rule that needs to know this.
    """
    system = trial.system
    if not any(guided_states(system)) or type(system).noise is not Dynamics.noise:
        return None
    if system.is_readable and reads_out_what_it_guides(system):
        return None
    return (
        "asks guide(u, read=True) for a state that is not read out as observation @ u, which a three-factor rule takes "
        "for granted; ask guide(u)."
    )


FUNDAMENTAL: dict[str, Callable[[Trial], str | None]] = {
    "init: a pytree of float32 arrays": init_gives_arrays,
    "step: a new state of the same shapes and dtypes": step_keeps_the_state,
    "readout: one number for each action; what is shown: a vector": read_has_one_number_for_each_action,
    "compiles, and calls nothing outside the program": compiles,
    "the same key, the same state": the_key_decides,
    "a reset restores": a_reset_restores,
}
FURTHER: dict[str, Callable[[Trial], str | None]] = {
    "many at once do what each does": parallel_agrees_with_the_loop,
    "readouts tell actions apart": actions_are_told_apart,
    "γ = 0 is no guidance": no_guidance_is_strength_0,
    "large observations leave it finite": large_observations_leave_it_finite,
    "what could be learned has a gradient": gradients_are_finite,
    "constants depend on nothing that could be learned": constants_know_no_learned_number,
    "guide(u, read=True): u is read out as observation @ u": what_is_read_out_is_the_observation_times_it,
}


def _can_be_drawn(system: Dynamics, shape: Shape) -> None:
    """Constants and noise: what raises says what is wrong."""
    Trial.of(system, shape)


def _not_arrays(what: str, tree: PyTree) -> str | None:
    for leaf in jax.tree.leaves(tree):
        if not isinstance(leaf, jax.Array | np.ndarray):
            return f"{what} returns a {type(leaf).__name__}; must be a pytree of arrays (jnp.zeros(()) for one number)."
        if leaf.dtype != np.float32:
            return f"{what} returns an array of {leaf.dtype}; must be float32, as everything in a compiled program is."
    return None


def _side_by_side(trees: list[PyTree]) -> PyTree:
    """Arrays of single environments as those of parallel ones, the environments on the last axis."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves, axis=-1), *trees)


def _same(one: PyTree, other: PyTree) -> bool:
    return all(
        np.array_equal(np.asarray(x), np.asarray(y), equal_nan=True)
        for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )


def _close(one: PyTree, other: PyTree) -> bool:
    return all(
        np.allclose(np.asarray(x), np.asarray(y), rtol=1e-4, atol=1e-5, equal_nan=True)
        for x, y in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    )
