"""Stability modulated by reward: after what went well a pattern persists, after what went badly it decays."""

import jax.numpy as jnp

from morphorl.config.fields import FINITE, setting
from morphorl.dynamics.guidance.base import Surprised


class Stabilise(Surprised):
    """γ·tanh(k·δ̂)·u: a state decays at the rate μ − γ·tanh(k·δ̂)."""

    sensitivity: float = setting(1.0, FINITE)
    """k: how soon tanh saturates, and with which sign."""

    def __call__(self, state, signal=None, *, read=False):
        if signal is None:
            return jnp.zeros_like(state)
        return self.strength * jnp.tanh(self.sensitivity * signal.surprise) * state
