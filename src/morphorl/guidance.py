"""Guidance: the term that amplifies the cell's state. Blind to everything but that state, or aware of the reward."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.checks import FINITE, FRACTION, NOT_NEGATIVE, check, setting


class Signal(NamedTuple):
    """What reward-aware guidance knows, all of it from the step before."""

    surprise: Float[Array, "*envs"]
    """The TD error δ in units of its usual size; 0 where none is known."""
    eligibility: Float[Array, "features actions *envs"] | None = None
    """How far each entry of the state had a part in the latest actions; nothing for a state that is not read out."""


class Guidance(eqx.Module):
    """How strongly, and by which rule, the cell's own state u is amplified.

    - `blind`: γ·sign(u) at every step, the post's. γ is `strength`.
    - `modulated`: γ·tanh(k·δ̂)·sign(u). What went better than expected is amplified, what went worse is weakened.
    - `win_stay`: nothing during an episode. At its end, with G its return and Ḡ the running mean: after a better one
      the pattern stays, amplified by γ·tanh(k·(G − Ḡ)/max(|Ḡ|, 1))·sign(u); after a worse one a fresh one is drawn.
    - `three_factor`: γ·δ̂·E on the activator, where E ← λ·E + x ⊗ (onehot(action) − π) remembers which entry (feature,
      action) had a part in what was done: a local rule of presynaptic activity, postsynaptic activity, and a global
      signal. γ falls with progress, γ/(1 + c·(Ḡ − G₁)/(|G₁| + 1)), G₁ being the untrained agent's return.
    - `adaptive`: γ·max(0, tanh(k·trend))·sign(u), trend the rise of a fast running mean of returns over a slow one,
      divided by max(|slow|, 1): guidance lasts as long as performance rises.
    - `none`: leaves the dynamics alone.

    δ̂ is the TD error of the step before in units of its running mean size, 0 after a truncation (whose future nobody
    saw). An evaluation has no learning signal, and so no reward-aware guidance either.

    Source: the post's section "A Simplified, Guided Dynamical System" (blind), and its conclusion, whose future work
    the reward-aware ones are; three factors: Frémaux and Gerstner, "Neuromodulated spike-timing-dependent plasticity,
    and theory of three-factor learning rules", 2016.
    """

    kind: Literal["none", "blind", "modulated", "win_stay", "three_factor", "adaptive"] = setting("blind", static=True)
    """The rule."""
    strength: float = setting(0.0, FINITE)
    """The post's γ, per environment step. 0 switches the guidance off."""
    sensitivity: float = setting(1.0, FINITE)
    """k: how soon tanh saturates."""
    trace_decay: float = setting(0.97, FRACTION)
    """λ: what a step leaves of the eligibility trace; it starts at 0 in every episode."""
    caution: float = setting(0.1, NOT_NEGATIVE)
    """c: how fast the strength of `three_factor` falls with progress."""
    signal: Literal["td_error", "constant", "shuffled"] = setting("td_error", static=True)
    """Where the surprise comes from; the others are controls: always 1, or that of a neighbouring environment."""

    def __check_init__(self) -> None:
        check(self, "guidance")

    @property
    def knows_reward(self) -> bool:
        """Whether the rule needs anything from within a rollout beside the state."""
        return self.kind in ("modulated", "win_stay", "three_factor")

    @property
    def needs_value(self) -> bool:
        """Whether the rule needs a TD error, and so a value, at every step."""
        return self.kind in ("modulated", "three_factor")


def guide(guidance: Guidance, state: Float[Array, "..."], signal: Signal | None = None) -> Float[Array, "..."]:
    """The guidance term of one step for one of the two states; the sign of 0 is 0."""
    if guidance.kind in ("blind", "adaptive"):
        return guidance.strength * jnp.sign(state)
    if signal is None or guidance.kind in ("none", "win_stay"):
        return jnp.zeros_like(state)
    if guidance.kind == "modulated":
        return guidance.strength * jnp.tanh(guidance.sensitivity * signal.surprise) * jnp.sign(state)
    if signal.eligibility is None:
        return jnp.zeros_like(state)
    return guidance.strength * signal.surprise * signal.eligibility
