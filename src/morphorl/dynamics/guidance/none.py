"""No guidance: the dynamics are left alone."""

import jax.numpy as jnp

from morphorl.dynamics.guidance.base import Guidance


class NoGuidance(Guidance):
    """0, whatever the strength."""

    def __call__(self, state, signal=None, *, read=False):
        return jnp.zeros_like(state)
