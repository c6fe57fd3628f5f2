"""Intervals by resampling seeds: one statistic, several arms combined, several environments pooled."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy  # special at its first use; never stats, whose import takes as long as a comparison
from jaxtyping import Float, Integer

RESAMPLES = 2_000
COMPARISON_RESAMPLES = 10_000
"""For effects and their p-values, which a correction for many comparisons pushes far into the tails."""


class EvidenceError(ValueError):
    """The data cannot answer the question put to them; the message says why in a sentence."""


class Estimate(NamedTuple):
    """A statistic over seeds with its 95% interval; n counts every seed, diverged ones included."""

    value: float
    low: float
    high: float
    n: int


class Effect(NamedTuple):
    """An effect with its 95% interval, and the two-sided p-value of "the effect is 0"."""

    value: float
    low: float
    high: float
    p: float
    n: int


class Resampled(NamedTuple):
    """A statistic of one arm and its bootstrap replicates.

    Two arms resampled with the same number of seeds and the same stream see the same seeds drawn: replicate by
    replicate, they are paired.
    """

    value: float
    replicates: Float[np.ndarray, " resamples"]
    n: int


def iqm(scores: Float[np.ndarray, "seeds ..."], axis: int = 0) -> Float[np.ndarray, "..."]:
    """The interquartile mean: the mean of the middle half (Agarwal et al., 2021); NaN of nothing, and with a NaN."""
    scores = np.moveaxis(np.asarray(scores, float), axis, -1)
    n = scores.shape[-1]
    if not n:
        return np.full(scores.shape[:-1], np.nan)
    cut = n // 4
    middle = np.partition(scores, (cut, n - cut - 1))[..., cut : n - cut].mean(axis=-1)
    return np.where(np.isnan(scores).any(axis=-1), np.nan, middle)


def bootstrap(statistic: Callable, scores: Float[np.ndarray, "seeds ..."]) -> Float[np.ndarray, "3 ..."]:
    """A statistic over seeds and its bootstrap 95% interval: value, low, high.

    Whole seeds are resampled, so that a curve keeps its shape. Quantiles are taken without interpolation, so that
    infinite scores (never reached) stay what they are. The generator is seeded: the same data give the same numbers.
    One seed has no interval: its low and high are NaN.

    Args:
        statistic: `iqm`, `np.mean` or `np.median`. The mean's quantiles lie further out than 2.5% and 97.5%
            (Hesterberg, 2015), without which its interval would be too narrow by √((n − 1)/n), and by the normal
            deviate in place of Student's t. The others are wide enough without (docs/method.md: what was measured).
    """
    seeds = len(scores)
    value = statistic(scores, axis=0)
    if seeds == 1:
        return np.stack([value, np.full_like(value, np.nan), np.full_like(value, np.nan)])
    columns = np.asarray(scores, float).reshape(seeds, -1)
    drawn = resample_counts(seeds, RESAMPLES)
    resampled = np.stack(
        [trimmed_means(column, drawn, cut_from_each_end(statistic, seeds)) for column in columns.T], axis=1
    )
    tail = tail_of_mean(seeds) if statistic is np.mean else 0.025
    interval = np.quantile(resampled, [tail, 1 - tail], axis=0, method="nearest")
    return np.stack([value, *interval.reshape(2, *scores.shape[1:])])


def resample(
    scores: Float[np.ndarray, "seeds *environments"], statistic: Callable = iqm, *, stream: int = 0
) -> Resampled:
    """A statistic of one arm's scores and its bootstrap replicates, to be combined with those of other arms.

    Several environments are pooled, and seeds resampled within each of them on their own (stratified), so that every
    replicate holds as many runs of each environment as the data.

    Args:
        stream: arms with different streams are resampled independently of each other.

    Raises:
        EvidenceError: for fewer than two seeds, or a score that is not a finite number.
    """
    seeds = len(scores)
    if seeds < 2:
        raise EvidenceError(f"{seeds} seed: an interval needs at least two.")
    if not np.isfinite(scores).all():
        raise EvidenceError(f"{(~np.isfinite(scores)).sum()} of {scores.size} scores are unknown or infinite.")
    strata = scores.reshape(seeds, -1).shape[1]
    drawn = np.concatenate([resample_counts(seeds, COMPARISON_RESAMPLES, stream, part) for part in range(strata)])
    pooled = np.asarray(scores, float).T.reshape(-1)
    value = float(statistic(pooled, axis=0))
    return Resampled(value, trimmed_means(pooled, drawn, cut_from_each_end(statistic, len(pooled))), seeds)


def combine(function: Callable, *parts: Resampled) -> Effect:
    """The effect function(part, …), such as a difference of two IQMs, with its percentile interval and p-value.

    p is twice the smaller share of replicates on one side of 0, plus one on each (never quite 0).

    Raises:
        EvidenceError: if the effect does not exist in some replicate, as when a scale is 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(function(*(np.float64(part.value) for part in parts)))
        replicates = function(*(part.replicates for part in parts))
    if not (np.isfinite(value) and np.isfinite(replicates).all()):
        raise EvidenceError("the effect is not a finite number in every resample.")
    low, high = np.quantile(replicates, [0.025, 0.975], method="nearest")
    smaller = min((replicates <= 0).sum(), (replicates >= 0).sum())
    p = min(1.0, 2 * (smaller + 1) / (len(replicates) + 1))
    return Effect(value, float(low), float(high), p, min(part.n for part in parts))


