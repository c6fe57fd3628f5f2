"""Performance profiles: the share of runs with a score above τ, for every τ (Agarwal et al., 2021).

Several environments are pooled, each with the same number of runs: their scores must be on one scale.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from morphorl.analysis.bootstrap import RESAMPLES, EvidenceError, resample_counts


class Profile(NamedTuple):
    """The share of runs above each level, with its pointwise 95% interval."""

    levels: Float[np.ndarray, " levels"]
    share: Float[np.ndarray, " levels"]
    low: Float[np.ndarray, " levels"]
    high: Float[np.ndarray, " levels"]


def profile(scores: Float[np.ndarray, "seeds *environments"], levels: Float[np.ndarray, " levels"]) -> Profile:
    """The performance profile of an arm, by whole runs resampled within each environment.

    Raises:
        EvidenceError: for a score that is not a finite number.
    """
    if not np.isfinite(scores).all():
        raise EvidenceError(f"{(~np.isfinite(scores)).sum()} of {scores.size} scores are unknown or infinite.")
    seeds = len(scores)
    above = (scores.reshape(seeds, -1)[:, :, None] > levels).astype(float)
    environments = above.shape[1]
    replicates = np.zeros((RESAMPLES, len(levels)))
    for part in range(environments):
        counts = resample_counts(seeds, RESAMPLES, 0, part).T / seeds
        replicates += counts @ above[:, part] / environments
    low, high = np.quantile(replicates, [0.025, 0.975], axis=0)
    return Profile(levels, above.mean(axis=(0, 1)), low, high)


def levels(*scores: Float[np.ndarray, " seeds"], points: int = 101) -> Float[np.ndarray, " levels"]:
    """Levels from the least to the largest of all scores, for one chart of several arms."""
    known = np.concatenate([one[np.isfinite(one)] for one in scores])
    if not len(known):
        raise EvidenceError("no score is known.")
    return np.linspace(known.min(), known.max(), points)
