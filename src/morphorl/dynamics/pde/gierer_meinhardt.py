"""The Gierer-Meinhardt field: the post's guided equation on a periodic grid, and its exact-in-diffusion solver."""

from functools import cache, partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.config.errors import SettingError
from morphorl.config.fields import FINITE, NOT_NEGATIVE, POSITIVE, UNITS, Allowed, setting
from morphorl.config.fields import check as check_settings

DIMENSIONS = Allowed("1 or 2", lambda value: isinstance(value, int) and value in (1, 2))
SCHEMES = {1: "ETDRK1", 2: "ETDRK2", 3: "ETDRK3", 4: "ETDRK4"}
"""exponax's exponential Runge-Kutta schemes, by their order."""


class GiererMeinhardtEquation(eqx.Module):
    """The guided, saturated Gierer-Meinhardt equation of an activator a and an inhibitor h, both dimensionless.

        ∂a/∂t = D_a ∇²a + ρ_a a² / ((1 + κ a²) h) − μ_a a + γ_a sign(a)
        ∂h/∂t = D_h ∇²h + ρ_h a²                  − μ_h h + γ_h sign(h)

    Every parameter is an array leaf: `vmap` sweeps it, `grad` differentiates by it. Times and lengths are in units of
    the model (one environment step is one unit of time where the field is a cell).

    Source: the post's primer for the equation and the term γ·sign; Koch & Meinhardt (1994), Reviews of Modern Physics
    66, 1481, for the saturation κ. The defaults are their spots.
    """

    activator_diffusion: float = setting(0.005, NOT_NEGATIVE)
    """D_a, length²/time."""
    inhibitor_diffusion: float = setting(0.2, NOT_NEGATIVE)
    """D_h, length²/time ("often D_h > D_a for stable patterns")."""
    activator_production: float = setting(0.01, NOT_NEGATIVE)
    """ρ_a: autocatalysis of the activator, 1/time."""
    inhibitor_production: float = setting(0.02, NOT_NEGATIVE)
    """ρ_h: production of the inhibitor by the activator, 1/time."""
    activator_decay: float = setting(0.01, NOT_NEGATIVE)
    """μ_a, 1/time."""
    inhibitor_decay: float = setting(0.02, NOT_NEGATIVE)
    """μ_h, 1/time."""
    saturation: float = setting(0.0, NOT_NEGATIVE)
    """κ: limits the autocatalysis at large a, dimensionless; enough of it turns spots into stripes."""
    activator_guidance: float = setting(0.0, FINITE)
    """γ_a, the post's γ on the activator, 1/time."""
    inhibitor_guidance: float = setting(0.0, FINITE)
    """γ_h, the post's γ on the inhibitor, 1/time."""
    floor: float = setting(1e-3, POSITIVE)
    """The autocatalysis divides by max(h, floor), dimensionless; `Watch.floored` tells how often that changed it."""

    def __check_init__(self) -> None:
        check_settings(self, "equation")

    def reaction(self, field: Float[Array, "2 *grid"]) -> Float[Array, "2 *grid"]:
        """Production and guidance of both fields, 1/time: everything but diffusion and decay, which are linear.

        sign(0) is 0, but a site at exactly 0 does not stay there: rounding decides its sign after one step.
        """
        a, h = field
        square = a**2
        production = self.activator_production * square / ((1 + self.saturation * square) * jnp.maximum(h, self.floor))
        return jnp.stack(
            [
                production + self.activator_guidance * jnp.sign(a),
                self.inhibitor_production * square + self.inhibitor_guidance * jnp.sign(h),
            ]
        )


PRESETS: dict[str, GiererMeinhardtEquation] = {
    "spots": GiererMeinhardtEquation(),
    "stripes": GiererMeinhardtEquation(saturation=0.25),
}
"""Parameters of Koch & Meinhardt (1994) for the activator-inhibitor model: spots, and stripes by saturation."""


