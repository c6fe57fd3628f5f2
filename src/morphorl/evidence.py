"""What a verdict rests on: the arms of one environment on common seeds, or a sentence on what is wrong with them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl import stats
from morphorl.intervals import EvidenceError

LEAST_SEEDS = 8
"""Fewer seeds give no verdict: their bootstrap intervals are far too narrow (docs/method.md)."""


class Arm(NamedTuple):
    """The runs of one arm, one row per seed; row i of every arm has the same seed."""

    returns: Float[np.ndarray, "seeds points"]
    untrained: Float[np.ndarray, " seeds"]
    """The return in the first update in which an episode ended: that of a network not trained yet."""


class Evidence(NamedTuple):
    """All arms that a claim compares, and what a reader should know about them."""

    arms: dict[str, Arm]
    n: int
    notes: tuple[str, ...]


def gather(curves: pl.DataFrame, environment: str, labels: Sequence[str]) -> Evidence:
    """The arms of one environment, paired by seed.

    Diverged runs keep their place: from then on they count with what their broken network earns. Seeds that some arm
    lacks are left out of all arms, and a note says so.

    Raises:
        EvidenceError: if an arm is missing, or its runs are too few, all diverged, all the same, crossed, or have a
            return that nobody knows.
    """
    rows = curves.filter(pl.col("environment") == environment)
    if not len(rows):
        raise EvidenceError(f"no run in {environment}.")
    missing = [label for label in labels if not len(rows.filter(pl.col("arm") == label))]
    if missing:
        raise EvidenceError(f"{environment} has no run of {', '.join(map(repr, missing))}.")
    by_arm = {label: rows.filter(pl.col("arm") == label) for label in labels}
    for label, arm in by_arm.items():
        _check_seeds(arm, f"{label!r} in {environment}")
    seeds = set.intersection(*(set(arm["seed"]) for arm in by_arm.values()))
    if len(seeds) < LEAST_SEEDS:
        raise EvidenceError(
            f"{len(seeds)} seeds common to all arms in {environment}: a verdict needs at least {LEAST_SEEDS}."
        )
    left_out = set.union(*(set(arm["seed"]) for arm in by_arm.values())) - seeds
    notes = [f"{len(left_out)} seeds that some arm lacks were left out"] if left_out else []
    common = {label: arm.filter(pl.col("seed").is_in(list(seeds))) for label, arm in by_arm.items()}
    arms = {label: _arm(arm, f"{label!r} in {environment}") for label, arm in common.items()}
    diverged = {label: arm.drop_nulls("diverged_at")["seed"].n_unique() for label, arm in common.items()}
    notes += [
        f"{count} of {len(seeds)} runs of {label!r} diverged and count" for label, count in diverged.items() if count
    ]
    for label, count in diverged.items():
        if count == len(seeds):
            raise EvidenceError(f"all {count} runs of {label!r} in {environment} diverged.")
    return Evidence(arms, len(seeds), tuple(notes))


def _check_seeds(arm: pl.DataFrame, name: str) -> None:
    runs = arm.select("seed", "cell_seed").unique()
    if len(runs) != runs["seed"].n_unique():
        raise EvidenceError(
            f"{name} crosses {runs['cell_seed'].n_unique()} cell seeds with {runs['seed'].n_unique()} seeds: "
            "verdicts need a cell seed of its own for each seed."
        )


def _arm(rows: pl.DataFrame, name: str) -> Arm:
    try:
        _, returns = stats.on_grid(rows, stats.POINTS)
    except EvidenceError as error:
        raise EvidenceError(f"{name}: {error}") from None
    unknown = int((~np.isfinite(returns)).any(axis=1).sum())
    if unknown:
        raise EvidenceError(f"{unknown} of {len(returns)} runs of {name} have an unknown return.")
    if len(np.unique(returns, axis=0)) == 1:
        raise EvidenceError(f"all {len(returns)} runs of {name} are the same run: their seeds make no difference.")
    known = rows.filter(pl.col("episodes") > 0).sort("env_steps")
    first = known.group_by("seed", maintain_order=True).agg(pl.col("episode_return").first()).sort("seed")
    return Arm(returns, first["episode_return"].cast(pl.Float64).to_numpy())
