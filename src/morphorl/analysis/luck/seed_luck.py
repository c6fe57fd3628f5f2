"""Luck: how much of a result is the pattern's, how much the learner's, and how often few seeds would mislead."""

import functools
from typing import NamedTuple

import numpy as np
import scipy  # special at its first use; never stats, whose import takes as long as a comparison
from jaxtyping import Bool, Float, Int

from morphorl.analysis.bootstrap import RESAMPLES, Estimate, EvidenceError, tail_of_mean

DRAWS = 10_000
SHARE_RESAMPLES, SHARE_DRAWS = 400, 500
"""Resamples of the seeds, and comparisons that are drawn from each of them."""


class VarianceSplit(NamedTuple):
    """The shares of the variance of a score over cell seeds × learner seeds; their values sum to 1.

    `interaction` is what a pattern does with one learner only. A run is decided by its two seeds, so there is no
    further noise to tell it from.
    """

    pattern: Estimate
    learner: Estimate
    interaction: Estimate
    total: float
    clipped: tuple[str, ...]
    """The components whose estimate was negative, and which count as 0."""


class Found(NamedTuple):
    """The share of small comparisons that would have shown an effect of x over y."""

    n: int
    better: float
    """x has the higher mean."""
    significant: float
    """x's mean is higher, with p ≤ 0.05 in Welch's t-test (NaN for n = 1, where there is none)."""


class Shares(NamedTuple):
    """As `Found`, with 95% intervals."""

    n: int
    better: Estimate
    """x has the higher mean."""
    significant: Estimate | None
    """x's mean is higher, with p ≤ 0.05 in Welch's t-test (None for n = 1, where there is none)."""


def variance_split(scores: Float[np.ndarray, "cell_seeds seeds"]) -> VarianceSplit:
    """Split the variance of crossed seeds into pattern (rows), learner (columns) and interaction.

    Two-way random effects, s_ij = μ + p_i + l_j + e_ij, by the mean squares of an analysis of variance:
    σ_e² = MS_e, σ_p² = (MS_p − MS_e)/columns, σ_l² = (MS_l − MS_e)/rows. These are unbiased; a negative one counts as 0
    in the shares, and is named in `clipped`.

    The intervals resample rows and columns (Owen, 2007). Copies of a row or a column have no interaction among
    themselves, which makes resamples too small and uneven: each component is corrected by its expectation. The
    quantiles are stretched as those of a mean over the smaller number of seeds.

    Raises:
        EvidenceError: for fewer than three seeds of either kind, an unknown score, or scores that are all the same.
    """
    rows, columns = scores.shape
    if min(rows, columns) < 3:
        raise EvidenceError(f"{rows} cell seeds × {columns} seeds: a variance split needs at least three of each.")
    if not np.isfinite(scores).all():
        raise EvidenceError(f"{(~np.isfinite(scores)).sum()} of {scores.size} scores are unknown or infinite.")
    if np.ptp(scores) == 0:
        raise EvidenceError(f"all {scores.size} scores are {scores.flat[0]:g}: there is no variance to split.")
    # Values of the order of 1: shares do not depend on shift and scale, but rounding does.
    components = variance_components(((scores - scores.mean()) / np.ptp(scores))[None])[0]
    generator = np.random.default_rng(0)
    chosen_rows = generator.integers(rows, size=(RESAMPLES, rows, 1))
    chosen_columns = generator.integers(columns, size=(RESAMPLES, 1, columns))
    resampled = variance_components(((scores - scores.mean()) / np.ptp(scores))[chosen_rows, chosen_columns])
    replicates = _shares(without_copies(resampled, rows, columns))
    tail = tail_of_mean(min(rows, columns))
    low, high = np.nanquantile(replicates, [tail, 1 - tail], axis=0)
    rows_of = zip(_shares(components), low, high, strict=True)
    pattern, learner, interaction = (Estimate(*map(float, row), n=scores.size) for row in rows_of)
    names = VarianceSplit._fields[:3]
    clipped = tuple(name for name, component in zip(names, components, strict=True) if component < 0)
    total = float(np.maximum(components, 0).sum() * np.ptp(scores) ** 2)
    return VarianceSplit(pattern, learner, interaction, total, clipped)


