"""A clock: a phase that nothing moves, which networks may see and actions may follow."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FINITE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class Clock(Dynamics):
    """A phase θ_k ← θ_k + 2πf for every action, −k·`spacing` at an episode's start: oscillators without any dynamics.

    Readout: o_k = A·cos θ_k, each action somewhat behind the last. As memory it shows [x, cos θ_0, sin θ_0].
    """

    frequency: float = setting(0.02, FINITE)
    """f, in cycles per environment step."""
    spacing: float = setting(40.0, FINITE)
    """By how many degrees an action's readout is behind the one before."""
    amplitude: float = setting(1.0, FINITE)
    """A: amplitude of the readout, in units of the logits (or of the means)."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, " actions"]:
        return jnp.mod(-jnp.deg2rad(self.spacing) * jnp.arange(shape[1]), 2 * jnp.pi)

    def step(
        self, state: Float[Array, " actions"], observation: Float[Array, " features"], guide: Guide = nothing
    ) -> Float[Array, " actions"]:
        return jnp.mod(state + 2 * jnp.pi * self.frequency, 2 * jnp.pi)

    def read(self, state: Float[Array, " actions"], observation: Float[Array, " features"]) -> Float[Array, " actions"]:
        return self.amplitude * jnp.cos(state)

    def show(self, state: Float[Array, " actions"], observation: Float[Array, " features"]) -> Float[Array, " shown"]:
        return jnp.concatenate([observation, jnp.cos(state[:1]), jnp.sin(state[:1])])
