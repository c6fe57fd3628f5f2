"""Adaptive guidance: blind at each step, with a strength that follows the trend of the returns."""

from typing import ClassVar

import jax.numpy as jnp

from morphorl.config.fields import FINITE, setting
from morphorl.dynamics.guidance.base import Guidance, Performance


class Adaptive(Guidance):
    """γ·max(0, tanh(k·trend))·sign(u): guidance lasts as long as performance rises.

    trend is the rise of a fast running mean of returns over a slow one, divided by max(|slow|, 1). A negative k turns
    it round: guidance is strong while returns fall.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"trend"})

    sensitivity: float = setting(1.0, FINITE)
    """k: how soon tanh saturates, and with which sign."""

    def __call__(self, state, signal=None, *, read=False):
        return self.strength * jnp.sign(state)

    def scale(self, performance: Performance):
        slow = performance.slow_return
        trend = jnp.nan_to_num((performance.fast_return - slow) / jnp.maximum(jnp.abs(slow), 1.0))
        return jnp.maximum(jnp.tanh(self.sensitivity * trend), 0.0)
