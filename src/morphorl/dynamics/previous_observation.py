"""The observation before: the least memory there is."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FINITE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class PreviousObservation(Dynamics):
    """A memory that shows [x, k·(x − x₋₁)], with x₋₁ = x at an episode's start."""

    gain: float = setting(10.0, FINITE)
    """k: how large the difference appears to the networks."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, " features"]:
        return jnp.zeros(shape[0])

    def step(
        self, state: Float[Array, " features"], observation: Float[Array, " features"], guide: Guide = nothing
    ) -> Float[Array, " features"]:
        return observation

    def show(self, state: Float[Array, " features"], observation: Float[Array, " features"]) -> Float[Array, " shown"]:
        return jnp.concatenate([observation, self.gain * (observation - state)])
