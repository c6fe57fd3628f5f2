"""Steps to a threshold when some runs never reach it: Kaplan-Meier curves, their median, and the log-rank test."""

from typing import NamedTuple

import numpy as np
import scipy  # special at its first use; never stats, whose import takes as long as a comparison
from jaxtyping import Bool, Float, Int

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


class Followed(NamedTuple):
    """Runs that were followed until they reached the threshold, or until they were last seen below it."""

    steps: Float[np.ndarray, " runs"]
    reached: Bool[np.ndarray, " runs"]


def censor(steps: Float[np.ndarray, " runs"], budget: float | Float[np.ndarray, " runs"]) -> Followed:
    """Steps to a threshold (inf: never) as censored data: who never got there is known to take more than `budget`, that
    of all runs or that of each.

    A run that diverged counts as watched to the end of the budget: to drop it when it diverges would take the failures
    out of the denominator.
    """
    if np.isnan(steps).any():
        raise EvidenceError(f"{np.isnan(steps).sum()} of {len(steps)} steps to the threshold are unknown.")
    return Followed(np.minimum(steps, budget), np.isfinite(steps))


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
    times = np.unique(steps)
    at_risk, events = _at(times, steps, reached)
    share = np.cumprod((at_risk - events) / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):  # where S is 1 or 0, which the next lines settle
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        reach = scipy.special.ndtri(0.975) * np.sqrt(greenwood) / np.abs(np.log(share))
        low, high = share ** np.exp(reach), share ** np.exp(-reach)
    certain = 0.025 ** (1 / len(steps))
    low = np.where(share == 1, certain, np.where(share == 0, 0.0, low))
    high = np.where(share == 1, 1.0, np.where(share == 0, 1 - certain, high))
    first = [_first(times, bound) for bound in (share, low, high)]
    before = certain <= 0.5  # so few runs that half of all could have been there before any of these
    median = Estimate(first[0], start if before else first[1], first[2], len(steps))
    return Survival(times, share, low, high, median)


def log_rank(x: Followed, y: Followed) -> float:
    """The two-sided p-value of "both arms reach the threshold at the same rate" (Mantel, 1966).

    At each step at which d of the n runs still followed reach it, n_x of them in the first arm, that arm expects
    d·n_x/n with variance d·n_x·n_y·(n − d)/(n²·(n − 1)). The sum of what it got beyond that, by the root of the summed
    variance, is a normal deviate. Where all runs reach it at one step nothing tells the arms apart, and p is 1.

    Raises:
        EvidenceError: if no run of either arm reached it.
    """
    if not (x.reached.any() or y.reached.any()):
        raise EvidenceError("no run of either arm reached the threshold: there is nothing to compare.")
    times = np.unique(np.concatenate([one.steps[one.reached] for one in (x, y)]))
    of_x, got = _at(times, *x)
    of_y, other = _at(times, *y)
    n, d = of_x + of_y, got + other
    variance = (d * of_x * of_y * (n - d) / (n**2 * np.maximum(n - 1, 1))).sum()
    if variance == 0:
        return 1.0
    deviate = (got - d * of_x / n).sum() / np.sqrt(variance)
    return float(2 * scipy.special.ndtr(-abs(deviate)))


def _at(
    times: Float[np.ndarray, " times"], steps: Float[np.ndarray, " runs"], reached: Bool[np.ndarray, " runs"]
) -> tuple[Int[np.ndarray, " times"], Int[np.ndarray, " times"]]:
    """How many runs are still followed at each time, and how many of them reach the threshold there."""
    return (steps >= times[:, None]).sum(axis=1), ((steps == times[:, None]) & reached).sum(axis=1)


def _first(times: np.ndarray, bound: np.ndarray) -> float:
    """The first time at which a survival curve is at or below one half; inf if none is."""
    below = bound <= 0.5 + 1e-12
    return float(times[np.argmax(below)]) if below.any() else float("inf")
