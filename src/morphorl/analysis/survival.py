"""Steps to a threshold when some runs never reach it: Kaplan-Meier curves, their median, and the log-rank test."""

import warnings
from typing import NamedTuple

import numpy as np
import scipy  # whose stats are imported at their first use: they take a second
from jaxtyping import Bool, Float

from morphorl.analysis.bootstrap import Estimate, EvidenceError


class Survival(NamedTuple):
    """The share of runs that have not reached the threshold, after each step at which one did or left.

    `low` and `high` are the pointwise 95% interval; `median` counts environment steps, inf where it lies beyond the
    last step.
    """

    steps: Float[np.ndarray, " times"]
    share: Float[np.ndarray, " times"]
    low: Float[np.ndarray, " times"]
    high: Float[np.ndarray, " times"]
    median: Estimate


def censor(steps: Float[np.ndarray, " runs"], budget: float | Float[np.ndarray, " runs"]) -> "scipy.stats.CensoredData":
    """Steps to a threshold (inf: never) as censored data: who never got there is known to take more than `budget`, that
    of all runs or that of each.

    A run that diverged counts as watched to the end of the budget: to drop it when it diverges would take the failures
    out of the denominator.
    """
    if np.isnan(steps).any():
        raise EvidenceError(f"{np.isnan(steps).sum()} of {len(steps)} steps to the threshold are unknown.")
    return scipy.stats.CensoredData.right_censored(np.minimum(steps, budget), np.isinf(steps))


def kaplan_meier(
    steps: Float[np.ndarray, " runs"], reached: Bool[np.ndarray, " runs"], *, start: float = 0.0
) -> Survival:
    """The product-limit estimate S(t) = Π_{t_i ≤ t} (1 − d_i/n_i) with d_i of n_i runs reaching the threshold.

    Its interval is Greenwood's on the log-log scale, and where S is 1 or 0, and that says nothing, the exact bound
    0.025^(1/n). The median is the first step with S ≤ ½; its interval are the first steps at which the bounds of S do
    the same (Brookmeyer and Crowley, 1982).

    Args:
        steps: to the threshold, or to where the run was last seen.
        reached: whether it is the former.
        start: the low end of a median that may lie before every step seen.

    Raises:
        EvidenceError: for no runs, or steps that are not finite numbers.
    """
    if len(steps) == 0 or not np.isfinite(steps).all():
        raise EvidenceError(f"{len(steps)} runs, {np.isfinite(steps).sum()} with known steps: none to follow.")
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(steps, ~reached)).sf
    share = np.asarray(curve.probabilities)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where S is 1 or 0, which the next lines settle
        bounds = curve.confidence_interval(method="log-log")
    low, high = (np.asarray(bound.probabilities) for bound in bounds)
    certain = 0.025 ** (1 / len(steps))
    low = np.where(share == 1, certain, np.where(share == 0, 0.0, low))
    high = np.where(share == 1, 1.0, np.where(share == 0, 1 - certain, high))
    first = [_first(curve.quantiles, bound) for bound in (share, low, high)]
    before = certain <= 0.5  # so few runs that half of all could have been there before any of these
    median = Estimate(first[0], start if before else first[1], first[2], len(steps))
    return Survival(np.asarray(curve.quantiles), share, low, high, median)


def log_rank(x: "scipy.stats.CensoredData", y: "scipy.stats.CensoredData") -> float:
    """The two-sided p-value of "both arms reach the threshold at the same rate" (Mantel, 1966).

    Raises:
        EvidenceError: if no run of either arm reached it.
    """
    if x.num_censored() == len(x) and y.num_censored() == len(y):
        raise EvidenceError("no run of either arm reached the threshold: there is nothing to compare.")
    return float(scipy.stats.logrank(x, y).pvalue)


def _first(times: np.ndarray, bound: np.ndarray) -> float:
    """The first time at which a survival curve is at or below one half; inf if none is."""
    below = bound <= 0.5 + 1e-12
    return float(times[np.argmax(below)]) if below.any() else float("inf")
