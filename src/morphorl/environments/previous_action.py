"""Around an environment: it shows the action before, and whether an episode has just begun."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.environments.base import Action, Environment, Step

SUFFIX = "+action"
"""How the id of an environment ends that shows them."""


def with_previous_action(env: Environment) -> Environment:
    """`env` showing [observation, action before, goes on, has just begun], as popgym's baselines see it.

    A discrete action is shown one-hot, a continuous one as it is. An episode's first observation stands beside action
    0. The last two features are 0 and 1 there, and 1 and 0 ever after. Without the action, who samples actions cannot
    know which arm of a bandit has paid.

    Source: the wrappers `PreviousAction` and `Antialias` of the package `popgym` 1.0.7, and its `baselines/ppo.py`.
    """
    at = env.at

    def show(observation: Float[Array, " features"], action: Action, has_begun: bool) -> Float[Array, " shown"]:
        shown = action if env.continuous else jax.nn.one_hot(action, env.num_actions, dtype=jnp.float32)
        return jnp.concatenate([observation, shown, jax.nn.one_hot(int(has_begun), 2, dtype=jnp.float32)])

    def reset(key):
        state, observation = env.reset(key)
        nothing = jnp.zeros(env.num_actions, jnp.float32) if env.continuous else jnp.array(0, jnp.int32)
        return state, show(observation, nothing, True)

    def step(key, state, action) -> Step:
        after = env.step(key, state, action)
        return after._replace(observation=show(after.observation, action, False))

    return env._replace(
        id=env.id + SUFFIX,
        num_features=env.num_features + env.num_actions + 2,
        reset=reset,
        step=step,
        picture=None,  # with more numbers behind it, it is none
        at=None if at is None else lambda progress: with_previous_action(at(progress)),
    )
