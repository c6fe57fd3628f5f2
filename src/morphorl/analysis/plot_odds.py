"""How likely a study of few seeds would have seen the post's plots, given the scores of a study with many seeds.

The post shows one learning curve an arm and names no number of seeds. So each plot is described in numbers, and studies
of n seeds an arm are drawn at random, with replacement, the same seeds in every arm: the probability is the share of
them that see it. Its 95% interval resamples the seeds of the large study.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer

from morphorl.analysis.bootstrap import Estimate, EvidenceError
from morphorl.analysis.claims import MARGIN
from morphorl.analysis.paired_arms import LEAST_GAIN

SIZES = (1, 3, 5, 10)
"""Seeds of an arm in the small studies."""
SPREAD = 2.0
"""The final returns of an unstable arm lie at least so many times as far apart as the baseline's."""
LEAST_FOR_SPREAD = 3
"""Fewer seeds show no spread."""
DRAWS = 10_000
RESAMPLES, RESAMPLE_DRAWS = 400, 500

Seeds = Float[np.ndarray, " seeds"]
Arms = Float[np.ndarray, "arms seeds"]
Drawn = Integer[np.ndarray, "resamples draws n"]


class Learned(NamedTuple):
    """A score of plain PPO and the return of the same networks before training: the unit of "much"."""

    trained: Seeds
    untrained: Seeds


class Outcome(NamedTuple):
    """The mean return over all steps, and the final return, of one arm (or of several, a row each)."""

    mean: Float[np.ndarray, "*arms seeds"]
    final: Float[np.ndarray, "*arms seeds"]


def faster_at_first(
    early: Arms, strengths: Float[np.ndarray, " arms"], baseline: Seeds, plain: Learned, n: int
) -> Estimate:
    """The probability of the first plot: "higher γ leads to much faster initial learning compared to the baseline".

    A study of n seeds sees it if the mean early return of the strongest γ exceeds the baseline's by at least `MARGIN`
    of what plain PPO learns early, and the rank correlation of γ and mean early return over the family is positive.

    Args:
        early: the early returns of a family of arms that differ in γ alone, γ = 0 among them.
        strengths: their γ.
        baseline: the early returns of the arm that the plot calls the baseline, plain PPO or γ = 0.
        plain: the early return of plain PPO.
        n: seeds of each arm in the small study. Column i of all scores has the same seed.

    Raises:
        EvidenceError: if plain PPO learns too little to measure by, or a score is not a finite number.
    """

    def seen(drawn: Drawn, gain: Float[np.ndarray, "resamples 1"]) -> Bool[np.ndarray, "resamples draws"]:
        means = early[:, drawn].mean(axis=-1)
        lead = means[np.argmax(strengths)] - baseline[drawn].mean(axis=-1)
        return (lead >= MARGIN * gain) & rises(strengths, means)

    return _probability(seen, plain, n, early, baseline)


def similar_then_unstable(
    family: Outcome, strengths: Float[np.ndarray, " arms"], baseline: Outcome, plain: Learned, n: int
) -> Estimate:
    """The probability of the second plot: "the baseline and low-guidance agents learned at a similar rate", and
    "instability from guidance".

    A study of n seeds sees it if the mean return of every low γ lies within ± `MARGIN` of the baseline's, and the
    strongest γ looks unstable: its mean final return lies below the baseline's by at least `MARGIN` of what plain PPO
    learns, or, for n ≥ 3, the standard deviation of its final returns is at least `SPREAD` times the baseline's. Low
    are the weaker half of all γ > 0.

    Args:
        family: a family of arms that differ in γ alone.
        plain: the final return of plain PPO.

    Raises:
        EvidenceError: as `faster_at_first`, and if no arm has γ > 0.
    """
    guided = [int(arm) for arm in np.argsort(strengths) if strengths[arm] > 0]
    if not guided:
        raise EvidenceError("no arm has γ > 0: there is no guidance to see.")
    low, strongest = guided[: max(1, len(guided) // 2)], guided[-1]

    def seen(drawn: Drawn, gain: Float[np.ndarray, "resamples 1"]) -> Bool[np.ndarray, "resamples draws"]:
        reference = baseline.mean[drawn].mean(axis=-1)
        distance = np.abs(family.mean[low][:, drawn].mean(axis=-1) - reference)
        similar = (distance <= MARGIN * np.abs(reference)).all(axis=0)
        strong, calm = family.final[strongest][drawn], baseline.final[drawn]
        return similar & (_falls(strong, calm, gain) | _spreads(strong, calm))

    return _probability(seen, plain, n, *family, *baseline)


def _falls(
    strong: Float[np.ndarray, "resamples draws n"],
    calm: Float[np.ndarray, "resamples draws n"],
    gain: Float[np.ndarray, "resamples 1"],
) -> Bool[np.ndarray, "resamples draws"]:
    return calm.mean(axis=-1) - strong.mean(axis=-1) >= MARGIN * gain


def _spreads(
    strong: Float[np.ndarray, "resamples draws n"], calm: Float[np.ndarray, "resamples draws n"]
) -> Bool[np.ndarray, "resamples draws"]:
    if strong.shape[-1] < LEAST_FOR_SPREAD:
        return np.zeros(strong.shape[:-1], bool)
    mine, theirs = strong.std(axis=-1, ddof=1), calm.std(axis=-1, ddof=1)
    # Where one seed was drawn n times, neither arm has a spread (but for rounding, which a range has none of).
    return (np.ptp(strong, axis=-1) > 0) & (mine >= SPREAD * theirs)


def rises(
    strengths: Float[np.ndarray, " arms"], means: Float[np.ndarray, "arms resamples draws"]
) -> Bool[np.ndarray, "resamples draws"]:
    """Whether the rank correlation of strengths and means (Spearman's, ties sharing their ranks) is positive.

    A centred rank is half the number of smaller values less half the number of larger ones.
    """
    ranks = np.sign(strengths[:, None] - strengths[None, :]).sum(axis=1)
    products = [rank * np.sign(one - means).sum(axis=0) for rank, one in zip(ranks, means, strict=True)]
    return np.sum(products, axis=0) > 0


def _probability(seen: Callable, plain: Learned, n: int, *scores: Float[np.ndarray, "... seeds"]) -> Estimate:
    """The share of small studies that see a plot, and its percentile interval over resamples of the seeds."""
    if not all(np.isfinite(score).all() for score in (*scores, *plain)):
        raise EvidenceError("a score is unknown or infinite: a plot of means would not show it.")
    learned, untrained = plain.trained - plain.untrained, plain.untrained
    if learned.mean() <= LEAST_GAIN * abs(untrained.mean()):
        raise EvidenceError(
            f"plain PPO learns too little to measure by ({plain.trained.mean():.1f} after {untrained.mean():.1f} "
            "untrained). Train for more steps."
        )
    seeds, generator = len(learned), np.random.default_rng(0)
    value = float(seen(generator.integers(seeds, size=(1, DRAWS, n)), np.full((1, 1), learned.mean())).mean())
    chosen = generator.integers(seeds, size=(RESAMPLES, seeds))
    places = generator.integers(seeds, size=(RESAMPLES, RESAMPLE_DRAWS, n))
    drawn = chosen[np.arange(RESAMPLES)[:, None, None], places]
    replicates = seen(drawn, learned[chosen].mean(axis=1, keepdims=True)).mean(axis=1)
    low, high = map(float, np.quantile(replicates, [0.025, 0.975]))
    # The draws of the value and those of the replicates are others: near 0 and 1 the value may lie just outside.
    return Estimate(value, min(low, value), max(high, value), seeds)