def difference(
    x: Float[np.ndarray, "seeds *environments"],
    y: Float[np.ndarray, "other_seeds *environments"],
    statistic: Callable = iqm,
    *,
    paired: bool,
) -> Effect:
    """statistic(x) − statistic(y) over seeds, pooled over environments.

    Args:
        paired: row i of x and of y share a seed, and are drawn together.

    Raises:
        EvidenceError: as `resample`, and if arms of different numbers of seeds are called paired.
    """
    _check_paired(x, y, paired)
    return combine(lambda a, b: a - b, resample(x, statistic), resample(y, statistic, stream=0 if paired else 1))


def probability_of_improvement(
    x: Float[np.ndarray, "seeds *environments"], y: Float[np.ndarray, "other_seeds *environments"], *, paired: bool
) -> Estimate:
    """P(X > Y) + ½·P(X = Y) over all pairs of a run of x and a run of y, averaged over environments.

    Source: Agarwal et al., 2021 (the Mann-Whitney statistic). The interval is a percentile bootstrap, stratified over
    environments, common seeds drawn together if `paired`. Where one arm wins every pair, all resamples agree
    although few seeds prove little; the bound is then 0.025^(1/n): a smaller probability would give n wins in n
    disjoint pairs less often than once in 40.

    Raises:
        EvidenceError: as `difference`.
    """
    _check_paired(x, y, paired)
    for scores in (x, y):
        resample(scores)  # refuses what cannot be compared
    x, y = x.reshape(len(x), -1), y.reshape(len(y), -1)
    value, replicates = 0.0, np.zeros(COMPARISON_RESAMPLES)
    for part in range(x.shape[1]):
        wins = (np.sign(x[:, None, part] - y[None, :, part]) + 1) / 2
        of_x = resample_counts(len(x), COMPARISON_RESAMPLES, 0, part).T / len(x)
        of_y = resample_counts(len(y), COMPARISON_RESAMPLES, 0 if paired else 1, part).T / len(y)
        value += wins.mean() / x.shape[1]
        replicates += ((of_x @ wins) * of_y).sum(axis=1) / x.shape[1]
    low, high = np.clip(np.quantile(replicates, [0.025, 0.975]), 0, 1)
    n = min(len(x), len(y))
    least = 0.025 ** (1 / n)
    low, high = (least if value == 1 else low), (1 - least if value == 0 else high)
    return Estimate(float(value), float(low), float(high), n)


def benjamini_hochberg(p_values: Float[np.ndarray, " comparisons"]) -> Float[np.ndarray, " comparisons"]:
    """p-values adjusted for their number: those of at most q are a set with a share of at most q false discoveries.

    The i-th smallest of k is multiplied by k/i, and none is larger than the one after it.

    Raises:
        EvidenceError: for a p-value that is unknown.
    """
    if np.isnan(p_values).any():
        raise EvidenceError("a p-value is unknown: the family of comparisons is incomplete.")
    k = len(p_values)
    order = np.argsort(p_values)
    adjusted = np.minimum.accumulate((p_values[order] * k / np.arange(1, k + 1))[::-1])[::-1]
    return np.minimum(adjusted, 1.0)[np.argsort(order)]


def holm(p_values: Float[np.ndarray, " comparisons"]) -> Float[np.ndarray, " comparisons"]:
    """p-values adjusted so that those of at most q hold a single false one in at most a share q of all studies.

    The i-th smallest of k is multiplied by k + 1 − i, and none is smaller than the one before it (Holm, 1979).
    """
    k = len(p_values)
    order = np.argsort(p_values)
    adjusted = np.maximum.accumulate(p_values[order] * np.arange(k, 0, -1))
    return np.minimum(adjusted, 1.0)[np.argsort(order)]


