"""How many seeds would be needed to find a difference like the one seen, by simulation from the seeds that there are.

A study of n seeds an arm draws them with replacement from those seen, and finds the difference if its mean lies on the
same side with p ≤ 0.05 in Welch's test, as in `luck/seed_luck.py`. The seeds seen are themselves a sample: each share
is computed again in many resamples of them, and its quantiles are the interval. What it cannot know: whether the
difference seen is the true one. With few seeds it is often too large, and then so is the power.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy  # special at its first use; never stats, whose import takes as long as a comparison
from jaxtyping import Bool, Float

from morphorl.analysis.bootstrap import Estimate, EvidenceError
from morphorl.analysis.luck.seed_luck import share_estimate

SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512, 768, 1024)
"""Seeds per arm that are tried."""
WANTED = 0.8
"""The share of studies that should find the difference."""
DRAWS, RESAMPLES, RESAMPLE_DRAWS = 10_000, 200, 200


class Needed(NamedTuple):
    """How many seeds per arm find the difference in a share `WANTED` of studies; infinite if more than were tried."""

    seeds: float
    low: float
    """As few, if the seeds seen are as lucky a sample as 1 in 40."""
    high: float
    """As many, if they are as unlucky a one."""
    power: dict[int, Estimate]
    """The share of studies that find it, by their number of seeds: of all sizes that were looked at."""


def needed(x: Float[np.ndarray, " seeds"], y: Float[np.ndarray, " other_seeds"]) -> Needed:
    """The smallest of `SIZES` at which studies have the power `WANTED`, with its interval.

    Raises:
        EvidenceError: for fewer than three seeds, a score that is not a finite number, or means that are the same.
    """
    if x.mean() < y.mean():
        x, y = y, x
    power: dict[int, Estimate] = {}

    def at(n: int) -> Estimate:
        if n not in power:
            power[n] = found(x, y, n)
        return power[n]

    value, low, high = (_first(lambda n, end=end: getattr(at(n), end) >= WANTED) for end in ("value", "high", "low"))
    return Needed(value, low, high, dict(sorted(power.items())))


def found(x: Float[np.ndarray, " seeds"], y: Float[np.ndarray, " other_seeds"], n: int) -> Estimate:
    """The share of studies of n seeds an arm that find x above y with p ≤ 0.05.

    Raises:
        EvidenceError: for fewer than three seeds, a score that is not a finite number, or means that are the same.
    """
    least = min(len(x), len(y))
    if least < 3:
        raise EvidenceError(f"{least} seeds: how many would be needed is known from three or more.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise EvidenceError("a score is unknown or infinite: how many seeds would be needed is unknown.")
    if x.mean() == y.mean():
        raise EvidenceError("the means are the same: there is no difference to find.")
    generator = np.random.default_rng(0)
    alike, other_alike = (np.full((1, len(u)), 1 / len(u)) for u in (x, y))
    value = float(_finds(generator, x, y, n, alike, other_alike, DRAWS, copies=1).mean())
    of_x, of_y = (generator.multinomial(len(u), np.full(len(u), 1 / len(u)), size=RESAMPLES) / len(u) for u in (x, y))
    replicates = _finds(generator, x, y, n, of_x, of_y, RESAMPLE_DRAWS, copies=2).mean(axis=1)
    return share_estimate(value, replicates, least, least)


def _finds(
    generator: np.random.Generator,
    x: Float[np.ndarray, " seeds"],
    y: Float[np.ndarray, " other_seeds"],
    n: int,
    of_x: Float[np.ndarray, "resamples seeds"],
    of_y: Float[np.ndarray, "resamples other_seeds"],
    draws: int,
    *,
    copies: int,
) -> Bool[np.ndarray, "resamples draws"]:
    """Which studies find x above y. Only how often each seed is drawn counts, so that n may be large.

    A sample of m seeds, taken for the population, has a variance that is too small by (m − 1)/m, and a resample of it
    is too small by that once more: deviations from the mean are stretched by as much.

    Args:
        copies: how often that happened.
    """
    means, variances = [], []
    for scores, weights in ((x - x.mean(), of_x), (y - x.mean(), of_y)):  # near 0, so that squares keep their digits
        stretch = (len(scores) / (len(scores) - 1)) ** (copies / 2)
        counts = generator.multinomial(n, weights[:, None, :], size=(len(weights), draws))
        mean, middle = counts @ scores / n, (weights @ scores)[:, None]
        means.append(middle + stretch * (mean - middle))
        variances.append(stretch**2 * np.maximum(counts @ scores**2 / n - mean**2, 0.0) * n / (n - 1))
    lead = means[0] - means[1]
    a, b = (variance / n for variance in variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = lead / np.sqrt(a + b)
        freedom = (a + b) ** 2 * (n - 1) / (a**2 + b**2)
    # Without any spread there is no test: a lead that all seeds share exactly counts as found.
    least, most = scipy.special.stdtrit([2 * (n - 1), n - 1], 0.975)
    finds = (lead > 0) & (t >= most)
    unsure = (lead > 0) & (t >= least) & (t < most)
    finds[unsure] = 2 * scipy.special.stdtr(freedom[unsure], -t[unsure]) <= 0.05
    return finds


def _first(enough: Callable[[int], bool]) -> float:
    """The first of `SIZES` that is enough, by bisection; infinite if none is."""
    low, high = 0, len(SIZES)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(SIZES[middle]) else (middle + 1, high)
    return float(SIZES[low]) if low < len(SIZES) else np.inf
