"""Independent sines: a rhythm for every action, and none that they share."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FINITE, NOT_NEGATIVE, POSITIVE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class Sines(NamedTuple):
    """Each action's phase and speed, in radians and in radians per environment step."""

    phase: Float[Array, " actions"]
    speed: Float[Array, " actions"]


class IndependentSines(Dynamics):
    """A phase θ_k ← θ_k + 2π·f_k for every action, its start drawn evenly and f_k = f·exp(s·n_k), n_k standard normal.

    What a ring of oscillators has without coupling, each at a frequency of its own. Readout: o_k = A·cos θ_k. As memory
    it shows [x, cos θ, sin θ].

    Source: one free oscillator a joint: Raffin et al., "An open-loop baseline for reinforcement learning locomotion
    tasks", RLJ, 2024.
    """

    frequency: float = setting(0.02, POSITIVE)
    """f: the middle of the frequencies, in cycles per environment step."""
    spread: float = setting(0.3, NOT_NEGATIVE)
    """s: standard deviation of a frequency's logarithm (0: all have the same frequency, and phases of their own)."""
    amplitude: float = setting(1.0, FINITE)
    """A: amplitude of the readout, in units of the logits (or of the means)."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Sines:
        key_phase, key_speed = jax.random.split(key)
        speed = 2 * jnp.pi * self.frequency * jnp.exp(self.spread * jax.random.normal(key_speed, (shape[1],)))
        return Sines(jax.random.uniform(key_phase, (shape[1],), maxval=2 * jnp.pi), speed)

    def step(self, state: Sines, observation: Float[Array, " features"], guide: Guide = nothing) -> Sines:
        return state._replace(phase=jnp.mod(state.phase + state.speed, 2 * jnp.pi))

    def read(self, state: Sines, observation: Float[Array, " features"]) -> Float[Array, " actions"]:
        return self.amplitude * jnp.cos(state.phase)

    def show(self, state: Sines, observation: Float[Array, " features"]) -> Float[Array, " shown"]:
        return jnp.concatenate([observation, jnp.cos(state.phase), jnp.sin(state.phase)])
