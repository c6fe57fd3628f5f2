"""How far apart seeds lie: the measure of instability, with intervals that also hold for lopsided scores.

The measure is Gini's mean difference, the mean distance |s_i − s_j| of two different seeds, in units of the score. The
interquartile range would not see a failing minority of seeds; the standard deviation is ruled by the few furthest out,
and its interval covers far too little for lopsided scores. Bootstrap intervals of any spread are too low (two copies of
one seed lie no distance apart), so these come from the jackknife (Arvesen, 1969).
"""

from typing import NamedTuple

import numpy as np
import scipy  # special at its first use; never stats, whose import takes as long as a comparison
from jaxtyping import Float

from morphorl.analysis.bootstrap import Effect, Estimate, EvidenceError


class LeftOut(NamedTuple):
    """A statistic of all seeds, and of all seeds but one, for each."""

    value: float
    without: Float[np.ndarray, " seeds"]


def spread(scores: Float[np.ndarray, " seeds"]) -> Estimate:
    """The mean distance of two seeds' scores, with its 95% interval (on a log scale, so that it stays above 0).

    Raises:
        EvidenceError: for fewer than three seeds, or a score that is not a finite number.
    """
    value, without = mean_distance(scores)
    n = len(scores)
    if value == 0:
        return Estimate(0.0, 0.0, 0.0, n)
    if not (without > 0).all():
        return Estimate(value, 0.0, float("nan"), n)
    reach = scipy.special.stdtrit(n - 1, 0.975) * _standard_error(np.log(without))
    return Estimate(value, float(value * np.exp(-reach)), float(value * np.exp(reach)), n)


def paired_difference(x: LeftOut, y: LeftOut) -> Effect:
    """The difference of a statistic between two arms with the same seeds: value ± t·(jackknife standard error)."""
    n = len(x.without)
    if n != len(y.without):
        raise EvidenceError(f"{n} and {len(y.without)} seeds: paired arms have the same seeds.")
    value = x.value - y.value
    error = _standard_error(x.without - y.without)
    reach = float(scipy.special.stdtrit(n - 1, 0.975) * error)
    if error == 0:
        return Effect(value, value, value, float(value == 0), n)
    return Effect(value, value - reach, value + reach, float(2 * scipy.special.stdtr(n - 1, -abs(value) / error)), n)


def mean_distance(scores: Float[np.ndarray, " seeds"]) -> LeftOut:
    """Gini's mean difference: Σ_i Σ_j |s_i − s_j| / (n·(n − 1))."""
    n = _check(scores)
    distances = np.abs(scores[:, None] - scores).sum(axis=1)
    total = distances.sum()
    # Rounding must not turn a distance of 0 into one below.
    without = np.maximum(total - 2 * distances, 0.0) / ((n - 1) * (n - 2))
    return LeftOut(float(total / (n * (n - 1))), without)


def mean(scores: Float[np.ndarray, " seeds"]) -> LeftOut:
    """The mean; its jackknife interval is Student's."""
    n = _check(scores)
    return LeftOut(float(scores.mean()), (scores.sum() - scores) / (n - 1))


def _standard_error(without: Float[np.ndarray, " seeds"]) -> float:
    n = len(without)
    return float(np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2)))


def _check(scores: np.ndarray) -> int:
    if len(scores) < 3:
        raise EvidenceError(f"{len(scores)} seeds: how far seeds lie apart needs at least three.")
    if not np.isfinite(scores).all():
        raise EvidenceError(f"{(~np.isfinite(scores)).sum()} of {len(scores)} scores are unknown or infinite.")
    return len(scores)
