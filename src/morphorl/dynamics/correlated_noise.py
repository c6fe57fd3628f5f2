"""Temporally correlated noise on the logits: an autoregressive process for each action."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import CORRELATION, NOT_NEGATIVE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class CorrelatedNoise(Dynamics):
    """One environment step of the first-order autoregressive process (a sampled Ornstein-Uhlenbeck process).

        o ← φ·o + σ·√(1 − φ²)·n,   n standard normal

    Its stationary standard deviation is σ whatever φ, and two values k steps apart correlate by φᵏ. The state is the
    readout. It persists, and knows nothing of the observation. (`morphorl readouts` measures σ and φ of other
    systems, to match them.)

    Source: Uhlenbeck and Ornstein, "On the Theory of the Brownian Motion", 1930; as exploration noise in Lillicrap et
    al., "Continuous control with deep reinforcement learning", 2016.
    """

    deviation: float = setting(1.0, NOT_NEGATIVE)
    """σ, in units of the logits."""
    autocorrelation: float = setting(0.9, CORRELATION)
    """φ: correlation of the noise between two environment steps."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, " actions"]:
        """A state drawn from the stationary distribution."""
        return self.deviation * jax.random.normal(key, shape[1:])

    def noise(self, key: PRNGKeyArray, shape: Shape, batch: tuple[int, ...]) -> Float[Array, "*time actions envs"]:
        return jax.random.normal(key, (*batch[:-1], shape[1], batch[-1]))

    def step(
        self,
        state: Float[Array, " actions"],
        observation: Float[Array, " features"],
        guide: Guide = nothing,
        *,
        noise: Float[Array, " actions"],
    ) -> Float[Array, " actions"]:
        spread = self.deviation * jnp.sqrt(1 - jnp.square(self.autocorrelation))
        return self.autocorrelation * state + spread * noise

    def read(self, state: Float[Array, " actions"], observation: Float[Array, " features"]) -> Float[Array, " actions"]:
        return state