def ratio_of_medians(
    x: Float[np.ndarray, " seeds"], y: Float[np.ndarray, " other_seeds"], *, paired: bool
) -> Estimate | None:
    """median(x)/median(y) of steps to a threshold, infinite where it was never reached, with its bootstrap interval.

    The median is Kaplan and Meier's where all runs were watched equally long: the first step by which half of the runs
    were there. A resample in which neither median exists counts as 0 for the low end and as infinite for the
    high one. None if the data hold no median of y.

    Args:
        paired: row i of x and of y share a seed, and are drawn together.
    """
    _check_paired(x, y, paired)
    values = [_first_half(scores[:, None])[0] for scores in (x, y)]
    if np.isinf(values[1]):
        return None
    streams = (0, 0 if paired else 1)
    draws = [
        np.random.default_rng(stream).integers(len(u), size=(len(u), COMPARISON_RESAMPLES))
        for u, stream in zip((x, y), streams, strict=True)
    ]
    mine, theirs = (_first_half(scores[drawn]) for scores, drawn in zip((x, y), draws, strict=True))
    with np.errstate(invalid="ignore"):
        ratios = np.where(np.isinf(theirs), 0.0, mine / theirs)
    neither = np.isinf(mine) & np.isinf(theirs)
    low = np.quantile(np.where(neither, 0.0, ratios), 0.025, method="nearest")
    high = np.quantile(np.where(neither, np.inf, ratios), 0.975, method="nearest")
    return Estimate(float(values[0] / values[1]), float(low), float(high), min(len(x), len(y)))


def _first_half(steps: Float[np.ndarray, "seeds resamples"]) -> Float[np.ndarray, " resamples"]:
    """The first step by which half of the seeds were there."""
    return np.partition(steps, (len(steps) + 1) // 2 - 1, axis=0)[(len(steps) + 1) // 2 - 1]


def _check_paired(x: np.ndarray, y: np.ndarray, paired: bool) -> None:
    if paired and len(x) != len(y):
        raise EvidenceError(f"{len(x)} and {len(y)} seeds: paired arms have the same seeds.")


def tail_of_mean(seeds: int) -> float:
    """The share of resamples below the 95% interval of a mean: Φ(t·√(n/(n − 1))), with t at 2.5%."""
    return float(scipy.special.ndtr(scipy.special.stdtrit(seeds - 1, 0.025) * np.sqrt(seeds / (seeds - 1))))


def cut_from_each_end(statistic: Callable, seeds: int) -> int:
    """IQM, mean and median are one family: the mean of what is left when this many scores are cut from each end."""
    return {iqm: seeds // 4, np.mean: 0, np.median: (seeds - 1) // 2}[statistic]


@functools.lru_cache(maxsize=16)
def resample_counts(
    seeds: int, resamples: int, stream: int = 0, part: int = 0
) -> Integer[np.ndarray, "seeds resamples"]:
    """How often each seed is drawn in each resample."""
    generator = np.random.default_rng(0 if stream == part == 0 else (0, stream, part))
    drawn = generator.integers(seeds, size=(resamples, seeds))
    flat = np.bincount((drawn + seeds * np.arange(resamples)[:, None]).ravel(), minlength=seeds * resamples)
    drawn_often = np.ascontiguousarray(flat.reshape(resamples, seeds).T.astype(np.min_scalar_type(seeds)))
    drawn_often.flags.writeable = False  # shared by all who ask
    return drawn_often


def trimmed_means(
    scores: Float[np.ndarray, " seeds"], drawn: Integer[np.ndarray, "seeds resamples"], cut: int
) -> Float[np.ndarray, " resamples"]:
    """The trimmed mean of every resample, without making any: from how often each seed is drawn.

    In the order of the scores s₁ ≤ … ≤ s_n, a resample's first i scores fill c_i = drawn₁ + … + drawn_i places; those
    within [cut, n − cut] count: T = s₁ + Σ_i (s_{i+1} − s_i)·(n − cut − clip(c_i))/(n − 2·cut).
    """
    n = len(scores)
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    filled = np.clip(np.cumsum(drawn[order], axis=0, dtype=np.min_scalar_type(n)), cut, n - cut)
    if np.isnan(ordered[-1]):
        return np.full(drawn.shape[1], np.nan)
    if np.isfinite(ordered).all():
        above = (n - cut - filled[:-1].astype(float)) / (n - 2 * cut)
        return ordered[0] + np.diff(ordered) @ above
    weights = np.diff(filled.astype(float), axis=0, prepend=cut) / (n - 2 * cut)
    with np.errstate(invalid="ignore"):
        return np.where(weights > 0, ordered[:, None] * weights, 0.0).sum(axis=0)