def found(x: Float[np.ndarray, " seeds"], y: Float[np.ndarray, " other_seeds"], n: int) -> Found:
    """How often a comparison of n seeds of each arm, drawn at random with replacement, would have found x above y.

    Raises:
        EvidenceError: if an arm has no seeds, or a score is not a finite number.
    """
    _check(x, y, n)
    generator = np.random.default_rng(0)
    drawn_x, drawn_y = (generator.choice(scores, size=(DRAWS, n)) for scores in (x, y))
    return _found(drawn_x, drawn_y)


def shares(x: Float[np.ndarray, " seeds"], y: Float[np.ndarray, " other_seeds"], n: int) -> Shares:
    """As `found`, and how surely it is known: quantiles over resamples of the seeds that were drawn from.

    Raises:
        EvidenceError: as `found`.
    """
    known = found(x, y, n)
    drawn = [scores[places].T for scores, places in zip((x, y), _resampled(len(x), len(y), n), strict=True)]
    better, significant = (flags.reshape(SHARE_RESAMPLES, SHARE_DRAWS).mean(axis=1) for flags in leads(*drawn))
    least = min(len(x), len(y))
    return Shares(
        n,
        share_estimate(known.better, better, least, len(x)),
        None if n == 1 else share_estimate(known.significant, significant, least, len(x)),
    )


def share_estimate(value: float, replicates: Float[np.ndarray, " resamples"], least: int, n: int) -> Estimate:
    """A share (or a mean) of n scores, with the quantiles of its replicates as interval.

    They are stretched as those of a mean over `least` seeds. The draws of the value and those of the replicates are
    others: near 0 and 1 the value may lie just outside, and the interval is widened to hold it.
    """
    tail = tail_of_mean(least)
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def found_with_one_pattern(
    x: Float[np.ndarray, "cell_seeds seeds"], y: Float[np.ndarray, "other_cell_seeds other_seeds"], n: int
) -> Found:
    """As `found`, for comparisons whose n learners of an arm all share one pattern, drawn at random.

    That is what code does that seeds the learner and forgets the cell. With seeds of both kinds drawn afresh, use
    `found` on the flattened matrices.
    """
    _check(x, y, n)
    generator = np.random.default_rng(0)
    drawn = []
    for scores in (x, y):
        pattern = generator.integers(len(scores), size=(DRAWS, 1))
        drawn.append(scores[pattern, generator.integers(scores.shape[1], size=(DRAWS, n))])
    return _found(*drawn)


def leads(
    x: Float[np.ndarray, "draws n"], y: Float[np.ndarray, "draws n"]
) -> tuple[Bool[np.ndarray, " draws"], Bool[np.ndarray, " draws"]]:
    """In which comparisons x has the higher mean, and in which also with p ≤ 0.05 in Welch's t-test (n = 1: in none).

    p ≤ 0.05 where t is at least its critical value, which falls with the degrees of freedom. These lie between n − 1
    and 2(n − 1), so that only a t between the two critical values needs its p-value.
    """
    n = x.shape[1]
    lead = x.mean(axis=1) - y.mean(axis=1)
    if n == 1:
        return lead > 0, np.zeros(len(lead), bool)
    # Without any spread there is no test: a lead that all seeds share exactly counts as found.
    with np.errstate(divide="ignore", invalid="ignore"):
        t = lead / np.sqrt((x.var(axis=1, ddof=1) + y.var(axis=1, ddof=1)) / n)
    least, most = scipy.special.stdtrit([2 * (n - 1), n - 1], 0.975)
    significant = (lead > 0) & (t >= most)
    open_ = np.flatnonzero((t >= least) & (t < most))
    significant[open_] = welch_p_values(x[open_], y[open_]) <= 0.05
    return lead > 0, significant


