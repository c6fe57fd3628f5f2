"""Frame stacking: the last few observations, side by side."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import UNITS, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class Stack(Dynamics):
    """A memory that shows [x_t, x_{t−s}, x_{t−2s}, …], n observations s steps apart.

    An episode starts as if its first observation had been there for ever.

    Source: frames stacked for Atari's games: Mnih et al., "Human-level control through deep reinforcement learning",
    Nature, 2015.
    """

    frames: int = setting(4, UNITS, static=True)
    """n: observations shown, the present one among them."""
    stride: int = setting(1, UNITS, static=True)
    """s: steps from one of them to the one before."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, "steps features"]:
        return jnp.zeros(((self.frames - 1) * self.stride, shape[0]))

    def start(
        self, state: Float[Array, "steps features"], observation: Float[Array, " features"], guide: Guide = nothing
    ) -> Float[Array, "steps features"]:
        return jnp.broadcast_to(observation, state.shape)

    def step(
        self, state: Float[Array, "steps features"], observation: Float[Array, " features"], guide: Guide = nothing
    ) -> Float[Array, "steps features"]:
        """The latest observation comes first, and the oldest is forgotten."""
        return jnp.concatenate([observation[None], state])[: len(state)]

    def show(
        self, state: Float[Array, "steps features"], observation: Float[Array, " features"]
    ) -> Float[Array, " shown"]:
        earlier = state[self.stride - 1 :: self.stride]
        return jnp.concatenate([observation, earlier.reshape(-1)])
