"""Lines of the Gierer-Meinhardt equation, one for every observation feature and action, read by a place code."""

import dataclasses
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.choices import Mixed, choice, choose
from morphorl.config.errors import SettingError
from morphorl.config.fields import FINITE, MOST_UNITS, NOT_NEGATIVE, POSITIVE, UNITS, Allowed, setting
from morphorl.dynamics.base import Dynamics, Given, Guide, Shape
from morphorl.dynamics.guidance.base import nothing
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardtEquation, Grid, basis
from morphorl.dynamics.pde.linear_theory import steady_state

EVEN = Allowed(f"an even whole number from 4 to {MOST_UNITS:,}", lambda n: UNITS.holds(n) and n >= 4 and n % 2 == 0)
NEEDED = ("activator_production", "inhibitor_production", "activator_decay", "inhibitor_decay")
"""Rates without which an equation has no positive steady state to start from."""
USED = 0.75
"""The share of a line that the place code uses: the line is periodic, and its two ends must not be neighbours."""


class Lines(NamedTuple):
    """Activator a and inhibitor h of all lines, dimensionless; parallel environments add an axis."""

    activator: Float[Array, "sites features actions *envs"]
    inhibitor: Float[Array, "sites features actions *envs"]


class Propagator(NamedTuple):
    """What never changes in a run: a step's diffusion and decay for each of the two fields, and the state at rest.

    Shift by half a line changes nothing in the equation, so that the sum and the difference of the line's two halves
    evolve apart: two matrices of half the size (the first axis), each for a sum or difference, on which
    [e^{LΔ} − 1, ∫₀^Δ e^{Ls} ds] stand side by side.
    """

    activator: Float[Array, "2 half sites"]
    inhibitor: Float[Array, "2 half sites"]
    rest: Float[Array, "2"]
    """The uniform steady state (a*, h*) without the agent's guidance."""