@functools.lru_cache(maxsize=8)  # the same for all pairs of arms of a study
def _resampled(seeds: int, other_seeds: int, n: int) -> list[Int[np.ndarray, "n draws"]]:
    """Which seeds of either arm are compared, n of each: in every resample of its seeds, one after the other."""
    generator = np.random.default_rng(0)
    places = []
    for size in (seeds, other_seeds):
        chosen = generator.integers(size, size=(SHARE_RESAMPLES, size))
        drawn = generator.integers(size, size=(SHARE_RESAMPLES, SHARE_DRAWS, n))
        of_all = chosen[np.arange(SHARE_RESAMPLES)[:, None, None], drawn].reshape(-1, n)
        places.append(np.ascontiguousarray(of_all.T))  # sums over n seeds are quick where the draws lie in a row
    return places


def _found(x: Float[np.ndarray, "draws n"], y: Float[np.ndarray, "draws n"]) -> Found:
    n = x.shape[1]
    better, significant = leads(x, y)
    return Found(n, float(better.mean()), float(significant.mean()) if n > 1 else float("nan"))


def welch_p_values(x: Float[np.ndarray, "draws n"], y: Float[np.ndarray, "draws n"]) -> Float[np.ndarray, " draws"]:
    """Two-sided p-values of Welch's t-test, one for each pair of small studies of n seeds."""
    n = x.shape[1]
    a, b = x.var(axis=1, ddof=1) / n, y.var(axis=1, ddof=1) / n
    t = (x.mean(axis=1) - y.mean(axis=1)) / np.sqrt(a + b)
    return 2 * scipy.special.stdtr((a + b) ** 2 * (n - 1) / (a**2 + b**2), -np.abs(t))


def variance_components(scores: Float[np.ndarray, "resamples rows columns"]) -> Float[np.ndarray, "resamples 3"]:
    """σ_p², σ_l², σ_e² of each matrix."""
    _, rows, columns = scores.shape
    mean = scores.mean(axis=(1, 2), keepdims=True)
    of_rows = scores.mean(axis=2, keepdims=True) - mean
    of_columns = scores.mean(axis=1, keepdims=True) - mean
    rest = scores - mean - of_rows - of_columns
    between_rows = columns * np.sum(of_rows**2, axis=(1, 2)) / (rows - 1)
    between_columns = rows * np.sum(of_columns**2, axis=(1, 2)) / (columns - 1)
    interaction = np.sum(rest**2, axis=(1, 2)) / ((rows - 1) * (columns - 1))
    pattern, learner = (between_rows - interaction) / columns, (between_columns - interaction) / rows
    return np.stack([pattern, learner, interaction], axis=1)


def without_copies(
    components: Float[np.ndarray, "resamples 3"], rows: int, columns: int
) -> Float[np.ndarray, "resamples 3"]:
    """Undo what copies do, in expectation: two rows drawn differ with probability 1 − 1/rows, columns likewise.

    E*[σ_e²] = (1 − 1/rows)(1 − 1/columns)·σ_e², and E*[σ_p²] = (1 − 1/rows)·(σ_p² + σ_e²/columns): copies of a column
    carry the same interaction, which the rows' means then keep.
    """
    other_row, other_column = 1 - 1 / rows, 1 - 1 / columns
    interaction = components[:, 2] / (other_row * other_column)
    pattern = components[:, 0] / other_row - interaction / columns
    learner = components[:, 1] / other_column - interaction / rows
    return np.stack([pattern, learner, interaction], axis=1)


def _shares(components: Float[np.ndarray, "*resamples 3"]) -> Float[np.ndarray, "*resamples 3"]:
    positive = np.maximum(components, 0.0)
    total = positive.sum(axis=-1, keepdims=True)
    # A resample of copies alone has no variance, and no shares.
    return np.divide(positive, total, out=np.full_like(positive, np.nan), where=total > 0)


def _check(x: np.ndarray, y: np.ndarray, n: int) -> None:
    if n < 1 or min(x.size, y.size) < 1:
        raise EvidenceError(f"{n} of {x.size} and {y.size} runs: nothing to draw from.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise EvidenceError("a score is unknown or infinite: a comparison has no mean.")
