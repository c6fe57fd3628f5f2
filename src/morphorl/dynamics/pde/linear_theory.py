"""Linear theory of the Gierer-Meinhardt field: its steady state, who grows how fast, and when guidance ends it all.

Everything is differentiable and may be vmapped over the equation's parameters.

Source of the method: Murray, Mathematical Biology II (2003), chapter 2. Guidance and saturation enter through the
steady state and the Jacobian; that algebra is our own, and tests check it against automatic differentiation.
"""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from morphorl.config.errors import SettingError
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardtEquation, Grid

Guided = Literal["both", "activator", "inhibitor"]
Scalar = float | Float[Array, ""]
SAMPLES = 400
"""Points in which a bracket is sampled for its changes of sign."""
BISECTIONS = 50


def guided(equation: GiererMeinhardtEquation, strength: Scalar, on: Guided = "both") -> GiererMeinhardtEquation:
    """The same equation under guidance γ = `strength` of both fields or of one, the other one's unchanged."""
    strength = strength if isinstance(strength, float | int) else jnp.asarray(strength)

    def chosen(equation: GiererMeinhardtEquation):
        both = {"activator": equation.activator_guidance, "inhibitor": equation.inhibitor_guidance}
        return [value for name, value in both.items() if on in ("both", name)]

    return eqx.tree_at(chosen, equation, replace_fn=lambda _: strength)


def steady_state(equation: GiererMeinhardtEquation) -> Float[Array, "2"]:
    """The uniform steady state (a*, h*) with a*, h* > 0, guidance included; NaN where there is none.

    Positive fields feel guidance as a constant source, so that h = (ρ_h a² + γ_h)/μ_h, and a* is the largest root of

        F(a) = (μ_a a − γ_a)(1 + κ a²)(ρ_h a² + γ_h) − ρ_a μ_h a²  with  ρ_h a² + γ_h > 0.

    For γ = κ = 0 that is a* = μ_h ρ_a/(μ_a ρ_h), h* = μ_h ρ_a²/(μ_a² ρ_h). The floor on h plays no part.

    Raises:
        SettingError: if a production or a decay is 0, which leaves no such state.
    """
    for name in ("activator_production", "inhibitor_production", "activator_decay", "inhibitor_decay"):
        value = getattr(equation, name)
        if isinstance(value, int | float) and value == 0:
            raise SettingError(f"equation.{name} = 0: must be above 0, or there is no positive steady state.")

    def excess(a: Float[Array, "*n"]) -> Float[Array, "*n"]:
        """F(a), divided by ρ_a μ_h a² and so of order 1."""
        made = equation.inhibitor_production * a**2 + equation.inhibitor_guidance
        lost = (equation.activator_decay * a - equation.activator_guidance) * (1 + equation.saturation * a**2)
        return lost * made / (equation.activator_production * equation.inhibitor_decay * a**2) - 1

    # Below `least`, h is negative. Above `most`, decay wins: there ρ_h a² > 2|γ_h|, and production is less than twice
    # what it is without guidance.
    least = jnp.sqrt(jnp.maximum(-equation.inhibitor_guidance / equation.inhibitor_production, 0.0))
    largest = equation.activator_production * equation.inhibitor_decay / equation.inhibitor_production
    most = 1.01 * jnp.maximum(
        jnp.sqrt(2 * jnp.abs(equation.inhibitor_guidance) / equation.inhibitor_production),
        (jnp.abs(equation.activator_guidance) + 2 * largest) / equation.activator_decay,
    )
    a = _root(excess, least + (most - least) * jnp.geomspace(1e-6, 1.0, SAMPLES), last=True)
    # One step of Newton's method changes nothing but the derivative by the parameters, which bisection has not.
    slope = jax.grad(lambda a: excess(a))(a)
    a = a - excess(a) / jax.lax.stop_gradient(slope)
    return jnp.stack(
        [a, (equation.inhibitor_production * a**2 + equation.inhibitor_guidance) / equation.inhibitor_decay]
    )


