"""Environments from classes after gymnax's: a pair of pure functions whose observations are vectors."""

import math
from typing import Any

import jax
import jax.numpy as jnp
from gymnax.environments import spaces

from morphorl.config.errors import SettingError
from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import Environment, Step


def from_gymnax(env_id: str, env: Any, params: Any, threshold: float | None) -> Environment:
    """An environment of gymnax's kind as ours.

    Args:
        env: has `reset_env`, `step_env`, `is_truncated` and `action_space`, as gymnax's base class says.
        params: its parameters, among them `max_steps_in_episode`.
        threshold: the return from which the task counts as solved.

    Raises:
        SettingError: for an action space that no policy of ours has.
    """
    space = env.action_space(params)
    actions = None if isinstance(space, spaces.Discrete) else _range_of(env_id, space)
    size = int(space.n) if actions is None else len(actions.low)

    def reset(key):
        observation, state = env.reset_env(key, params)
        return _strong(state), _flat(observation)

    def step(key, state, action):
        action = action if actions is None else actions.executed(action)
        observation, state, reward, terminated, _ = env.step_env(key, state, action, params)
        truncated = jnp.bool_(env.is_truncated(state, params))
        return Step(_strong(state), _flat(observation), jnp.float32(reward), jnp.bool_(terminated), truncated)

    shape = jax.eval_shape(env.reset_env, jax.random.key(0), params)[0].shape
    picture = shape if len(shape) == 3 else None
    limit = int(params.max_steps_in_episode)
    return Environment(env_id, math.prod(shape), size, limit, threshold, reset, step, actions, picture)


def _range_of(env_id: str, space: Any) -> ActionRange:
    if not isinstance(space, spaces.Box) or len(space.shape) != 1:
        raise SettingError(
            f"environment = {env_id!r}: its action space is {space}; must be Discrete, or a Box of one dimension."
        )
    return ActionRange.of(space).checked(f"environment = {env_id!r}: bounds of actions")


def _flat(observation):
    return jnp.asarray(observation, jnp.float32).reshape(-1)


def _strong(state):
    """Arrays of fixed types in place of gymnax's Python numbers, so that stepped and reset states can be selected."""
    return jax.tree.map(lambda leaf: jax.lax.convert_element_type(jnp.asarray(leaf), jnp.asarray(leaf).dtype), state)
