"""What a simulated field is compared with, what it showed, and what a reader must know before believing it."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from morphorl.config.errors import SettingError
from morphorl.config.files import finite_or_none
from morphorl.dynamics.pde import linear_theory, patterns
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardtEquation, Grid


def predict(equation: GiererMeinhardtEquation, grid: Grid) -> dict[str, Any]:
    """What linear theory says of this equation on this grid, as plain values; None for what does not exist.

    The relaxation time is 1/(λ₁ − λ₂) of the fastest mode's two rates: after a few of it, only the larger one is seen.

    Raises:
        SettingError: if there is no positive steady state to start from.
    """
    a, h = (float(u) for u in linear_theory.steady_state(equation))
    if not math.isfinite(a) or not math.isfinite(h):
        raise SettingError(
            f"guidance of {equation.activator_guidance:g} on the activator and {equation.inhibitor_guidance:g} on the "
            "inhibitor: leaves no positive steady state to start from."
        )
    theory = {name: np.asarray(value).tolist() for name, value in _theory(equation, grid).items()}
    wavenumber, growth = theory["wavenumber"], theory["growth_rate"]
    return {
        "steady_state": [a, h],
        "pattern": theory["pattern"] and growth > 0,
        "growth_rate": finite_or_none(growth),
        "wavelength": finite_or_none(2 * math.pi / wavenumber),
        "wavelength_on_an_infinite_domain": finite_or_none(_over(2 * math.pi, theory["fastest"])) or None,
        "unstable_wavenumbers": [finite_or_none(k) for k in theory["band"]],
        "strength_that_ends_the_pattern": finite_or_none(theory["critical"]),
        "relaxation_time": finite_or_none(_over(1.0, 2 * growth - theory["trace"])),
    }


@jax.jit
def _theory(equation: GiererMeinhardtEquation, grid: Grid) -> dict[str, jax.Array]:
    wavenumber = linear_theory.fastest_allowed(equation, grid)
    total = equation.activator_diffusion + equation.inhibitor_diffusion
    return {
        "pattern": linear_theory.forms_pattern(equation),
        "wavenumber": wavenumber,
        "growth_rate": linear_theory.growth_rate(equation, wavenumber),
        "trace": jnp.trace(linear_theory.jacobian(equation)) - total * wavenumber**2,
        "fastest": linear_theory.fastest_mode(equation),
        "band": linear_theory.unstable_band(equation),
        "critical": linear_theory.critical_strength(linear_theory.guided(equation, 0.0)),
    }


def measure(grid: Grid, times: np.ndarray, frames: np.ndarray, prediction: dict[str, Any]) -> dict[str, Any]:
    """What the frames show, as plain values; None for what cannot be measured."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("growth_rate", "wavelength", "amplitude", "kind", "spots_per_square_wavelength")
    )
    if len(times) < 2 or grid.size < 2:
        return nothing
    wavenumber, settled = 2 * math.pi / prediction["wavelength"], 5 * (prediction["relaxation_time"] or 0.0)
    activators = frames[:, 0]
    last = activators[-1]
    return {
        "growth_rate": finite_or_none(
            patterns.growth_rate(activators, times, wavenumber, settled, grid),
        ),
        "wavelength": finite_or_none(patterns.wavelength(last, grid)),
        "amplitude": finite_or_none(float(patterns.amplitude(jnp.asarray(last)))),
        "kind": patterns.kind(last, grid),
        "spots_per_square_wavelength": finite_or_none(patterns.spot_density(last, grid)) if grid.dims == 2 else None,
    }


def remarks(
    equation: GiererMeinhardtEquation,
    grid: Grid,
    prediction: dict[str, Any],
    counts: dict[str, Any],
    times: np.ndarray,
    time: float,
) -> list[str]:
    """Sentences on what a reader must know before believing the rest."""
    critical, strength = prediction["strength_that_ends_the_pattern"], equation.activator_guidance
    both = equation.activator_guidance == equation.inhibitor_guidance
    length = prediction["wavelength_on_an_infinite_domain"]
    total = max(1, counts["steps"]) * grid.size**grid.dims
    return [
        sentence
        for sentence, applies in (
            ("time = 0: the field is as it started, and nothing was measured.", time == 0),
            ("size = 1: a single site has no neighbour, so that no pattern can form.", grid.size == 1),
            (
                "equation.activator_diffusion = 0: no length is selected, the shortest waves grow fastest, and the "
                "equation can blow up in finite time.",
                equation.activator_diffusion == 0,
            ),
            (
                "equation.inhibitor_diffusion is not above equation.activator_diffusion: no pattern can form.",
                equation.inhibitor_diffusion <= equation.activator_diffusion,
            ),
            (
                f"guidance.strength = {strength:g} is past {number(critical)}, at which linear theory ends the "
                "pattern.",
                both and critical is not None and 0 < critical <= strength,
            ),
            (
                f"the sites are {grid.length / grid.size:.3g} apart, more than a quarter of the predicted wavelength "
                f"of {number(length)}: take a larger size or a smaller length.",
                grid.size > 1 and length is not None and grid.length / grid.size > length / 4,
            ),
            (
                f"the floor on h acted {counts['floored']:,} times, {counts['floored'] / total:.2g} of all sites and "
                f"steps: where it acts, the equation is another one (equation.floor = {equation.floor:g}).",
                counts["floored"] > 0,
            ),
            (
                f"a or h was negative {counts['negative']:,} times, {counts['negative'] / total:.2g} of all sites and "
                "steps: overshoot of the grid or of the time step, unless guidance is negative.",
                counts["negative"] > 0,
            ),
            (
                f"the field blew up at time {counts['blew_up_at'] or 0:g}; the files end at the last finite frame, at "
                f"time {times[-1]:g}.",
                counts["blew_up_at"] is not None,
            ),
        )
        if applies
    ]


def number(value: float | None) -> str:
    """A number of a summary as text."""
    return "none" if value is None else f"{value:.4g}"


def _over(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else math.inf
