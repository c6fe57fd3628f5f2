"""Guidance modulated by reward: what went better than expected is amplified, what went worse is weakened."""

import jax.numpy as jnp

from morphorl.config.fields import FINITE, setting
from morphorl.dynamics.guidance.base import Surprised


class Modulated(Surprised):
    """γ·tanh(k·δ̂)·sign(u)."""

    sensitivity: float = setting(1.0, FINITE)
    """k: how soon tanh saturates, and with which sign."""

    def __call__(self, state, signal=None, *, read=False):
        if signal is None:
            return jnp.zeros_like(state)
        return self.strength * jnp.tanh(self.sensitivity * signal.surprise) * jnp.sign(state)
