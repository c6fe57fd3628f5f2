"""Guidance: the term that amplifies the cell's state, blind to everything but that state."""

from typing import Literal

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.checks import FINITE, check, setting


class Guidance(eqx.Module):
    """How strongly, and by which rule, the cell's own state is amplified at each step.

    The post's section "A Simplified, Guided Dynamical System" adds γ·sign(a) and γ·sign(h); the fixed γ is `strength`.
    """

    kind: Literal["none", "blind"] = setting("blind", static=True)
    """The rule: `none` leaves the dynamics alone, `blind` adds strength·sign(state)."""
    strength: float = setting(0.0, FINITE)
    """The post's γ, per environment step. 0 switches the guidance off."""

    def __check_init__(self) -> None:
        check(self, "guidance")


def guide(guidance: Guidance, state: Float[Array, "..."]) -> Float[Array, "..."]:
    """The guidance term for one of the two states, g(u) = γ·sign(u), or 0 for `none`.

    The sign of 0 is 0: a state that is exactly zero gets no push.
    """
    if guidance.kind == "none":
        return jnp.zeros_like(state)
    return guidance.strength * jnp.sign(state)
