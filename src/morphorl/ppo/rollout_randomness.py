"""The random numbers of a rollout, and those of single steps: fresh starts, patterns, noise."""

from typing import NamedTuple

import jax
from jaxtyping import Array, Bool, Float, Key, PRNGKeyArray, PyTree

from morphorl.dynamics.base import State
from morphorl.environments.base import Environment, EnvState
from morphorl.ppo import distributions
from morphorl.ppo.agent import shape_of
from morphorl.ppo.settings import Settings


class RolloutRandomness(NamedTuple):
    """All random numbers of a rollout, drawn before it starts: one large draw is cheaper than many small ones.

    A fresh start is drawn for every step, whether or not an episode ends there.
    """

    action: Float[Array, "time actions envs"]
    """What actions are sampled by (`distributions.draw`)."""
    step_key: Key[Array, "time envs"]
    env_state: EnvState
    observation: Float[Array, "time features envs"]
    pattern: State | None
    noise: PyTree
    """What the dynamics need in each step (`Dynamics.noise`)."""
    redrawn: Bool[Array, "time envs"] | None = None
    """After which steps the fresh pattern is taken although the episode goes on (`dynamics.redraw`)."""


def draw(settings: Settings, env: Environment, key: PRNGKeyArray) -> RolloutRandomness:
    """Draw the random numbers of one rollout."""
    time, envs = settings.ppo.rollout_steps, settings.ppo.num_envs
    key_action, key_step, key_reset, key_pattern, key_noise = jax.random.split(key, 5)
    action = distributions.draw(key_action, (time, env.num_actions, envs), continuous=env.continuous)
    state, observation = jax.vmap(jax.vmap(env.reset, out_axes=(0, -1)))(jax.random.split(key_reset, (time, envs)))
    pattern = redrawn = None
    if settings.blend.kind != "none" and settings.dynamics.reset == "redraw":
        # A key of its own beside the five, so that all other numbers are what they would be without it.
        redrawn = jax.random.uniform(jax.random.fold_in(key, 5), (time, envs)) < settings.dynamics.redraw
        keys = jax.random.split(key_pattern, (time, envs))
        pattern = jax.vmap(jax.vmap(lambda k: draw_pattern(settings, env, k), out_axes=-1))(keys)
    noise = draw_noise(settings, env, key_noise, (time, envs))
    return RolloutRandomness(
        action, jax.random.split(key_step, (time, envs)), state, observation, pattern, noise, redrawn
    )


def draw_pattern(settings: Settings, env: Environment, key: PRNGKeyArray) -> State:
    """A fresh pattern for one agent or environment."""
    return settings.dynamics.init(key, shape_of(settings, env.num_features, env.num_actions))


def draw_noise(settings: Settings, env: Environment, key: PRNGKeyArray, batch: tuple[int, ...]) -> PyTree:
    """What the dynamics need in one step, for each of a batch (`Dynamics.noise`)."""
    return settings.dynamics.noise(key, shape_of(settings, env.num_features, env.num_actions), batch)
