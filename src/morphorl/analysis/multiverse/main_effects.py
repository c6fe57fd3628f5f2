"""Main effects of a design's axes on an outcome that has bootstrap replicates: least squares, and a test per axis."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from morphorl.analysis.bootstrap import EvidenceError, benjamini_hochberg
from morphorl.analysis.multiverse.design import Design, contrasts

PERMUTATIONS = 4_999


class Interval(NamedTuple):
    """A number with its 95% interval."""

    value: float
    low: float
    high: float


class AxisEffect(NamedTuple):
    """What one axis does, in the outcome's units, and how much of the outcome's variance is explained by it alone."""

    levels: list[Interval]
    """For each level, how far the outcome lies from its mean over all levels; they sum to 0."""
    share: float
    """The part of the variance that is explained with the axis, and not without it (drop-one R²)."""
    chance: float
    """The share that an axis without effect would have on average."""
    p: float
    """Of the permutation test that the axis has no effect."""
    p_adjusted: float
    """p after the correction of Benjamini and Hochberg for the number of axes."""


class MainEffects(NamedTuple):
    """The regression of an outcome on all axes at once."""

    mean: Interval
    """The outcome's mean over all levels of all axes."""
    explained: float
    """R² of the whole regression."""
    noise: float
    """The share of the outcome's variance over runs that is noise of the seeds, by the bootstrap."""
    axes: list[AxisEffect]


def main_effects(
    design: Design,
    counts: list[int],
    outcome: Float[np.ndarray, " runs"],
    replicates: Float[np.ndarray, "runs resamples"],
) -> MainEffects:
    """Regress an outcome on the axes of a design, all runs weighing the same.

    y = β₀ + Σ_axes C·β_axis + e, with C in sum-to-zero coding, by least squares. Intervals are percentiles of the same
    regression on the replicates. The bootstrap that made these drew seeds, each with all of its runs, so that noise
    that runs share through common seeds and common references is in the intervals.

    Args:
        counts: the number of levels of each axis.
        replicates: the outcome in each bootstrap sample of seeds.

    Raises:
        EvidenceError: if the runs cannot tell all levels apart, or the outcome is the same in all of them.
    """
    parts = [contrasts(column, count) for column, count in zip(design.T, counts, strict=True)]
    coding = np.concatenate([np.ones((len(design), 1)), *parts], axis=1)
    if len(coding) <= coding.shape[1] or np.linalg.matrix_rank(coding) < coding.shape[1]:
        raise EvidenceError(f"{len(design)} readings: too few to tell {coding.shape[1]} coefficients apart.")
    total = float(((outcome - outcome.mean()) ** 2).sum())
    if total <= 1e-12 * float((outcome**2).sum()):
        raise EvidenceError("the effect is the same in all readings: there is nothing to explain.")
    solve = np.linalg.pinv(coding)
    value, resampled = solve @ outcome, solve @ replicates
    axis_of = np.repeat(np.arange(len(parts) + 1), [1, *(part.shape[1] for part in parts)])
    tests = [_test(coding, axis_of == place + 1, outcome, total) for place in range(len(parts))]
    adjusted = benjamini_hochberg(np.array([test.p for test in tests]))
    axes = [
        AxisEffect(_levels(value[axis_of == i + 1], resampled[axis_of == i + 1]), *test, p_adjusted=float(p))
        for i, (test, p) in enumerate(zip(tests, adjusted, strict=True))
    ]
    explained = 1 - float((_residuals(coding, outcome) ** 2).sum()) / total
    moved = replicates - outcome[:, None]
    noise = float(moved.var(axis=0).mean() * len(outcome)) / total
    return MainEffects(_interval(value[0], resampled[0]), explained, noise, axes)


class _Test(NamedTuple):
    share: float
    chance: float
    p: float


def _test(
    coding: Float[np.ndarray, "runs coefficients"],
    own: Bool[np.ndarray, " coefficients"],
    outcome: Float[np.ndarray, " runs"],
    total: float,
) -> _Test:
    """Whether coefficients are needed: the F statistic, against that of permuted residuals of the fit without them.

    Source: Freedman and Lane, "A nonstochastic interpretation of reported significance levels", 1983.
    """
    rest = _residuals(coding[:, ~own], outcome)
    generator = np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(rest, (PERMUTATIONS, 1)), axis=1).T
    trials = np.concatenate([rest[:, None], shuffled], axis=1)
    without, within = ((_residuals(part, trials) ** 2).sum(axis=0) for part in (coding[:, ~own], coding))
    gained, left = without - within, np.maximum(within, 1e-12 * without)
    freedom = len(coding) - coding.shape[1]
    ratio = gained / left
    p = (1 + int((ratio[1:] >= ratio[0]).sum())) / (1 + PERMUTATIONS)
    return _Test(float(gained[0]) / total, float(within[0] / freedom * own.sum()) / total, p)


def _residuals(
    coding: Float[np.ndarray, "runs coefficients"], outcome: Float[np.ndarray, "runs *trials"]
) -> Float[np.ndarray, "runs *trials"]:
    basis = np.linalg.qr(coding)[0]
    return outcome - basis @ (basis.T @ outcome)


def _levels(value: Float[np.ndarray, " _"], resampled: Float[np.ndarray, "_ resamples"]) -> list[Interval]:
    """All levels of an axis from the coefficients of all but the last."""
    all_values, all_resampled = np.append(value, -value.sum()), np.vstack([resampled, -resampled.sum(axis=0)])
    return [_interval(one, many) for one, many in zip(all_values, all_resampled, strict=True)]


def _interval(value: float, replicates: Float[np.ndarray, " resamples"]) -> Interval:
    low, high = np.quantile(replicates, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
