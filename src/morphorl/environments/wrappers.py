"""Around an environment in JAX: noise on what it shows, sticky actions, and the memory of what it has shown."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from morphorl.dynamics import memory
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.memory import Memory
from morphorl.environments.base import Environment, Step

NO_ACTION = -1
"""In place of the previous action, before an episode's first step."""


def with_noise(env: Environment, deviation: Float[np.ndarray, " features"]) -> Environment:
    """`env` seen through normal noise of the given standard deviations, fresh at every observation."""

    def noisy(key, observation):
        return observation + jnp.asarray(deviation, jnp.float32) * jax.random.normal(key, observation.shape)

    def reset(key):
        key_reset, key_noise = jax.random.split(key)
        state, observation = env.reset(key_reset)
        return state, noisy(key_noise, observation)

    def step(key, state, action):
        key_step, key_noise = jax.random.split(key)
        after = env.step(key_step, state, action)
        return after._replace(observation=noisy(key_noise, after.observation))

    return env._replace(reset=reset, step=step)


def make_sticky(env: Environment, repeat: float | Float[Array, ""]) -> Environment:
    """`env`, executing the previously *executed* action again with probability `repeat`.

    Stickiness is a part of the environment: the agent does not know which action was executed, and its update sees the
    action that it chose with that action's own probability, so that PPO's gradient is unbiased. An episode's first
    action is always the one chosen. Evaluation meets the same environment as training.

    Source: Machado et al., "Revisiting the Arcade Learning Environment", 2018, section 5.
    """

    def reset(key):
        state, observation = env.reset(key)
        return (state, jnp.array(NO_ACTION, jnp.int32)), observation

    def step(key, state: tuple[Any, Any], action) -> Step:
        inner, previous = state
        key_step, key_repeat = jax.random.split(key)
        again = jax.random.bernoulli(key_repeat, repeat) & (previous != NO_ACTION)
        executed = jnp.where(again, previous, action.astype(jnp.int32))
        after = env.step(key_step, inner, executed)
        return after._replace(state=(after.state, executed))

    return env._replace(reset=reset, step=step)


def with_memory(settings: Memory, guidance: Guidance, env: Environment) -> Environment:
    """`env` showing [observation, features of the past] in place of the observation."""

    def reset(key):
        inner, observation = env.reset(key)
        state = memory.start(settings, observation)
        return (inner, state), memory.show(settings, state, observation)

    def step(key, state: tuple[Any, memory.State], action) -> Step:
        inner, remembered = state
        after = env.step(key, inner, action)
        shown = memory.show(settings, remembered, after.observation)
        remembered = memory.remember(settings, guidance, remembered, after.observation)
        return after._replace(state=(after.state, remembered), observation=shown)

    size = env.num_features + memory.num_features(settings, env.num_features)
    return env._replace(num_features=size, reset=reset, step=step)
