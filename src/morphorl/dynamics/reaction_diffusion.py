"""The post's system: an activator and an inhibitor for every pair of observation feature and action."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.choices import Mixed, choice, choose
from morphorl.config.errors import SettingError
from morphorl.config.fields import BOUND, FINITE, NOT_NEGATIVE, setting
from morphorl.dynamics.base import Dynamics, Guide
from morphorl.dynamics.guidance.base import nothing


class ActivatorInhibitor(NamedTuple):
    """Activator a and inhibitor h, both dimensionless, of shape (features, actions); parallel cells add an axis."""

    activator: Float[Array, "features actions *envs"]
    inhibitor: Float[Array, "features actions *envs"]


class ReactionDiffusion(Dynamics):
    """The post's RD-inspired dynamical system. No gradient reaches its parameters unless `learned` names them.

    One explicit step per environment step:

        a ← a + dt·( D_a·C(a) + ρ_a·a²/(|h| + ε) − μ_a·a + γ·sign(a) + κ·drive(x) )
        h ← h + dt·( D_h·C(h) + ρ_h·a²           − μ_h·h + γ·sign(h) )

    both then bounded to ±`bound`. The observation x emphasises rows of the activator, and their weighted sum is the
    readout, one number per action: o_k = Σ_i w_i(x)·a_ik. (With `gate` = rows, row i advances by |w_i|/max_j |w_j| of
    a step.)

    Example:
        >>> system, observation = ReactionDiffusion(), jnp.ones(4)
        >>> state = system.init(jax.random.key(0), (4, 2))
        >>> state = system.step(state, observation, Blind(strength=0.1))
        >>> system.read(state, observation)

    Source: the post's section "My Implementation: A Simplified, Guided Dynamical System", after the
    Gierer-Meinhardt equations of its primer. What the post leaves open is a named setting here; `docs/readings.md`
    lists them beside the sentences they interpret.
    """

    activator_diffusion: float = setting(0.1, NOT_NEGATIVE)
    """D_a: coupling of the activators, per environment step."""
    inhibitor_diffusion: float = setting(0.4, NOT_NEGATIVE)
    """D_h: coupling of the inhibitors, per environment step ("often D_h > D_a for stable patterns")."""
    activator_production: float = setting(0.1, FINITE)
    """ρ_a: autocatalysis of the activator, per environment step."""
    inhibitor_production: float = setting(0.1, FINITE)
    """ρ_h: production of the inhibitor by the activator, per environment step."""
    activator_decay: float = setting(0.1, FINITE, learned="log")
    """μ_a: decay of the activator, per environment step; below 0 it grows on its own, up to the bound."""
    inhibitor_decay: float = setting(0.2, FINITE, learned="log")
    """μ_h: decay of the inhibitor, per environment step; below 0 it grows on its own, up to the bound."""
    drive: float = setting(0.0, FINITE)
    """κ: how strongly the observation feeds the activator, per environment step (0: off)."""
    population: float = setting(0.0, NOT_NEGATIVE, learned="fixed")
    """Exchange between the systems of parallel environments, per environment step (0: off)."""
    dt: float = setting(1.0, NOT_NEGATIVE)
    """Length of one explicit step, in environment steps. With 0 the pattern stays as it was drawn."""
    epsilon: float = setting(0.1, NOT_NEGATIVE)
    """ε in a²/(|h| + ε), dimensionless: keeps the reaction finite where the inhibitor crosses zero."""
    bound: float = setting(10.0, BOUND)
    """Largest absolute value of either state, dimensionless (inf: no bound)."""
    initial_scale: float = setting(0.1, NOT_NEGATIVE, learned="fixed")
    """Standard deviation of the initial noise (relative to the steady state for `positive`). With `signed`, no drive
    and a scale of 0 the state is exactly zero for ever: the scale-matched control."""
    coupling: Literal["mean", "ring", "lattice", "partner"] = choice("mean", "mean", "ring", "lattice", "partner")
    """Who is a neighbour: everyone, the two on a ring through all entries, the four on a periodic lattice, or the same
    entry of the other state (a and h pull at each other)."""
    initial: Literal["signed", "positive"] = choice("signed", "signed", "positive")
    """The initial state: noise around 0, or around the positive steady state."""
    emphasis: Literal["linear", "softmax", "winner"] = choice("linear", "linear", "softmax", "winner")
    """How the observation weighs the rows: w = x, w = softmax(|x|), or 1 for the largest |x| and 0 for the rest."""
    gate: Literal["none", "rows"] = choice("none", "none", "rows")
    """What the observation does to the update: nothing, or row i advances by the share |w_i|/max_j |w_j| of a step, so
    that what it does not emphasise stands still (nothing is emphasised: all advance)."""
    readout: Literal["activator", "difference"] = choice("activator", "activator", "difference")
    """What is read out: a, or a − h."""

    def __check_init__(self) -> None:
        if self.initial == "positive":
            self._refuse_no_positive_steady_state()

    def _refuse_no_positive_steady_state(self) -> None:
        """a* and h* are both above 0 if and only if ρ_a/μ_a and ρ_h/μ_h are."""
        for name in ("activator", "inhibitor"):
            decay, production = getattr(self, f"{name}_decay"), getattr(self, f"{name}_production")
            if not isinstance(decay, int | float) or not isinstance(production, int | float):
                continue
            if decay * production <= 0:
                raise SettingError(
                    f"dynamics.{name}_decay = {decay}: must differ from 0 and have the sign of "
                    f"dynamics.{name}_production, "
                    f"which is {production}, where dynamics.initial is 'positive', or there is no steady state with "
                    "a*, h* > 0 to start from. Set dynamics.initial = 'signed'."
                )

    def init(self, key: PRNGKeyArray, shape: tuple[int, int]) -> ActivatorInhibitor:
        """Draw an initial state of `shape` (features, actions): s·n around 0, or u*·(1 + s·n) around the steady state.

        n is standard normal, s is `initial_scale`, u* is `steady_state()`.
        """
        key_a, key_h = jax.random.split(key)
        noise = ActivatorInhibitor(jax.random.normal(key_a, shape), jax.random.normal(key_h, shape))
        around = {
            "signed": lambda: jax.tree.map(lambda n: self.initial_scale * n, noise),
            "positive": lambda: jax.tree.map(lambda u, n: u * (1 + self.initial_scale * n), self.steady_state(), noise),
        }
        return choose(self.initial, around)

    def steady_state(self) -> ActivatorInhibitor:
        """The positive uniform steady state without guidance, drive and ε, two scalars. (`partner` moves it.)

        a* = μ_h ρ_a / (μ_a ρ_h),  h* = μ_h ρ_a² / (μ_a² ρ_h)
        """
        ratio = self.activator_production / self.activator_decay
        activator = jnp.asarray(self.inhibitor_decay * ratio / self.inhibitor_production)
        return ActivatorInhibitor(activator, activator * ratio)

    def step(
        self, state: ActivatorInhibitor, observation: Float[Array, " features"], guide: Guide = nothing
    ) -> ActivatorInhibitor:
        """Advance one environment step under an observation."""
        a, h = state
        reaction = self.activator_production * a**2 / (jnp.abs(h) + self.epsilon)
        activator_rate = (
            self.activator_diffusion * couple(self.coupling, a, h)
            + reaction
            - self.activator_decay * a
            + guide(a, read=True)
            + self.drive * drive(observation, a.shape[1])
        )
        inhibitor_rate = (
            self.inhibitor_diffusion * couple(self.coupling, h, a)
            + self.inhibitor_production * a**2
            - self.inhibitor_decay * h
            + guide(h)
        )
        rates = ActivatorInhibitor(activator_rate, inhibitor_rate)
        gates = {"none": lambda rates: rates, "rows": lambda rates: gate(emphasise(self.emphasis, observation), rates)}
        rates = choose(self.gate, gates, rates)
        return jax.tree.map(lambda u, rate: self.bounded(u + self.dt * rate), state, rates)

    def read(self, state: ActivatorInhibitor, observation: Float[Array, " features"]) -> Float[Array, " actions"]:
        """The readout o_k = Σ_i w_i(x)·a_ik, or with (a − h)_ik for `difference`."""
        sources = {"activator": lambda: state.activator, "difference": lambda: state.activator - state.inhibitor}
        return emphasise(self.emphasis, observation) @ choose(self.readout, sources)

    def exchange(self, states: ActivatorInhibitor, weights: Float[Array, " envs"] | None = None) -> ActivatorInhibitor:
        """Let the states of parallel environments, stacked on a third axis, move towards their mean: u + p·(ū − u)."""

        def towards(u):
            mean = jnp.mean(u, axis=-1, keepdims=True) if weights is None else (u @ weights)[..., None]
            return u + self.population * (mean - u)

        return jax.tree.map(towards, states)

    @property
    def is_silent(self) -> bool:
        """A state that begins at exactly 0 and is not driven stays there: the scale-matched control."""
        return bool(self.initial == "signed" and self.initial_scale == 0 and self.drive == 0)

    def bounded(self, state: Float[Array, "..."]) -> Float[Array, "..."]:
        """One of the two states within ±`bound`."""
        return jnp.clip(state, -self.bound, self.bound)

    def diagnose(self, states: ActivatorInhibitor) -> Float[Array, ""]:
        """The share of the entries of both states on which the bound acts."""
        return jnp.mean(jnp.stack([jnp.abs(u) >= self.bound for u in states]), dtype=jnp.float32)


def couple(
    coupling: str | Mixed,
    u: Float[Array, "features actions"],
    partner: Float[Array, "features actions"] | None = None,
) -> Float[Array, "features actions"]:
    """Simplified diffusion: the mean over each entry's neighbours minus the entry, C(u) = N(u) − u.

    Neighbours are all entries (`mean`), the previous and the next on a ring through all entries in row-major order
    (`ring`), or left, right, above and below on a periodic lattice (`lattice`). These know u alone. Each conserves the
    mean of u, and its eigenvalues lie in [−2, 0], so that one step is stable for D·dt ≤ 1. With `partner` the one
    neighbour is the same entry of the other state: C(a) = h − a, C(h) = a − h. With equal D it conserves a + h, and
    a − h shrinks by 1 − 2·D·dt in a step; in general by 1 − (D_a + D_h)·dt, stable for D·dt ≤ 1 as well.

    Args:
        u: the state that is coupled.
        partner: the other one, h for a and a for h. The first three readings do without it.

    Raises:
        ValueError: for `partner` without the other state.
    """
    readings = {
        "mean": lambda u, _: jnp.mean(u) - u,
        "ring": lambda u, _: _couple_ring(u),
        "lattice": lambda u, _: _couple_lattice(u),
        "partner": _couple_partner,
    }
    return choose(coupling, readings, u, partner)


def _couple_ring(u):
    ring = u.reshape(-1)
    return ((jnp.roll(ring, 1) + jnp.roll(ring, -1)) / 2 - ring).reshape(u.shape)


def _couple_lattice(u):
    return sum(jnp.roll(u, shift, axis) for shift in (1, -1) for axis in (0, 1)) / 4 - u


def _couple_partner(u, partner):
    if partner is None:
        raise ValueError("The coupling 'partner' needs the other state.")
    return partner - u


def gate(weights: Float[Array, " features"], rates: ActivatorInhibitor) -> ActivatorInhibitor:
    """The rates of both states where each row advances by its share of a step, g_i = |w_i|/max_j |w_j|.

    The largest share is 1. All are where every weight is 0.

    Args:
        weights: w(x), from `emphasise`.
        rates: changes per environment step.

    Source: the post's "State Influence", read as a rule of the update.
    """
    size = jnp.abs(weights)
    largest = jnp.max(size)
    share = jnp.where(largest > 0, size / jnp.where(largest > 0, largest, 1.0), 1.0)
    return jax.tree.map(lambda rate: share[:, None] * rate, rates)


def emphasise(emphasis: str | Mixed, observation: Float[Array, " features"]) -> Float[Array, " features"]:
    """The weights w(x) of the rows: the observation decides which part of the state matters (the post's "State
    Influence")."""
    weights = {
        "linear": lambda x: x,
        "softmax": lambda x: jax.nn.softmax(jnp.abs(x)),
        "winner": lambda x: jax.nn.one_hot(jnp.argmax(jnp.abs(x)), x.size),
    }
    return choose(emphasis, weights, observation)


def drive(observation: Float[Array, " features"], num_actions: int) -> Float[Array, "features actions"]:
    """The observation as a source of the activator, x_i·c_k with c spread evenly from 1 to −1 over the actions.

    A source equal for all actions would cancel in the softmax over logits; this one tells them apart.
    """
    return jnp.outer(observation, jnp.linspace(1.0, -1.0, num_actions))
