"""A crossed study's luck: whose variance each arm's score is, and how often a few seeds would find an effect."""

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl import luck, stats
from morphorl.errors import SettingError, did_you_mean
from morphorl.intervals import EvidenceError

SCORES = {"early_return": stats.early, "mean_return": lambda returns: returns.mean(axis=1), "final_return": stats.final}
SIZES = (1, 3, 5, 10)
"""Seeds of an arm in the comparisons that are resampled."""

Report = dict[str, dict[str, dict[str, dict[str, Any]]]]
"""By preset, environment, arm and score: `mean`, `split`, and for all arms but the reference `lead` and `found`. What
the data cannot tell is a sentence under `unknown`."""


def report(curves: pl.DataFrame, against: str | None = None) -> Report:
    """Split the variance of every arm, and resample comparisons with the arm `against` (by default the first one).

    Raises:
        SettingError: if no arm has that label, or the runs do not cross cell seeds with seeds.
    """
    arms = curves["arm"].unique(maintain_order=True).to_list()
    reference = arms[0] if against is None else against
    if reference not in arms:
        hint = did_you_mean(reference, arms)
        raise SettingError(f"against = {reference!r}: must be one of {', '.join(map(repr, arms))}.{hint}")
    runs = curves.select("arm", "seed", "cell_seed").unique()
    if runs["cell_seed"].n_unique() < 3 or len(runs) < 3 * len(runs.unique(["arm", "seed"])):
        raise SettingError(
            "cell_seeds: must be 3 or more cell seeds crossed with the seeds; set it in the study, or with "
            "--set cell_seeds=16."
        )
    told: Report = {}
    for (preset, environment), rows in curves.group_by("preset", "environment", maintain_order=True):
        told.setdefault(str(preset), {})[str(environment)] = _environment(rows, reference)
    return told


def _environment(rows: pl.DataFrame, reference: str) -> dict[str, dict[str, Any]]:
    arms = rows["arm"].unique(maintain_order=True).to_list()
    scores = {arm: _scores(rows.filter(arm=arm)) for arm in arms}
    return {
        arm: {name: _score(scores[arm][name], None if arm == reference else scores[reference][name]) for name in SCORES}
        for arm in arms
    }


def _scores(rows: pl.DataFrame) -> dict[str, Float[np.ndarray, "cell_seeds seeds"] | str]:
    """The matrix of each score, or a sentence on why there is none."""
    try:
        _, returns = stats.on_grid(rows, stats.POINTS)
        return {name: stats.crossed(rows, score(returns)) for name, score in SCORES.items()}
    except EvidenceError as error:
        return dict.fromkeys(SCORES, str(error))


def _score(
    scores: Float[np.ndarray, "cell_seeds seeds"] | str, reference: Float[np.ndarray, "_ _"] | str | None
) -> dict[str, Any]:
    if isinstance(scores, str):
        return {"unknown": scores}
    try:
        split = luck.variance_split(scores)
    except EvidenceError as error:
        return {"unknown": str(error)}
    parts = {name: getattr(split, name)._asdict() for name in ("pattern", "learner", "interaction")}
    told = {"mean": float(scores.mean()), "split": parts | {"total": split.total, "clipped": list(split.clipped)}}
    if reference is None:
        return told
    if isinstance(reference, str) or not np.isfinite(reference).all():
        return told | {"unknown": "the arm compared with has an unknown return."}
    found = [_found(scores, reference, n) for n in SIZES]
    return told | {"lead": float(scores.mean() - reference.mean()), "found": found}


def _found(scores: Float[np.ndarray, "_ _"], reference: Float[np.ndarray, "_ _"], n: int) -> dict[str, Any]:
    fresh, shared = luck.found(scores.ravel(), reference.ravel(), n), luck.found_with_one_pattern(scores, reference, n)
    told: dict[str, Any] = {"n": n}
    for kind, result in (("fresh_patterns", fresh), ("one_pattern", shared)):
        significant = None if np.isnan(result.significant) else result.significant
        told[kind] = {"better": result.better, "significant": significant}
    return told