class GiererMeinhardt(Dynamics):
    """Lines of the real equation, and how an observation meets them.

        u ← e^{LΔ} u + ∫₀^Δ e^{Ls} ds · (N(u) + guide(u) + source),   L = D∇² − μ,   Δ = dt·time

    with N the reaction: exponential time differencing of first order, exact but for N, which is held over the step.
    With `spots` and ten units of time that is within a tenth of the exact pattern. The source feeds the activator with
    κ·x_i·c_k per environment step, at the place of x_i alone, c spread evenly from 1 to −1 over the actions. The
    readout says for each action how far its lines are from rest at the places of the features:

        o_k = Σ_i ( u_ik(place of x_i) − u* ),  u = a, or a − h for `difference`

    between two sites by linear interpolation. Fields are positive everywhere: without u* a readout would be a large
    constant with a little pattern on it. The constant, like the rise that guidance gives to all lines alike, cancels in
    the softmax over actions; taking it off makes readouts signed, and a field at rest says nothing.

    Guidance and drive keep their unit, per environment step: the equation, whose rates are per unit of time, gets
    γ = strength/`time`. With ten units of time to a step and the preset `spots`, productions and decays per
    environment step are those of `reaction_diffusion` (μ_a .1, μ_h .2), and patterns end at a strength of .033.

    Source: the post's primer for the equation; Cox & Matthews (2002), Journal of Computational Physics 176, 430,
    equation 4, for the step.
    """

    equation: GiererMeinhardtEquation = dataclasses.field(default_factory=GiererMeinhardtEquation)
    """Rates and diffusivities; the default is the preset `spots`."""
    sites: int = setting(64, EVEN, static=True)
    """Sites of a line."""
    length: float = setting(32.0, POSITIVE, static=True)
    """Extent of a line, in units of length. The spots' wavelength is 8.8."""
    time: float = setting(10.0, POSITIVE, learned="fixed")
    """Units of time that an environment step lasts (times `dt`)."""
    scale: float = setting(1.0, POSITIVE)
    """The size at which an observation feature counts as large: its place is that of tanh(x/scale)."""
    drive: float = setting(0.0, FINITE)
    """κ: how strongly the observation feeds the activator, per environment step (0: off)."""
    dt: float = setting(1.0, NOT_NEGATIVE, learned="fixed")
    """Length of one step, in environment steps. With 0 the pattern stays as it was drawn."""
    initial_scale: float = setting(0.1, POSITIVE, learned="fixed")
    """Standard deviation of the initial noise, relative to the steady state."""
    readout: Literal["activator", "difference"] = choice("activator", "activator", "difference")
    """What is read out: a, or a − h."""

    def __check_init__(self) -> None:
        for name in NEEDED:
            value = getattr(self.equation, name)
            if isinstance(value, int | float) and value == 0:
                raise SettingError(
                    f"dynamics.equation.{name} = 0: must be above 0, or there is no state to start from."
                )

    def init(self, key: PRNGKeyArray, shape: Shape) -> Lines:
        """Draw lines around the equation's positive steady state: u*·(1 + s·n), n standard normal at each site.

        The steady state is that without the agent's guidance, so that a pattern does not depend on γ.
        """
        noise = jax.random.normal(key, (2, self.sites, *shape))
        return Lines(
            *(u * (1 + self.initial_scale * n) for u, n in zip(steady_state(self.equation), noise, strict=True))
        )

    def constants(self, key: PRNGKeyArray, shape: Shape) -> Propagator:
        """The matrices of one environment step, Δ = dt·time, with L = D∇² − μ exactly, wave by wave.

        With dt = 0 nothing will change, to the last bit.
        """
        waves = jnp.asarray(basis(self.sites), float)
        square = Grid(1, self.sites, self.length).wavenumbers() ** 2
        equation, half = self.equation, self.sites // 2

        def matrices(diffusion, decay) -> Float[Array, "2 half sites"]:
            rate = diffusion * square + decay  # above 0, since decay is
            change = jnp.expm1(-rate * self.time * self.dt)
            factors = jnp.stack([change, -change / rate])
            # A line's first half suffices: the second is its shift.
            rows = jnp.matmul(waves.T[:half], factors[..., None] * waves[None], precision=jax.lax.Precision.HIGHEST)
            near, far = rows[:, :, :half], rows[:, :, half:]
            return jnp.stack([jnp.concatenate([*part], axis=1) for part in (near + far, near - far)]) / 2

        return Propagator(
            activator=matrices(equation.activator_diffusion, equation.activator_decay),
            inhibitor=matrices(equation.inhibitor_diffusion, equation.inhibitor_decay),
            rest=steady_state(equation),
        )

    def step(
        self, state: Lines, observation: Float[Array, " features"], guide: Guide = nothing, *, constants: Propagator
    ) -> Lines:
        """Advance the lines of one environment by one step."""
        terms = Lines(*(guide(u)[..., None] for u in state))
        moved = self._move(_parallel(state), observation[:, None], terms, constants)
        return jax.tree.map(lambda u: u[..., 0], moved)

    def read(
        self, state: Lines, observation: Float[Array, " features"], *, constants: Propagator
    ) -> Float[Array, " actions"]:
        """The readout of the lines of one environment."""
        return self._read(_parallel(state), observation[:, None], constants)[:, 0]

    def advance(
        self, states: Lines, observations: Float[Array, "features envs"], given: Given
    ) -> tuple[Lines, Float[Array, "actions envs"]]:
        """All environments at once: one product of matrices for all of their lines."""
        guide = jax.vmap(given.guidance, in_axes=-1, out_axes=-1)
        terms = Lines(*(guide(u, given.signal) for u in states))
        states = self._move(states, observations, terms, given.constants)
        return states, self._read(states, observations, given.constants)

    def picture(self, state: Lines) -> dict[str, Float[Array, "rows columns"]]:
        """The activator: a row for each feature and action, a column for every two sites, their mean."""
        pairs = state.activator.reshape(-1, 2, state.activator[0].size)
        return {"field": pairs.mean(1).T}

    def diagnose(self, states: Lines) -> Float[Array, ""]:
        """The share of lines in which the reaction divides somewhere not by h but by the equation's floor."""
        return jnp.mean(jnp.min(states.inhibitor, axis=0) < self.equation.floor, dtype=jnp.float32)

    def _move(
        self, lines: Lines, observations: Float[Array, "features envs"], terms: Lines, propagator: Propagator
    ) -> Lines:
        made_a, made_h = self.equation.reaction(jnp.stack(lines))
        signs = jnp.linspace(1.0, -1.0, lines.activator.shape[2])  # c_k
        where = place(self, observations)
        source = (observations[None] * at(self, where))[:, :, None]
        fed = self.drive / self.time * source * signs[None, None, :, None]
        return Lines(
            propagate(propagator.activator, lines.activator, made_a + terms.activator / self.time + fed),
            propagate(propagator.inhibitor, lines.inhibitor, made_h + terms.inhibitor / self.time),
        )

    def _read(
        self, lines: Lines, observations: Float[Array, "features envs"], propagator: Propagator
    ) -> Float[Array, "actions envs"]:
        return read(self.readout, propagator.rest, place(self, observations), lines)


