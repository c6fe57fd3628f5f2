"""What a rule of guidance is: the term that amplifies a dynamical system's own state, and what the rule may know."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, PyTree

from morphorl.config.errors import SettingError
from morphorl.config.fields import FINITE, FRACTION, check, setting
from morphorl.config.kinds import Kind

CONTROLS = ("constant", "shuffled")
"""Signals that know no reward."""


class Signal(NamedTuple):
    """What a rule may know at a step, all of it from the step before."""

    surprise: Float[Array, "*envs"]
    """The TD error δ in units of its usual size; 0 where none is known."""
    eligibility: Float[Array, "features actions *envs"] | None = None
    """How far each entry of the state that is read out had a part in the latest actions."""


class Performance(NamedTuple):
    """How a run is doing: running means, renewed after every rollout; returns are NaN before the first has ended."""

    first_return: Float[Array, ""]
    """G₁: mean return of the first rollout in which an episode ended, an untrained agent's."""
    fast_return: Float[Array, ""]
    """Ḡ over the last five rollouts or so."""
    slow_return: Float[Array, ""]
    """Ḡ over the last twenty or so."""
    usual_surprise: Float[Array, ""]
    """Mean |δ|, by which TD errors are divided."""


class Guidance(Kind):
    """A rule by which a system's own state u is amplified, and its strength.

    A rule is called with a state, inside the system's step, and gives a term of its shape:

        du/dt = … + guide(u)

    Rules are pure: what they know of the learning comes in as a `Signal`, and is declared in `needs`.
    """

    strength: float = setting(0.0, FINITE)
    """The post's γ, per environment step. 0 switches the guidance off."""

    package: ClassVar[str] = "morphorl.dynamics.guidance"
    slots: ClassVar[tuple[str, ...]] = ("guidance",)
    needs: ClassVar[frozenset[str]] = frozenset()
    """What the rule has to know: "td_error" and "eligibility" of the step before, the "returns" of episodes that end,
    or the "trend" of the run's returns. A rule that needs one of the first three derives from `Surprised`,
    `Eligible` or `RewardAware`."""

    def __check_init__(self) -> None:
        check(self, "guidance")

    @abstractmethod
    def __call__(
        self, state: Float[Array, "..."], signal: Signal | None = None, *, read: bool = False
    ) -> Float[Array, "..."]:
        """The term of one step for a state, of its shape; the sign of 0 is 0.

        Args:
            state: u, any array of the system.
            signal: what is known of the step before; without it a rule that needs one gives 0.
            read: whether this is the state that is read out, one number for each feature and action, as
                o_k = Σ_i x_i·u_ik. Rules that know the eligibility (`Eligible`) rest on that: it is the gradient of
                the log-probability of the action with respect to such a state, and of no other.
        """

    def scale(self, performance: Performance) -> float | Float[Array, ""]:
        """What the run's performance makes of the strength, as a factor; NaN, nothing known, counts as no progress."""
        return 1.0

    def at_end(
        self,
        states: PyTree,
        fresh: PyTree,
        done: Bool[Array, " envs"],
        episode_return: Float[Array, " envs"],
        performance: Performance,
        bounded: Callable[[Array], Array],
    ) -> PyTree:
        """The states of parallel environments after a step, of a rule that decides which patterns stay (`decides`).

        Args:
            states: after the step, the environments on the last axis.
            fresh: states drawn anew.
            done: where an episode has just ended.
            bounded: keeps a state within the system's bound.
        """
        raise NotImplementedError

    def kept(self, pattern: PyTree) -> PyTree:
        """What evaluations start from, of a pattern that outlives episodes; all of it, if not said otherwise."""
        return pattern

    acts_on: ClassVar[frozenset[str]] = frozenset()
    """The kinds of dynamics that the rule is for; empty: any."""
    decides: ClassVar[bool] = False
    """Whether the rule decides at an episode's end which patterns stay, in place of `dynamics.reset`."""

    def outlives_episodes(self, reset: str) -> bool:
        """Whether patterns carry over from one episode to the next what the reward made of them."""
        return self.decides

    @property
    def knows_reward(self) -> bool:
        """Whether the rule needs anything from within a rollout beside the state."""
        return bool(self.needs & {"td_error", "eligibility", "returns"})

    @property
    def needs_value(self) -> bool:
        """Whether the rule needs a TD error, and so a value, at every step."""
        return "td_error" in self.needs


class RewardAware(Guidance):
    """A rule that knows the reward, and by which ways it may.

    Source: the post's conclusion, whose future work these are.
    """

    selection: Literal["none", "fittest"] = setting("none", static=True)
    """Whose pattern an evaluation starts from where patterns outlive episodes (`win_stay`, and `three_factor` without a
    reset): `none`: the first environment's, chosen beforehand, a fair sample. `fittest`: that of the environment whose
    last episode did best, a choice among `ppo.num_envs`."""
    exchange: Literal["equal", "returns"] = setting("equal", static=True)
    """Towards which mean the systems of parallel environments move (`dynamics.population` above 0): the plain one, or
    that weighted by the returns of their latest episodes."""


def refuse_open_doors(rule: RewardAware, signal: str) -> None:
    """Raise `SettingError` for a control, a `signal` of `CONTROLS`, that would know the reward by another way."""
    for name, fair in (("selection", "none"), ("exchange", "equal")):
        value = getattr(rule, name)
        if signal in CONTROLS and value != fair:
            raise SettingError(
                f"guidance.{name} = {value!r}: must be {fair!r} where guidance.signal is {signal!r}; such a "
                f"control would know the reward by that way. Set guidance.{name} = {fair!r}."
            )


class Surprised(RewardAware):
    """A rule that is told the TD error δ̂ of the step before, in units of its running mean size.

    δ̂ is 0 after a truncation (whose future nobody saw). An evaluation has no learning signal, and so no such guidance.

    A control (`signal` other than `td_error`) must know the reward by no other way, and is refused with one: an
    evaluation from the best environment's pattern (`selection`), an exchange weighted by returns (`exchange`), a
    strength that falls with them (`caution` of `three_factor`).
    """

    needs: ClassVar[frozenset[str]] = frozenset({"td_error"})

    signal: Literal["td_error", "constant", "shuffled"] = setting("td_error", static=True)
    """Where the surprise comes from; the others are controls: always 1, or that of a neighbouring environment."""

    def __check_init__(self) -> None:
        refuse_open_doors(self, self.signal)


class Eligible(Surprised):
    """A rule that knows, besides, how far each entry of the state that is read out had a part in the latest actions."""

    needs: ClassVar[frozenset[str]] = frozenset({"td_error", "eligibility"})

    trace_decay: float = setting(0.97, FRACTION)
    """λ: what a step leaves of the eligibility trace; it starts at 0 in every episode."""


def nothing(state: Float[Array, "..."], *, read: bool = False) -> Float[Array, "..."]:
    """The term of no guidance at all."""
    return jnp.zeros_like(state)
