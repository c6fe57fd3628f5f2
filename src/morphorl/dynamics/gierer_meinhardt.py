"""The field as the cell: a Gierer-Meinhardt line for every observation feature and action, read by a place code."""

import dataclasses
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.choices import choose
from morphorl.config.errors import SettingError
from morphorl.config.fields import POSITIVE, Allowed, check, setting
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardt, Grid, basis
from morphorl.dynamics.pde.linear_theory import steady_state
from morphorl.dynamics.reaction_diffusion import Cell

EVEN = Allowed("an even whole number of at least 4", lambda n: isinstance(n, int) and n >= 4 and n % 2 == 0)
NEEDED = ("activator_production", "inhibitor_production", "activator_decay", "inhibitor_decay")
"""Rates without which an equation has no positive steady state to start from."""
USED = 0.75
"""The share of a line that the place code uses: the line is periodic, and its two ends must not be neighbours."""


class FieldCell(eqx.Module):
    """The lines that take the matrix cell's place where `cell.kind` is "field", and how an observation meets them.

    Guidance and drive keep their unit, per environment step: the equation, whose rates are per unit of time, gets
    γ = strength/`time`. With ten units of time to a step and the preset `spots`, productions and decays per
    environment step are those of the matrix cell (μ_a .1, μ_h .2), and patterns end at a strength of .033.
    """

    equation: GiererMeinhardt = dataclasses.field(default_factory=GiererMeinhardt)
    """Rates and diffusivities; the default is the preset `spots`."""
    sites: int = setting(64, EVEN, static=True)
    """Sites of a line."""
    length: float = setting(32.0, POSITIVE, static=True)
    """Extent of a line, in units of length. The spots' wavelength is 8.8."""
    time: float = setting(10.0, POSITIVE)
    """Units of time that an environment step lasts (times `cell.dt`)."""
    scale: float = setting(1.0, POSITIVE)
    """The size at which an observation feature counts as large: its place is that of tanh(x/scale)."""

    def __check_init__(self) -> None:
        check(self, "field")
        for name in NEEDED:
            value = getattr(self.equation, name)
            if isinstance(value, int | float) and value == 0:
                raise SettingError(f"field.equation.{name} = 0: must be above 0, or there is no state to start from.")


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


def propagator(field: FieldCell, dt: float | Float[Array, ""]) -> Propagator:
    """The matrices of one environment step of length `dt`, Δ = dt·time, with L = D∇² − μ exactly, wave by wave.

    Computed once a run. With dt = 0 nothing will change, to the last bit.
    """
    waves = jnp.asarray(basis(field.sites), float)
    square = Grid(1, field.sites, field.length).wavenumbers() ** 2
    equation, half = field.equation, field.sites // 2

    def matrices(diffusion, decay) -> Float[Array, "2 half sites"]:
        rate = diffusion * square + decay  # above 0, since decay is
        change = jnp.expm1(-rate * field.time * dt)
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


def init(field: FieldCell, scale: float | Float[Array, ""], key: PRNGKeyArray, features: int, actions: int) -> Lines:
    """Draw lines around the equation's positive steady state: u*·(1 + scale·n), n standard normal at each site.

    The steady state is that without the agent's guidance, so that a pattern does not depend on γ.
    """
    noise = jax.random.normal(key, (2, field.sites, features, actions))
    return Lines(*(u * (1 + scale * n) for u, n in zip(steady_state(field.equation), noise, strict=True)))


def step(
    field: FieldCell,
    cell: Cell,
    guidance: Guidance,
    propagator: Propagator,
    lines: Lines,
    observation: Float[Array, "features envs"],
) -> tuple[Lines, Float[Array, "actions envs"]]:
    """Advance the lines of parallel environments by one step under their observations; return them and the readouts.

        u ← e^{LΔ} u + ∫₀^Δ e^{Ls} ds · (N(u) + source)

    with N the reaction under guidance: exponential time differencing of first order, exact but for N, which is held
    over the step. With `spots` and ten units of time that is within a tenth of the exact pattern. The source feeds the
    activator with κ·x_i·c_k per environment step (`cell.drive`, as in the matrix cell), at the place of x_i alone.

    Source: Cox & Matthews (2002), Journal of Computational Physics 176, 430, equation 4.
    """
    where = place(field, observation)
    made_a, made_h = guided(field, guidance).reaction(jnp.stack(lines))
    signs = jnp.linspace(1.0, -1.0, lines.activator.shape[2])  # c_k
    fed = cell.drive / field.time * (observation[None] * at(field, where))[:, :, None] * signs[None, None, :, None]
    lines = Lines(
        propagate(propagator.activator, lines.activator, made_a + fed),
        propagate(propagator.inhibitor, lines.inhibitor, made_h),
    )
    return lines, read(cell, propagator.rest, where, lines)


def guided(field: FieldCell, guidance: Guidance) -> GiererMeinhardt:
    """The equation under the agent's blind guidance of both fields, γ = strength/time, added to its own."""
    if guidance.kind == "none":
        return field.equation
    added = guidance.strength / field.time

    def both(equation: GiererMeinhardt):
        return [equation.activator_guidance, equation.inhibitor_guidance]

    return eqx.tree_at(both, field.equation, [own + added for own in both(field.equation)])


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


def place(field: FieldCell, observation: Float[Array, "features envs"]) -> Float[Array, "features envs"]:
    """The place code: where on its line a feature is, (1 + USED·tanh(x/scale))/2 of its length, counted in sites."""
    return field.sites * (1 + USED * jnp.tanh(observation / field.scale)) / 2


def at(field: FieldCell, where: Float[Array, "features envs"]) -> Float[Array, "sites features envs"]:
    """A unit of source at a place, shared by the two sites beside it as linear interpolation does."""
    return jnp.maximum(1 - jnp.abs(jnp.arange(field.sites, dtype=where.dtype)[:, None, None] - where[None]), 0.0)


def read(
    cell: Cell, rest: Float[Array, "2"], where: Float[Array, "features envs"], lines: Lines
) -> Float[Array, "actions envs"]:
    """The readout: for each action, how far its lines are from rest at the places of the features.

        o_k = Σ_i ( u_ik(place of x_i) − u* ),  u = a, or a − h for `difference`

    between two sites by linear interpolation. Fields are positive everywhere: without u* a readout would be a large
    constant with a little pattern on it. The constant, like the rise that guidance gives to all lines alike, cancels in
    the softmax over actions; taking it off makes readouts signed, and a field at rest says nothing.
    """
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
    return choose(cell.readout, sources)


def floored(field: FieldCell, lines: Lines) -> Float[Array, ""]:
    """The share of lines in which the reaction divides somewhere not by h but by the equation's floor."""
    return jnp.mean(jnp.min(lines.inhibitor, axis=0) < field.equation.floor, dtype=jnp.float32)
