"""Temporally correlated noise on the logits: an autoregressive process for each action."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

Scalar = float | Float[Array, ""]


def init(deviation: Scalar, key: PRNGKeyArray, actions: int) -> Float[Array, " actions"]:
    """A state drawn from the stationary distribution, normal with the given standard deviation."""
    return deviation * jax.random.normal(key, (actions,))


def step(
    deviation: Scalar,
    autocorrelation: Scalar,
    state: Float[Array, "actions envs"],
    normal: Float[Array, "actions envs"],
) -> Float[Array, "actions envs"]:
    """One environment step of the first-order autoregressive process (a sampled Ornstein-Uhlenbeck process).

        o ← φ·o + σ·√(1 − φ²)·n,   n standard normal

    Its stationary standard deviation is σ whatever φ, and two values k steps apart correlate by φᵏ. The state is the
    readout.

    Source: Uhlenbeck and Ornstein, "On the Theory of the Brownian Motion", 1930; as exploration noise in Lillicrap et
    al., "Continuous control with deep reinforcement learning", 2016.
    """
    return autocorrelation * state + deviation * jnp.sqrt(1 - jnp.square(autocorrelation)) * normal
