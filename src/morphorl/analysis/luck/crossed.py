"""How surely the luck of few seeds is known: intervals that respect both kinds of crossed seeds, patterns and learners.

A study of 48 patterns has seen 48 patterns. What it says of comparisons that draw one pattern depends on which ones it
had. So whole rows (patterns) and whole columns (learners) are resampled, independently of each other and together in
both arms, which share their seeds (Owen, 2007).
"""

import numpy as np
from jaxtyping import Float, Integer

from morphorl.analysis.bootstrap import RESAMPLES, Estimate, EvidenceError
from morphorl.analysis.luck import seed_luck
from morphorl.analysis.luck.seed_luck import SHARE_DRAWS, SHARE_RESAMPLES, Shares, share_estimate


def mean_difference(x: Float[np.ndarray, "cell_seeds seeds"], y: Float[np.ndarray, "_ _"]) -> Estimate:
    """The mean of x − y, with an interval over patterns and learners.

    Args:
        x, y: entry (i, j) of both has cell seed i and learner's seed j.

    Raises:
        EvidenceError: for arms of other seeds, fewer than two of a kind, or a score that is not a finite number.
    """
    _check(x, y)
    rows, columns = x.shape
    generator = np.random.default_rng(0)
    of_rows = generator.multinomial(rows, np.full(rows, 1 / rows), size=RESAMPLES) / rows
    of_columns = generator.multinomial(columns, np.full(columns, 1 / columns), size=RESAMPLES) / columns
    replicates = ((of_rows @ (x - y)) * of_columns).sum(axis=1)
    return share_estimate(float((x - y).mean()), replicates, min(rows, columns), x.size)


def shares(
    x: Float[np.ndarray, "cell_seeds seeds"], y: Float[np.ndarray, "_ _"], n: int, *, one_pattern: bool
) -> Shares:
    """How often a comparison of n seeds of each arm would have found x above y, and how surely that is known.

    The shares are those of `seed_luck.found` and `seed_luck.found_with_one_pattern`. Their intervals are the quantiles
    over `SHARE_RESAMPLES` resamples of rows and columns, with `SHARE_DRAWS` comparisons each, stretched as those of a
    mean over the smaller number of seeds.

    Args:
        one_pattern: whether the n learners of an arm share one pattern, or each has a fresh one.

    Raises:
        EvidenceError: as `mean_difference`, and for n below 1.
    """
    _check(x, y)
    found = seed_luck.found_with_one_pattern(x, y, n) if one_pattern else seed_luck.found(x.ravel(), y.ravel(), n)
    generator = np.random.default_rng(0)
    chosen = [generator.integers(size, size=(SHARE_RESAMPLES, size)) for size in x.shape]
    drawn = [scores.ravel()[_draw(generator, chosen, n, one_pattern)].reshape(-1, n) for scores in (x, y)]
    better, significant = (
        flags.reshape(SHARE_RESAMPLES, SHARE_DRAWS).mean(axis=1) for flags in seed_luck.leads(*drawn)
    )
    least = min(x.shape)
    return Shares(
        n,
        share_estimate(found.better, better, least, x.size),
        None if n == 1 else share_estimate(found.significant, significant, least, x.size),
    )


def _draw(
    generator: np.random.Generator, chosen: list[Integer[np.ndarray, "resamples _"]], n: int, one_pattern: bool
) -> Integer[np.ndarray, "resamples draws n"]:
    """Where in the flattened matrix the runs of each comparison stand, drawn from the rows and columns resampled."""
    rows, columns = (one.shape[1] for one in chosen)
    shape = (SHARE_RESAMPLES, SHARE_DRAWS, 1 if one_pattern else n)
    resample = np.arange(SHARE_RESAMPLES, dtype=np.int32)[:, None, None]
    row = chosen[0][resample, generator.integers(rows, size=shape, dtype=np.int32)]
    column = chosen[1][resample, generator.integers(columns, size=(*shape[:2], n), dtype=np.int32)]
    return row * columns + column


def _check(x: np.ndarray, y: np.ndarray) -> None:
    if x.shape != y.shape or min(x.shape) < 2:
        raise EvidenceError(f"{x.shape} and {y.shape} cell seeds × seeds: must be the same two or more of each.")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise EvidenceError("a score is unknown or infinite: a comparison has no mean.")