def _parallel(state: Lines) -> Lines:
    """The lines of one environment as those of one parallel environment."""
    return jax.tree.map(lambda u: u[..., None], state)


def propagate(
    matrices: Float[Array, "2 half sites"],
    u: Float[Array, "sites features actions envs"],
    made: Float[Array, "sites features actions envs"],
) -> Float[Array, "sites features actions envs"]:
    """u + (e^{LΔ} − 1) u + ∫₀^Δ e^{Ls} ds · made, by the sums and differences of half-lines (`Propagator`)."""
    half = len(u) // 2

    def fold(v):
        one, other = v[:half].reshape(half, -1), v[half:].reshape(half, -1)
        return jnp.stack([one + other, one - other])

    together = jnp.concatenate([fold(u), fold(made)], axis=1)
    sums, differences = jnp.matmul(matrices, together, precision=jax.lax.Precision.HIGHEST)
    return u + jnp.concatenate([sums + differences, sums - differences]).reshape(u.shape)


def place(system: GiererMeinhardt, observation: Float[Array, "features envs"]) -> Float[Array, "features envs"]:
    """The place code: where on its line a feature is, (1 + USED·tanh(x/scale))/2 of its length, counted in sites."""
    return system.sites * (1 + USED * jnp.tanh(observation / system.scale)) / 2


def at(system: GiererMeinhardt, where: Float[Array, "features envs"]) -> Float[Array, "sites features envs"]:
    """A unit of source at a place, shared by the two sites beside it as linear interpolation does."""
    return jnp.maximum(1 - jnp.abs(jnp.arange(system.sites, dtype=where.dtype)[:, None, None] - where[None]), 0.0)


def read(
    readout: str | Mixed, rest: Float[Array, "2"], where: Float[Array, "features envs"], lines: Lines
) -> Float[Array, "actions envs"]:
    """The readout: for each action, how far its lines are from rest at the places of the features."""
    below = jnp.floor(where)
    share, site = where - below, below.astype(int)

    def value(u: Float[Array, "sites features actions envs"], site) -> Float[Array, "features actions envs"]:
        return jnp.take_along_axis(u, site[None, :, None, :], axis=0, mode="clip")[0]

    def between(u, rest) -> Float[Array, "actions envs"]:
        u = (1 - share)[:, None] * value(u, site) + share[:, None] * value(u, site + 1)
        return (u - rest).sum(0)

    sources = {
        "activator": lambda: between(lines.activator, rest[0]),
        "difference": lambda: between(lines.activator, rest[0]) - between(lines.inhibitor, rest[1]),
    }
    return choose(readout, sources)
