"""What a field shows: how strong its pattern is, of which wavelength, how fast it grew, and spots or stripes."""

from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from morphorl.dynamics.pde.gierer_meinhardt import Grid

PATTERN = 0.1
"""Relative amplitude from which a field counts as a pattern; initial noise is a tenth of it."""
LINEAR = 0.05
"""Relative amplitude up to which growth counts as linear."""
SPOTS = 0.4
"""Spots per square wavelength from which a pattern counts as spots, and −SPOTS for holes: a hexagonal lattice of
spots one wavelength (between its rows) apart has √3/2 of them, stripes have none."""

Kind = Literal["none", "waves", "spots", "stripes", "holes"]


def amplitude(activator: Float[Array, "*grid"]) -> Float[Array, ""]:
    """Relative amplitude of a pattern: the activator's standard deviation over the sites, divided by its mean."""
    return jnp.std(activator) / jnp.abs(jnp.mean(activator))


def wavelength(activator: np.ndarray, grid: Grid) -> float:
    """2π over the mean wavenumber of the spectrum's main peak; NaN for a uniform field.

    The power of all Fourier coefficients is summed over rings of |k| one mode wide. The mean is weighted by power, over
    the wavenumbers from half to one and a half times that of the strongest ring, so that overtones do not count.
    """
    unit = 2 * np.pi / grid.length
    wavenumbers, power = _spectrum(activator, grid)
    rings = np.bincount(np.rint(wavenumbers / unit).astype(int), weights=power)
    if not rings[1:].any():
        return float("nan")
    peak = (1 + np.argmax(rings[1:])) * unit
    near = (wavenumbers >= peak / 2) & (wavenumbers <= 1.5 * peak)
    return float(2 * np.pi * power[near].sum() / (wavenumbers * power)[near].sum())


def growth_rate(activators: np.ndarray, times: np.ndarray, wavenumber: float, settled: float, grid: Grid) -> float:
    """Growth rate of one wavenumber, all directions together, while the pattern is small, 1/time.

    A straight line is fitted to the logarithm of the amplitude of the Fourier coefficients of this |k|, over the frames
    from time `settled` on whose relative amplitude is below `LINEAR` and above rounding. NaN with fewer than three.

    Args:
        activators: frames of shape (frames, *grid).
        settled: time from which the decaying eigenvector is gone.
    """
    wavenumbers, _ = _spectrum(activators[0], grid)
    chosen = np.isclose(wavenumbers, wavenumber)
    modes = np.array([np.sqrt(_spectrum(frame, grid)[1][chosen].sum()) for frame in activators])
    relative = activators.std(axis=tuple(range(1, activators.ndim))) / activators.mean()
    steady = np.logical_and.accumulate(relative < LINEAR) & (times >= settled)
    fit = steady & (modes > 100 * np.finfo(activators.dtype).eps * np.abs(activators).mean())
    return float(np.polyfit(times[fit], np.log(modes[fit]), 1)[0]) if fit.sum() >= 3 else float("nan")


def spot_density(activator: np.ndarray, grid: Grid) -> float:
    """Spots per square wavelength: the Euler characteristic of where a is above its mean, times wavelength²/area.

    The Euler characteristic is the number of patches minus the number of holes in them, V − E + F of the sites, the
    pairs of neighbours and the squares of four that are above. Spots count 1 each, holes in a sheet −1, and a stripe
    that closes around the periodic square 0.
    """
    above = activator > activator.mean()
    right, down = np.roll(above, -1, 0), np.roll(above, -1, 1)
    edges = (above & right).sum() + (above & down).sum()
    squares = (above & right & down & np.roll(right, -1, 1)).sum()
    return float((above.sum() - edges + squares) * wavelength(activator, grid) ** 2 / grid.length**2)


def kind(activator: np.ndarray, grid: Grid) -> Kind:
    """Whether there is a pattern (`PATTERN`), and for two dimensions which one (`SPOTS`); `waves` for one dimension."""
    if not float(amplitude(jnp.asarray(activator))) > PATTERN:
        return "none"
    if grid.dims == 1:
        return "waves"
    density = spot_density(activator, grid)
    return "spots" if density > SPOTS else "holes" if density < -SPOTS else "stripes"


def _spectrum(activator: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """|k| and |a_k|² of all Fourier coefficients, flattened, the mean left out of the power."""
    modes = 2 * np.pi * np.fft.fftfreq(grid.size, grid.length / grid.size)
    wavenumbers = np.sqrt(sum(axis**2 for axis in np.meshgrid(*[modes] * grid.dims))).ravel()
    power = np.abs(np.fft.fftn(activator - activator.mean(), norm="forward")).ravel() ** 2
    return wavenumbers, power
