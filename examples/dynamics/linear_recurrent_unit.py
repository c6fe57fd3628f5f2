"""A linear recurrent unit: decaying oscillations of several speeds, to which the observation adds."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.config.fields import COUNT, FINITE, POSITIVE, setting
from morphorl.dynamics.base import Dynamics


class Weights(NamedTuple):
    """The n_j, B and C, real and imaginary parts on the first axis."""

    turns: Float[Array, " units"]
    inputs: Float[Array, "2 units features"]
    readout: Float[Array, "2 actions units"]


class LinearRecurrentUnit(Dynamics):
    """Units with a complex state h; real and imaginary parts are the state, of shape (2, units).

        h_j ← λ_j·h_j + √(1 − |λ_j|²)·(B x)_j + guide(h_j),   λ_j = exp(−a_j + i·2π·f·n_j),   o = Re(C h)/√units

    With a > 0 every |λ| is below 1. a is learned in log space, the paper's stable exponential parametrisation
    (ν = log a), and spread from `fastest` to `slowest` on a logarithmic scale. n_j is uniform from 0 to 1, B and C are
    complex normal; they are drawn once a run. As memory it shows [x, Re h, Im h].

    Source: Orvieto et al., "Resurrecting recurrent neural networks for long sequences", ICML 2023.
    """

    units: int = setting(16, COUNT, static=True)
    """Complex states h_j."""
    fastest: float = setting(0.7, POSITIVE)
    """a of the unit that forgets first, per environment step."""
    slowest: float = setting(0.01, POSITIVE)
    """a of the unit that forgets last, per environment step."""
    frequency: float = setting(0.1, FINITE)
    """f: bound of the units' frequencies, in cycles per environment step."""

    def init(self, key, shape):
        return jnp.zeros((2, self.units))

    def constants(self, key, shape):
        (features, actions), (turns, b, c) = shape, jax.random.split(key, 3)
        inputs = jax.random.normal(b, (2, self.units, features)) / jnp.sqrt(2.0 * features)
        return Weights(jax.random.uniform(turns, (self.units,)), inputs, jax.random.normal(c, (2, actions, self.units)))

    def step(self, state, observation, guide, *, constants):
        (real, imaginary), share = state, jnp.linspace(0.0, 1.0, self.units)
        decay, angle = self.fastest ** (1 - share) * self.slowest**share, 2 * jnp.pi * self.frequency * constants.turns
        cosine, sine = jnp.cos(angle), jnp.sin(angle)
        turned = jnp.stack([cosine * real - sine * imaginary, sine * real + cosine * imaginary])
        fed = jnp.sqrt(1 - jnp.exp(-2 * decay))[None] * (constants.inputs @ observation)
        return jnp.exp(-decay)[None] * turned + fed + guide(state)

    def read(self, state, observation, *, constants):
        real, imaginary = constants.readout @ state[:, :, None]
        return (real - imaginary)[:, 0] / jnp.sqrt(float(self.units))