def jacobian(equation: GiererMeinhardtEquation) -> Float[Array, "2 2"]:
    """The reaction's and the decay's derivatives at the steady state, rows (a, h) by columns (a, h), 1/time.

        [[ 2 ρ_a a / ((1 + κa²)² h) − μ_a,  −ρ_a a² / ((1 + κa²) h²) ],
         [ 2 ρ_h a,                         −μ_h                      ]]

    For γ = κ = 0: [[μ_a, −μ_a²/ρ_a], [2 μ_h ρ_a/μ_a, −μ_h]].
    """
    a, h = steady_state(equation)
    held = 1 + equation.saturation * a**2
    to_a = [
        2 * equation.activator_production * a / (held**2 * h) - equation.activator_decay,
        -equation.activator_production * a**2 / (held * h**2),
    ]
    to_h = [2 * equation.inhibitor_production * a, jnp.asarray(-equation.inhibitor_decay, a.dtype)]
    return jnp.stack([jnp.stack(to_a), jnp.stack(to_h)])


def growth_rate(equation: GiererMeinhardtEquation, wavenumber: Float[Array, "*k"] | float) -> Float[Array, "*k"]:
    """Rate at which a small disturbance of wavenumber k grows, 1/time: the larger real part of the λ in

    λ² − τλ + δ = 0,  τ = tr J − (D_a + D_h) k²,  δ = det J − (D_h J_aa + D_a J_hh) k² + D_a D_h k⁴.
    """
    square = jnp.asarray(wavenumber) ** 2
    trace, determinant = _characteristic(equation, square)
    root = trace**2 - 4 * determinant
    real = root > 0
    # A square root has an infinite derivative at 0, which would spoil the gradient of the branch not taken.
    return (trace + jnp.where(real, jnp.sqrt(jnp.where(real, root, 1.0)), 0.0)) / 2


def fastest_mode(equation: GiererMeinhardtEquation) -> Float[Array, ""]:
    """The wavenumber k* ≥ 0 of the fastest growth on an infinite domain, 1/length; the wavelength is 2π/k*.

        k*² = [ (D_a + D_h) √(−J_ah J_ha / (D_a D_h)) − J_aa + J_hh ] / (D_h − D_a)

    if D_h > D_a and this is positive, otherwise 0. Infinite for D_a = 0, where no length is selected.
    """
    j = jacobian(equation)
    slow, fast = jnp.asarray(equation.activator_diffusion, j.dtype), jnp.asarray(equation.inhibitor_diffusion, j.dtype)
    possible = fast > slow
    gap = jnp.where(possible, fast - slow, 1.0)
    product = jnp.where(possible, slow * fast, 1.0)
    square = ((slow + fast) * jnp.sqrt(-j[0, 1] * j[1, 0] / product) - j[0, 0] + j[1, 1]) / gap
    positive = possible & (square > 0)
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, square, 1.0)), jnp.where(jnp.isnan(square), square, 0.0))


def unstable_band(equation: GiererMeinhardtEquation) -> Float[Array, "2"]:
    """Where the pattern forms: the smallest and the largest wavenumber that grow, 1/length; NaN if none does.

    k² = [ b ± √(b² − 4 D_a D_h det J) ] / (2 D_a D_h),  b = D_h J_aa + D_a J_hh
    """
    j = jacobian(equation)
    slow, fast = equation.activator_diffusion, equation.inhibitor_diffusion
    drive = fast * j[0, 0] + slow * j[1, 1]
    root = jnp.sqrt(drive**2 - 4 * slow * fast * jnp.linalg.det(j))
    largest = (drive + root) / (2 * slow * fast)
    # The smaller root by Vieta, since the difference drive − root cancels.
    band = jnp.sqrt(jnp.stack([2 * jnp.linalg.det(j) / (drive + root), largest]))
    return jnp.where(forms_pattern(equation), band, jnp.nan)


def forms_pattern(equation: GiererMeinhardtEquation) -> Bool[Array, ""]:
    """Turing's conditions on an infinite domain: the steady state is stable if uniform, and some wavenumber grows.

        tr J < 0,  det J > 0,  D_h J_aa + D_a J_hh > 2 √(D_a D_h det J)

    For γ = κ = 0 that is μ_h > μ_a and D_h μ_a/(D_a μ_h) > 3 + 2√2. False where there is no steady state.
    """
    return turing_margin(equation) > 0


