"""What a verdict rests on: the arms of one environment on common seeds, or a sentence on what is wrong with them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis.bootstrap import EvidenceError, Resampled, resample
from morphorl.analysis.score_table import known

LEAST_SEEDS = 8
"""Fewer seeds give no verdict: their bootstrap intervals are far too narrow (docs/method.md)."""

LEAST_GAIN = 0.5
"""Plain PPO must add this share of its untrained return, or there is no learning to measure effects by."""

NEEDED = ("early_return", "area_under_curve", "final_return", "peak_return")

Seeds = Float[np.ndarray, " seeds"]


class Arm(NamedTuple):
    """The scores of one arm's runs; row i of every arm has the same seed."""

    early: Seeds
    mean: Seeds
    final: Seeds
    peak: Seeds
    """The best mean over any tenth of the steps in a row."""
    untrained: Seeds
    """The return of the network before training, by evaluation; NaN where it was not measured."""
    greedy_early: Seeds
    """The mean of the greedy evaluations in the first fifth of the steps; NaN where there were none."""


class Evidence(NamedTuple):
    """All arms that a claim compares, and what a reader should know about them."""

    arms: dict[str, Arm]
    n: int
    notes: tuple[str, ...]


def gather(scores: pl.DataFrame, environment: str, labels: Sequence[str]) -> Evidence:
    """The arms of one environment, paired by seed, from a table of scores under one preset (`scores.table`).

    Diverged runs keep their place: from then on they count with what their broken network earns. Seeds that some arm
    lacks are left out of all arms, and a note says so.

    Raises:
        EvidenceError: if an arm is missing, or its runs are too few, all diverged, all the same, crossed, or have a
            return that nobody knows.
    """
    rows = scores.filter(pl.col("environment") == environment)
    if not len(rows):
        raise EvidenceError(f"no run in {environment}.")
    by_arm = {label: rows.filter(pl.col("arm") == label).sort("seed") for label in dict.fromkeys(labels)}
    missing = [label for label, arm in by_arm.items() if not len(arm)]
    if missing:
        raise EvidenceError(f"{environment} has no run of {', '.join(map(repr, missing))}.")
    for label, arm in by_arm.items():
        _check_seeds(arm, f"{label!r} in {environment}")
    seeds = set.intersection(*(set(arm["seed"]) for arm in by_arm.values()))
    if len(seeds) < LEAST_SEEDS:
        raise EvidenceError(
            f"{len(seeds)} seeds common to all arms in {environment}: a verdict needs at least {LEAST_SEEDS}."
        )
    common = {label: arm.filter(pl.col("seed").is_in(list(seeds))) for label, arm in by_arm.items()}
    arms = {label: _arm(arm, f"{label!r} in {environment}") for label, arm in common.items()}
    left_out = set.union(*(set(arm["seed"]) for arm in by_arm.values())) - seeds
    notes = [f"{len(left_out)} seeds that some arm lacks were left out"] if left_out else []
    diverged = {label: len(arm.drop_nulls("diverged_at")) for label, arm in common.items()}
    notes += [f"{n} of {len(seeds)} runs of {label!r} diverged and count" for label, n in diverged.items() if n]
    for label, count in diverged.items():
        if count == len(seeds):
            raise EvidenceError(f"all {count} runs of {label!r} in {environment} diverged.")
    return Evidence(arms, len(seeds), tuple(notes))


def learned(plain: Arm, score: Literal["early", "mean", "final"], label: str) -> Resampled:
    """What plain PPO learns, the unit of effects: its score less its untrained return, IQMs over seeds.

    Args:
        label: of plain PPO, for the sentence.

    Raises:
        EvidenceError: if the latter was not measured, or if what is learned is less than LEAST_GAIN of it in more than
            2.5% of the resamples. On a smaller scale, differences between untrained networks would look large.
    """
    if not np.isfinite(plain.untrained).all():
        raise EvidenceError(f"the untrained return of {label} was not measured: there is no unit.")
    trained, untrained = resample(getattr(plain, score)), resample(plain.untrained)
    gain = Resampled(trained.value - untrained.value, trained.replicates - untrained.replicates, trained.n)
    enough = gain.replicates > LEAST_GAIN * np.abs(untrained.replicates)
    if np.mean(enough) < 0.975:
        raise EvidenceError(
            f"{label} learns too little to measure by ({trained.value:.1f} after {untrained.value:.1f} untrained). "
            "Train for more steps."
        )
    return gain


def _check_seeds(arm: pl.DataFrame, name: str) -> None:
    if len(arm) != arm["seed"].n_unique():
        raise EvidenceError(
            f"{name} crosses {arm['cell_seed'].n_unique()} cell seeds with {arm['seed'].n_unique()} seeds: "
            "verdicts need a cell seed of its own for each seed."
        )


def _arm(rows: pl.DataFrame, name: str) -> Arm:
    needed = np.stack([known(rows, column) for column in NEEDED])
    unknown = int((~np.isfinite(needed)).any(axis=0).sum())
    if unknown:
        raise EvidenceError(f"{unknown} of {len(rows)} runs of {name} have an unknown return.")
    if len(np.unique(needed, axis=1).T) == 1:
        raise EvidenceError(f"all {len(rows)} runs of {name} are the same run: their seeds make no difference.")
    optional = ("untrained_return", "early_greedy_return")
    measured = [rows[column].cast(pl.Float64).fill_null(np.nan).to_numpy() for column in optional]
    return Arm(*needed, *measured)
