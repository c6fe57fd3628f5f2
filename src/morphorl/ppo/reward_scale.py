"""Rewards of one size in every environment: divided by the running deviation of their discounted sums."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from morphorl.ppo.agent import Statistics, observe, variance_of

MOST = 10.0
"""Scaled rewards are clipped to ± this."""


def discounted_sums(
    before: Float[Array, " envs"],
    reward: Float[Array, "time envs"],
    ended: Bool[Array, "time envs"],
    discount: float | Float[Array, ""],
) -> tuple[Float[Array, " envs"], Float[Array, "time envs"]]:
    """G_t = γ·G_{t−1} + r_t for each environment, begun at 0 by each episode.

    Args:
        before: γ·G of the step before the first.

    Returns:
        What the next rollout starts from, and every G_t.
    """

    def step(carried, now):
        reward, ended = now
        total = carried + reward
        return jnp.where(ended, 0.0, discount * total), total

    return jax.lax.scan(step, before, (reward, ended))


def follow(
    returns: Statistics,
    before: Float[Array, " envs"],
    reward: Float[Array, "time envs"],
    ended: Bool[Array, "time envs"],
    discount: float | Float[Array, ""],
) -> tuple[Statistics, Float[Array, " envs"]]:
    """The statistics after one more rollout, and what the next one starts from; arguments as of `discounted_sums`."""
    after, sums = discounted_sums(before, reward, ended, discount)
    return observe(returns, sums.reshape(1, -1)), after


def scaled(returns: Statistics | None, reward: Float[Array, "..."]) -> Float[Array, "..."]:
    """A reward as PPO learns from it: divided by the deviation of the discounted sums, and clipped to ±10.

    As it is where nothing is normalised (`returns` is None), or nothing was observed yet.
    """
    if returns is None:
        return reward
    return jnp.clip(reward / jnp.sqrt(variance_of(returns)[0] + 1e-8), -MOST, MOST)