class Grid(eqx.Module):
    """A periodic line or square of equally spaced sites; every property of it is static.

    Fields are expanded in waves by dense matrices of size × size: meant for up to about a thousand sites a side.
    """

    dims: int = setting(2, DIMENSIONS, static=True)
    """Dimensions of space, 1 or 2."""
    size: int = setting(128, UNITS, static=True)
    """Sites in each direction."""
    length: float = setting(64.0, POSITIVE, static=True)
    """Extent in each direction, in units of length."""

    def __check_init__(self) -> None:
        check_settings(self, "grid")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one field on this grid."""
        return (self.size,) * self.dims

    def to_waves(self, field: Float[Array, "2 *grid"]) -> Float[Array, "2 *grid"]:
        """Coefficients of both fields in the grid's orthonormal cosines and sines (`basis`)."""
        return self._transform(field, basis(self.size).T)

    def to_space(self, waves: Float[Array, "2 *grid"]) -> Float[Array, "2 *grid"]:
        """The inverse of `to_waves`."""
        return self._transform(waves, basis(self.size))

    def wavenumbers(self) -> Float[Array, "*grid"]:
        """|k| of each coefficient, 1/length."""
        modes = 2 * np.pi / self.length * ((np.arange(self.size) + 1) // 2)
        return jnp.asarray(np.sqrt(sum(axis**2 for axis in np.meshgrid(*[modes] * self.dims))))

    def _transform(self, values: Float[Array, "2 *grid"], matrix: np.ndarray) -> Float[Array, "2 *grid"]:
        # Products with a matrix and not FFTs: on grids of this size they take as long, and XLA's FFT may wait for
        # itself for ever where several run at once, as under `shard_map` on a CPU (seen in jaxlib 0.11.2).
        product = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
        basis = jnp.asarray(matrix, values.dtype)
        values = product(values, basis)
        return values if self.dims == 1 else product(basis.T, values)


class Reaction(eqx.Module):
    """The equation's nonlinear part as the schemes want it: from coefficients of waves to coefficients of waves."""

    equation: GiererMeinhardtEquation
    grid: Grid

    def __call__(self, waves: Float[Array, "2 *grid"]) -> Float[Array, "2 *grid"]:
        """Evaluate the reaction on the sites, and transform it."""
        return self.grid.to_waves(self.equation.reaction(self.grid.to_space(waves)))


class Solver(eqx.Module):
    """A scheme with its coefficients for one equation, one grid and one time step; make it with `solver`."""

    reaction: Reaction
    scheme: Any
    """One of exponax's `SCHEMES`."""


class Watch(NamedTuple):
    """What went on while a field advanced."""

    floored: Int[Array, ""]
    """How often the floor on h acted: sites × steps at whose beginning h was below it."""
    negative: Int[Array, ""]
    """How often a or h was below 0, which an exact solution that starts above 0 is not (for γ ≥ 0): sites × steps."""
    finite_steps: Int[Array, ""]
    """Steps until the field held a value that is not finite; the number of steps if it never did."""


def solver(equation: GiererMeinhardtEquation, grid: Grid, dt: float | Float[Array, ""], order: int = 4) -> Solver:
    """Exponential time differencing with step `dt`: diffusion and decay exactly, the reaction by Runge-Kutta.

    Each wave's coefficient u_k in a field obeys ∂u_k/∂t = −(D k² + μ) u_k + N_k(u), whose linear part is integrated
    exactly, so that diffusion does not limit the step. The coefficients are computed here, inside `jit` where this is
    called there: diffusivities and decays may be traced.

    exponax's schemes are used directly and not through its `BaseStepper`, which keeps the grid among the array leaves,
    where `jit` and `vmap` cannot leave it, and transforms by FFT (see `Grid`).

    Args:
        dt: time step, in units of time.
        order: of the scheme, 1 to 4. It evaluates the reaction as many times per step.

    Raises:
        SettingError: if `dt` is not above 0 or `order` is not 1 to 4.

    Source: Cox & Matthews (2002), Journal of Computational Physics 176, 430; coefficients by contour integrals as in
    Kassam & Trefethen (2005), SIAM Journal on Scientific Computing 26, 1214.
    """
    if order not in SCHEMES:
        raise SettingError(f"order = {order}: must be one of 1, 2, 3, 4.")
    if not isinstance(dt, jax.Array) and not POSITIVE.holds(dt):
        raise SettingError(f"dt = {dt}: must be {POSITIVE.words}.")
    import exponax  # which takes seconds that the field as a cell, and planning, can do without

    # A wavenumber's cosine and sine have the same coefficients. To compute them takes as long as several steps: once.
    _, first, shared = np.unique((np.arange(grid.size) + 1) // 2, return_index=True, return_inverse=True)
    laplacian = -(grid.wavenumbers()[np.ix_(*[first] * grid.dims)] ** 2)
    linear = jnp.stack(
        [
            equation.activator_diffusion * laplacian - equation.activator_decay,
            equation.inhibitor_diffusion * laplacian - equation.inhibitor_decay,
        ]
    )
    scheme = getattr(exponax.etdrk, SCHEMES[order])(dt, linear, Reaction(equation, grid))
    everywhere = (slice(None), *np.ix_(*[shared] * grid.dims))
    spread = jax.tree.map(lambda leaf: leaf[everywhere] if jnp.shape(leaf) == linear.shape else leaf, scheme)
    return Solver(Reaction(equation, grid), spread)


def advance(solver: Solver, field: Float[Array, "2 *grid"], steps: int) -> tuple[Float[Array, "2 *grid"], Watch]:
    """Take `steps` time steps (a static number, so that reverse differentiation works); 0 leaves the field as it is."""
    grid, floor = solver.reaction.grid, solver.reaction.equation.floor

    def step(carry: tuple[Float[Array, "2 *grid"], Watch], _: None):
        waves, watch = carry
        # The scheme's first stage computes the same field; the compiler merges the two.
        field = grid.to_space(waves)
        return (solver.scheme.step_fourier(waves), _update(watch, field, floor)), None

    nothing = jnp.zeros((), jnp.int32)
    start = grid.to_waves(field), Watch(nothing, nothing, nothing)
    (waves, watch), _ = jax.lax.scan(step, start, length=steps)
    end = grid.to_space(waves) if steps else field
    # Each step checked the field before it: the last field is still to be checked, and the first was no step.
    finite = jnp.maximum(watch.finite_steps + jnp.isfinite(end).all() - 1, 0) if steps else nothing
    return end, watch._replace(finite_steps=finite)


@partial(jax.jit, static_argnames=("steps", "order"))
def simulate(
    equation: GiererMeinhardtEquation,
    grid: Grid,
    field: Float[Array, "2 *grid"],
    dt: float | Float[Array, ""],
    steps: int,
    order: int = 4,
) -> tuple[Float[Array, "2 *grid"], Watch]:
    """`solver` and `advance` in one compiled program, for one field; `vmap` over `equation` and `field` for many.

    Example:
        >>> equation, grid = PRESETS["spots"], Grid(dims=1, size=64, length=32.0)
        >>> start = perturbed(steady_state(equation), grid, jax.random.key(0))
        >>> field, watch = simulate(equation, grid, start, dt=2.0, steps=1000)
    """
    return advance(solver(equation, grid, dt, order), field, steps)


def perturbed(
    uniform: Float[Array, "2"], grid: Grid, key: PRNGKeyArray, scale: float = 0.01
) -> Float[Array, "2 *grid"]:
    """A uniform state under noise, u*·(1 + scale·n), with n standard normal at each site of each field."""
    noise = jax.random.normal(key, (2, *grid.shape), uniform.dtype)
    return uniform.reshape(2, *(1,) * grid.dims) * (1 + scale * noise)


def resample(field: Float[Array, "fields *grid"], size: int) -> Float[Array, "fields *resampled"]:
    """The same waves on another grid of the same extent: the trigonometric polynomial through the sites of `field`.

        u(x) = Σ_j ⟨w_j, u⟩/⟨w_j, w_j⟩ · w_j(x),  w_j the cosines and sines that both grids hold (`basis`)

    A finer grid gets what lies between the sites; a coarser one loses the waves that are too short for it. So a start
    and an end may be given on any grid, and the equation be solved on the coarsest that is accurate enough: the error
    in space falls faster than any power of the distance between sites, as long as the field is smooth.

    Args:
        field: values on a periodic line or square of equally many sites in each direction, dimensionless.
        size: sites of the new grid in each direction.

    Raises:
        SettingError: if `size` is not a whole number of at least 1.

    Source: Trefethen, Spectral Methods in MATLAB (2000), chapter 3.
    """
    if not UNITS.holds(size):
        raise SettingError(f"size = {size}: must be {UNITS.words}.")
    old, product = field.shape[-1], partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
    shared = min(old, size)
    amplitudes = basis(old)[:shared] / np.linalg.norm(_waves(old), axis=1, keepdims=True)[:shared]
    matrix = jnp.asarray(_waves(size)[:shared].T @ amplitudes, field.dtype)
    field = product(field, matrix.T)
    return field if field.ndim == 2 else product(matrix, field)


@cache
def basis(size: int) -> np.ndarray:
    """The periodic line's orthonormal waves, a row each: a constant, then cosine and sine of each wavenumber.

    Diffusion and decay are even in space, so that they act on cosine and sine alike, and all coefficients stay real.
    The last row of an even size alternates in sign.
    """
    rows = _waves(size)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _waves(size: int) -> np.ndarray:
    """The rows of `basis` with an amplitude of 1."""
    waves = (np.arange(size) + 1) // 2
    phase = 2 * np.pi * np.outer(waves, np.arange(size)) / size
    rows = np.where((np.arange(size) % 2 == 1)[:, None], np.cos(phase), np.sin(phase))
    rows[0] = 1.0
    return rows


def _update(watch: Watch, field: Float[Array, "2 *grid"], floor: float | Float[Array, ""]) -> Watch:
    finite: Bool[Array, ""] = jnp.isfinite(field).all()
    return Watch(
        floored=watch.floored + (field[1] < floor).sum(dtype=jnp.int32),
        negative=watch.negative + (field < 0).sum(dtype=jnp.int32),
        finite_steps=watch.finite_steps + finite,
    )
