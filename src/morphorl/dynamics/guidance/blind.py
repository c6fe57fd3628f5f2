"""Blind guidance, the post's: it amplifies the state, and knows nothing else."""

import jax.numpy as jnp

from morphorl.dynamics.guidance.base import Guidance


class Blind(Guidance):
    """γ·sign(u) at every step.

    Source: the post's section "A Simplified, Guided Dynamical System".
    """

    def __call__(self, state, signal=None, *, read=False):
        return self.strength * jnp.sign(state)
