"""No memory: the networks see the present alone."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class NoDynamics(Dynamics):
    """Nothing remembered, and a readout of zeros."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, " actions"]:
        return jnp.zeros(shape[1])

    def step(
        self, state: Float[Array, " actions"], observation: Float[Array, " features"], guide: Guide = nothing
    ) -> Float[Array, " actions"]:
        return state

    def read(self, state: Float[Array, " actions"], observation: Float[Array, " features"]) -> Float[Array, " actions"]:
        return state

    @property
    def is_silent(self) -> bool:
        return True

    def show(
        self, state: Float[Array, " actions"], observation: Float[Array, " features"]
    ) -> Float[Array, " features"]:
        return observation
