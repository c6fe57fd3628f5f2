"""Guidance: the term that amplifies the cell's state. Blind to everything but that state, or aware of the reward."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.config.errors import SettingError
from morphorl.config.fields import FINITE, FRACTION, NOT_NEGATIVE, check, setting


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
    - `stabilise`: γ·tanh(k·δ̂)·u, stability modulated by reward: a state decays at the rate μ − γ·tanh(k·δ̂). After what
      went better than expected the pattern persists, after what went worse it decays.
    - `win_stay`: nothing during an episode. At its end, with G its return and Ḡ the running mean: after a better one
      the pattern stays, amplified by γ·tanh(k·(G − Ḡ)/max(|Ḡ|, 1))·sign(u); after a worse one a fresh one is drawn.
    - `three_factor`: γ·δ̂·E on the activator, where E ← λ·E + x ⊗ (onehot(action) − π) remembers which entry (feature,
      action) had a part in what was done: a local rule of presynaptic activity, postsynaptic activity, and a global
      signal. γ falls with progress, γ/(1 + c·(Ḡ − G₁)/(|G₁| + 1)), G₁ being the untrained agent's return.
    - `adaptive`: γ·max(0, tanh(k·trend))·sign(u), trend the rise of a fast running mean of returns over a slow one,
      divided by max(|slow|, 1): guidance lasts as long as performance rises. A negative k turns it round: guidance is
      strong while returns fall.
    - `none`: leaves the dynamics alone.

    δ̂ is the TD error of the step before in units of its running mean size, 0 after a truncation (whose future nobody
    saw). An evaluation has no learning signal, and so no reward-aware guidance either.

    A control (`signal` other than `td_error`) must know the reward by no other way, and is refused with one: an
    evaluation from the best environment's pattern (`selection`), an exchange weighted by returns (`exchange`), a
    strength that falls with them (`caution` under `three_factor`).

    Source: the post's section "A Simplified, Guided Dynamical System" (blind), and its conclusion, whose future work
    the reward-aware ones are; three factors: Frémaux and Gerstner, "Neuromodulated spike-timing-dependent plasticity,
    and theory of three-factor learning rules", 2016.
    """

    kind: Literal["none", "blind", "modulated", "stabilise", "win_stay", "three_factor", "adaptive"] = setting(
        "blind", static=True
    )
    """The rule."""
    strength: float = setting(0.0, FINITE)
    """The post's γ, per environment step. 0 switches the guidance off."""
    sensitivity: float = setting(1.0, FINITE)
    """k: how soon tanh saturates, and with which sign."""
    trace_decay: float = setting(0.97, FRACTION)
    """λ: what a step leaves of the eligibility trace; it starts at 0 in every episode."""
    caution: float = setting(0.1, NOT_NEGATIVE)
    """c: how fast the strength of `three_factor` falls with progress."""
    signal: Literal["td_error", "constant", "shuffled"] = setting("td_error", static=True)
    """Where the surprise comes from; the others are controls: always 1, or that of a neighbouring environment."""
    selection: Literal["none", "fittest"] = setting("none", static=True)
    """Whose pattern an evaluation starts from where patterns outlive episodes (`win_stay`, and `three_factor` without a
    reset): `none`: the first environment's, chosen beforehand, a fair sample. `fittest`: that of the environment whose
    last episode did best, a choice among `ppo.num_envs`."""
    exchange: Literal["equal", "returns"] = setting("equal", static=True)
    """Towards which mean the cells of parallel environments move (`cell.population` above 0, a rule that knows the
    reward): the plain one, or that weighted by the returns of their latest episodes."""

    def __check_init__(self) -> None:
        check(self, "guidance")
        if not self.knows_reward:
            self._refuse_idle_choices()
        if self.signal != "td_error":
            self._refuse_side_doors()

    def _refuse_idle_choices(self) -> None:
        """Raise `SettingError` for a choice about the reward under a rule without one: an arm of that name would not be
        what its name says."""
        for name, usual in (("signal", "td_error"), ("selection", "none"), ("exchange", "equal")):
            value = getattr(self, name)
            if value != usual:
                raise SettingError(
                    f"guidance.{name} = {value!r}: must be {usual!r} where guidance.kind is {self.kind!r}, which knows "
                    f"no reward. Set guidance.kind, or guidance.{name} = {usual!r}."
                )

    def _refuse_side_doors(self) -> None:
        """Raise `SettingError` where a control would know the reward by another way than its signal."""
        for name, fair in (("selection", "none"), ("exchange", "equal")):
            value = getattr(self, name)
            if value != fair:
                raise SettingError(
                    f"guidance.{name} = {value!r}: must be {fair!r} where guidance.signal is {self.signal!r}; such a "
                    f"control would know the reward by that way. Set guidance.{name} = {fair!r}."
                )
        if self.kind == "three_factor" and isinstance(self.caution, int | float) and self.caution > 0:
            raise SettingError(
                f"guidance.caution = {self.caution}: must be 0 where guidance.signal is {self.signal!r}; a control "
                "whose strength falls with the returns would know the reward by that way. Set guidance.caution = 0."
            )

    @property
    def knows_reward(self) -> bool:
        """Whether the rule needs anything from within a rollout beside the state."""
        return self.kind in ("modulated", "stabilise", "win_stay", "three_factor")

    @property
    def needs_value(self) -> bool:
        """Whether the rule needs a TD error, and so a value, at every step."""
        return self.kind in ("modulated", "stabilise", "three_factor")


def guide(guidance: Guidance, state: Float[Array, "..."], signal: Signal | None = None) -> Float[Array, "..."]:
    """The guidance term of one step for one of the two states; the sign of 0 is 0."""
    if guidance.kind in ("blind", "adaptive"):
        return guidance.strength * jnp.sign(state)
    if signal is None or guidance.kind in ("none", "win_stay"):
        return jnp.zeros_like(state)
    if guidance.kind in ("modulated", "stabilise"):
        direction = state if guidance.kind == "stabilise" else jnp.sign(state)
        return guidance.strength * jnp.tanh(guidance.sensitivity * signal.surprise) * direction
    if signal.eligibility is None:
        return jnp.zeros_like(state)
    return guidance.strength * signal.surprise * signal.eligibility
