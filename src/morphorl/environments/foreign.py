"""Environments in JAX of the user's own: `my_lab.tasks:Foraging` names a class or an `Environment` in their file."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PRNGKeyArray

from morphorl.config import trust
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.fields import COUNT
from morphorl.config.kinds import hash_of, source_of
from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import Action, Environment, EnvState, Step
from morphorl.environments.from_gymnax import from_gymnax

Reset = Callable[[PRNGKeyArray], tuple[EnvState, Float[Array, " features"]]]
Stepped = tuple[EnvState, Float[Array, " features"], Float[Array, ""] | float, Bool[Array, ""] | bool]
GYMNAX = ("reset_env", "step_env", "action_space", "is_truncated", "default_params")
"""What a class after gymnax's has."""


def environment_from(
    reset: Reset,
    step: Callable[[PRNGKeyArray, EnvState, Action], Stepped],
    *,
    actions: int | tuple[tuple[float, ...], tuple[float, ...]],
    time_limit: int,
    threshold: float | None = None,
) -> Environment:
    """An environment from two pure functions of one copy; the library runs many side by side.

    Args:
        reset: a key → (state, observation). The state is any pytree of arrays, the observation a vector.
        step: a key, a state and an action → (state, observation, reward, terminated).
        actions: how many there are, the action then being a whole number from 0; or their lower and upper bounds if
            they are continuous, one number for each dimension, the action then being a vector within them.
        time_limit: after so many steps an episode is truncated, if it has not terminated.
        threshold: the return from which the task counts as solved.

    Raises:
        SettingError: for a number of actions or a time limit below 1, or bounds that are none.

    Example:
        >>> Foraging = environment_from(reset, step, actions=4, time_limit=200)
    """
    if not COUNT.holds(time_limit):
        raise SettingError(f"time_limit = {time_limit!r}: must be {COUNT.words}.")
    action_range = None if isinstance(actions, int) else _range_of(actions)
    size = actions if isinstance(actions, int) else len(actions[0])
    if not COUNT.holds(size):
        raise SettingError(f"actions = {actions}: must be {COUNT.words}, or the bounds of continuous ones.")

    def begin(key):
        state, observation = reset(key)
        return (state, jnp.array(0, jnp.int32)), jnp.asarray(observation, jnp.float32)

    def go_on(key, state: tuple[EnvState, Array], action) -> Step:
        inner, time = state
        action = action if action_range is None else action_range.executed(action)
        inner, observation, reward, terminated = step(key, inner, action)
        observation, reward = jnp.asarray(observation, jnp.float32), jnp.float32(reward)
        terminated = jnp.bool_(terminated)
        return Step((inner, time + 1), observation, reward, terminated, ~terminated & (time + 1 >= time_limit))

    features = jax.eval_shape(begin, jax.random.key(0))[1].size
    return Environment("own", features, size, time_limit, threshold, begin, go_on, action_range)


def _range_of(actions: tuple[tuple[float, ...], tuple[float, ...]]) -> ActionRange:
    try:
        low, high = (tuple(float(bound) for bound in side) for side in actions)
    except (TypeError, ValueError) as error:
        raise SettingError(f"actions = {actions!r}: must be a whole number, or ((low, …), (high, …)).") from error
    return ActionRange(low, high).checked("actions")


def make(env_id: str) -> Environment:
    """The environment that an id such as `my_lab.tasks:Foraging` names.

    Raises:
        UntrustedError: if its module is neither imported nor trusted. Nothing was imported.
        SettingError: if there is no such module or name, or what it names is no environment.
    """
    found = named(env_id)
    if isinstance(found, Environment):
        return found._replace(id=env_id)
    return from_gymnax(env_id, found, found.default_params, getattr(found, "threshold", None))


def named(env_id: str) -> Any:
    """What an id names: an `Environment`, or an instance of a class after gymnax's; it raises as `make` does."""
    module_name, _, name = env_id.partition(":")
    setting = f"environment = {env_id!r}"
    if not all(part.isidentifier() for part in (*module_name.split("."), name)):
        raise SettingError(f"{setting}: must be MODULE:NAME for one of your own.")
    module = trust.imported(module_name, setting)
    found = getattr(module, name, None)
    if isinstance(found, Environment):
        return found
    if inspect.isclass(found) and all(hasattr(found, needed) for needed in GYMNAX):
        return found()
    if found is None:
        known = _fitting(module)
        raise SettingError(
            f"{setting}: {module_name} has no {name}; must be one of its environments: "
            f"{', '.join(known) or 'it has none'}.{did_you_mean(name, known)}"
        )
    missing = [needed for needed in GYMNAX if not hasattr(found, needed)]
    raise SettingError(
        f"{setting}: must be a class after gymnax's ({name} has no {', '.join(missing)}), or what "
        "morphorl.environment_from makes of two functions."
    )


def sources(env_id: str) -> dict[str, str]:
    """A hash of the file that an environment of the user's own stands in, by its id.

    It is part of a run's identity. What the file imports is not covered.
    """
    module, _, name = env_id.partition(":")
    trust.imported(module, f"environment = {env_id!r}")
    return {env_id: hash_of([env_id, source_of(module, name)])}


def _fitting(module: ModuleType) -> list[str]:
    """The names of the environments that a module defines."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "step_env")]
    return classes + [name for name, value in vars(module).items() if isinstance(value, Environment)]
