"""Kuramoto's phase oscillators: many clocks of slightly different speed that pull each other into one rhythm."""

import jax
import jax.numpy as jnp

from morphorl.config.fields import FINITE, NOT_NEGATIVE, setting
from morphorl.dynamics.base import Dynamics


class Kuramoto(Dynamics):
    """A phase θ for every feature i and action k, from −π to π; the state has the shape (features, actions).

        θ ← θ + ω_ik + K·r·sin(ψ − θ) − κ·x_i·sin θ + guide(θ),   r·e^{iψ} = mean of e^{iθ} over all
        ω_ik = 2π·(f + σ·n_ik),   n_ik standard normal, drawn once a run

    r, the order parameter, is 0 where phases are spread evenly and 1 where all agree. Two oscillators that differ by Δω
    lock if and only if K > Δω. The observation x pulls phases to 0 (where positive) or π. It reads A·mean_i cos θ_ik;
    as memory it shows [x, cos θ, sin θ].

    Source: Kuramoto, "Chemical Oscillations, Waves, and Turbulence", 1984; the pull: Sakaguchi, 1988.
    """

    frequency: float = setting(0.02, FINITE)
    """f: mean frequency, in cycles per environment step."""
    spread: float = setting(0.002, NOT_NEGATIVE)
    """σ: standard deviation of the frequencies, in cycles per environment step."""
    coupling: float = setting(0.1, FINITE)
    """K: pull towards the others' mean phase, in radians per environment step."""
    drive: float = setting(0.05, FINITE)
    """κ: pull of the observation, in radians per environment step."""
    amplitude: float = setting(1.0, FINITE)
    """A: largest absolute readout."""

    def init(self, key, shape):
        return jax.random.uniform(key, shape, minval=-jnp.pi, maxval=jnp.pi)

    def constants(self, key, shape):
        return jax.random.normal(key, shape)

    def step(self, state, observation, guide, *, constants):
        sine, cosine = jnp.sin(state), jnp.cos(state)
        pull = jnp.mean(sine) * cosine - jnp.mean(cosine) * sine  # r·sin(ψ − θ)
        speed = 2 * jnp.pi * (self.frequency + self.spread * constants)
        change = speed + self.coupling * pull - self.drive * observation[:, None] * sine
        return wrapped(state + change + guide(state))

    def read(self, state, observation):
        return self.amplitude * jnp.cos(state).mean(0)

    def show(self, state, observation):
        return jnp.concatenate([observation, jnp.cos(state).ravel(), jnp.sin(state).ravel()])


def wrapped(angle):
    """The same angle from −π to π."""
    return angle - 2 * jnp.pi * jnp.floor(angle / (2 * jnp.pi) + 0.5)