def turing_margin(equation: GiererMeinhardtEquation) -> Float[Array, ""]:
    """Positive where a pattern forms, negative where not: the smallest excess of the three conditions, scaled.

    min( −tr J/μ_h,  det J/(μ_a μ_h),  (D_h J_aa + D_a J_hh)/(2 √(D_a D_h det J)) − 1 ), and −1 without steady state.
    """
    j = jacobian(equation)
    slow, fast = equation.activator_diffusion, equation.inhibitor_diffusion
    determinant = jnp.linalg.det(j)
    product = jnp.maximum(4 * slow * fast * determinant, jnp.finfo(j.dtype).tiny)
    margins = jnp.stack(
        [
            -jnp.trace(j) / equation.inhibitor_decay,
            determinant / (equation.activator_decay * equation.inhibitor_decay),
            (fast * j[0, 0] + slow * j[1, 1]) / jnp.sqrt(product) - 1,
        ]
    )
    return jnp.where(jnp.isnan(margins).any(), -1.0, margins.min())


def critical_strength(equation: GiererMeinhardtEquation, on: Guided = "both") -> Float[Array, ""]:
    """The smallest guidance strength γ ≥ 0 at which the pattern ends, 1/time; 0 if there is none to end.

    It is sought up to a γ at which no activator can activate itself: J_aa < 0 as soon as γ_a > ρ_a μ_h/ρ_h, and no
    steady state is left once γ_h > ρ_a² μ_h²/(4 μ_a² ρ_h). NaN if the pattern outlives that.
    """
    feed = equation.activator_production * equation.inhibitor_decay / equation.inhibitor_production
    most = 1.1 * jnp.maximum(feed, feed**2 * equation.inhibitor_production / (4 * equation.activator_decay**2))
    margin = jax.vmap(lambda strength: turing_margin(guided(equation, strength, on)))
    at_rest = forms_pattern(guided(equation, jnp.zeros_like(most), on))
    return jnp.where(at_rest, _root(margin, most * jnp.linspace(0.0, 1.0, SAMPLES), last=False), 0.0)


def fastest_allowed(equation: GiererMeinhardtEquation, grid: Grid) -> Float[Array, ""]:
    """The |k| > 0 that grows fastest among those that fit into the periodic grid, k = 2πn/L; NaN on a single site."""
    wavenumbers = grid.wavenumbers().ravel()[1:]
    if not wavenumbers.size:
        return jnp.asarray(jnp.nan)
    return wavenumbers[jnp.argmax(growth_rate(equation, wavenumbers))]


def _characteristic(
    equation: GiererMeinhardtEquation, square: Float[Array, "*k"]
) -> tuple[Float[Array, "*k"], Float[Array, "*k"]]:
    j = jacobian(equation)
    slow, fast = equation.activator_diffusion, equation.inhibitor_diffusion
    trace = jnp.trace(j) - (slow + fast) * square
    determinant = jnp.linalg.det(j) - (fast * j[0, 0] + slow * j[1, 1]) * square + slow * fast * square**2
    return trace, determinant


def _root(function, samples: Float[Array, " n"], *, last: bool) -> Float[Array, ""]:
    """A root of a vectorised function by bisection, in the first or the last of the intervals with a change of sign.

    NaN if there is none. The derivative is cut off.
    """
    samples = jax.lax.stop_gradient(samples)

    def sign(x):
        return jnp.sign(jax.lax.stop_gradient(function(x)))

    changes = sign(samples[:-1]) != sign(samples[1:])
    found = changes.shape[0] - 1 - jnp.argmax(changes[::-1]) if last else jnp.argmax(changes)
    below = sign(samples[found][None])[0]

    def halve(_, bracket):
        low, high = bracket
        middle = (low + high) / 2
        same = sign(middle[None])[0] == below
        return jnp.where(same, middle, low), jnp.where(same, high, middle)

    low, high = jax.lax.fori_loop(0, BISECTIONS, halve, (samples[found], samples[found + 1]))
    return jnp.where(changes.any(), (low + high) / 2, jnp.nan)
