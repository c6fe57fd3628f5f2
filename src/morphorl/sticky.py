"""Sticky actions: an environment that sometimes repeats the previous action instead of the one chosen."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.envs import Environment, Step

NO_ACTION = -1
"""In place of the previous action, before an episode's first step."""


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
