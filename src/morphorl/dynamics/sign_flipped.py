"""The post's system with its whole readout multiplied by a fresh fair sign at every step: a control."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.dynamics.base import Shape
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion


class SignFlipped(ReactionDiffusion):
    """It keeps the size of every readout and its dependence on the observation; nothing persists from step to step.

    With `dt` = 0 it is a frozen pattern whose sign is drawn anew at every step.
    """

    def noise(self, key: PRNGKeyArray, shape: Shape, batch: tuple[int, ...]) -> Float[Array, "*time one envs"]:
        return jax.random.rademacher(key, (*batch[:-1], 1, batch[-1]), jnp.float32)

    def read(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, state: ActivatorInhibitor, observation: Float[Array, " features"], *, noise: Float[Array, " one"]
    ) -> Float[Array, " actions"]:
        return super().read(state, observation) * noise
