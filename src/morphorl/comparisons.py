"""Comparisons: every arm of a study against one of them, with what tells chance from an effect."""

from typing import NamedTuple

import numpy as np
import polars as pl

from morphorl import envs, stats
from morphorl.errors import SettingError, did_you_mean
from morphorl.evidence import LEAST_SEEDS
from morphorl.intervals import (
    Effect,
    Estimate,
    EvidenceError,
    benjamini_hochberg,
    difference,
    probability_of_improvement,
)
from morphorl.survival import censor, kaplan_meier, log_rank

RETURNS = tuple(name for name in stats.STATISTICS if name != "steps_to_threshold")


class Comparison(NamedTuple):
    """One arm against the reference, in one environment under one preset; p-values are adjusted for their number."""

    preset: str
    environment: str
    arm: str
    effect: Effect | None
    """The difference of the IQMs of a return, paired by seed where both arms have the same seeds."""
    better: Estimate | None
    """P(a run of this arm has a higher return than one of the reference)."""
    median: Estimate | None
    """Median steps to the threshold (Kaplan-Meier)."""
    ratio: float | None
    """That median divided by the reference's."""
    log_rank: float | None
    """p-value of "both reach the threshold at the same rate"."""
    unknown: str
    """What the data cannot tell, in a sentence; empty if they tell all."""


def compare(curves: pl.DataFrame, against: str, statistic: str) -> list[Comparison]:
    """Every arm against the arm `against`, in every environment under every preset.

    The p-values of the effects are adjusted together, as one family, and so are those of the log-rank tests
    (Benjamini and Hochberg, 1995).

    Args:
        statistic: which return the effect is of, one of `RETURNS`.

    Raises:
        SettingError: if no arm has that label, or there is no other.
    """
    arms = curves["arm"].unique(maintain_order=True).to_list()
    if against not in arms:
        hint = did_you_mean(against, arms)
        raise SettingError(f"against = {against!r}: must be one of {', '.join(map(repr, arms))}.{hint}")
    if len(arms) == 1:
        raise SettingError(f"arms = {arms}: must be two or more, to compare one with another.")
    told = []
    for (preset, environment), rows in curves.group_by("preset", "environment", maintain_order=True):
        threshold = envs.make(str(environment)).threshold
        by_arm = {arm: rows.filter(arm=arm) for arm in arms if len(rows.filter(arm=arm))}
        rival = by_arm.pop(against, None)
        if rival is None:
            raise SettingError(f"against = {against!r}: has no run in {environment} under {preset}.")
        for arm, runs in by_arm.items():
            told.append(_compare(str(preset), str(environment), arm, runs, rival, threshold, statistic))
    return _adjusted(told)


def _compare(
    preset: str,
    environment: str,
    arm: str,
    runs: pl.DataFrame,
    rival: pl.DataFrame,
    threshold: float | None,
    statistic: str,
) -> Comparison:
    effect = better = median = ratio = p = None
    unknown = []
    x, y = stats.measure(runs, threshold), stats.measure(rival, threshold)
    keys = [_seeds(frame) for frame in (runs, rival)]
    least = min(map(len, keys))
    if least < LEAST_SEEDS:
        why = f"{least} seeds: a comparison needs at least {LEAST_SEEDS}."
        return Comparison(preset, environment, arm, None, None, None, None, None, why)
    try:
        paired = keys[0] == keys[1]
        effect = difference(x[statistic], y[statistic], paired=paired)
        better = probability_of_improvement(x[statistic], y[statistic], paired=paired)
    except KeyError:
        unknown.append(f"{statistic} was not measured.")
    except EvidenceError as error:
        unknown.append(str(error))
    try:
        median, ratio, p = _steps(x, y, runs, rival)
    except EvidenceError as error:
        unknown.append(str(error))
    return Comparison(preset, environment, arm, effect, better, median, ratio, p, " ".join(unknown))


def _steps(x: dict, y: dict, runs: pl.DataFrame, rival: pl.DataFrame) -> tuple[Estimate, float | None, float]:
    if "steps_to_threshold" not in x or "steps_to_threshold" not in y:
        raise EvidenceError("steps to a threshold were not measured.")
    budgets = [float(frame["env_steps"].cast(pl.Float64).to_numpy().max()) for frame in (runs, rival)]
    steps = [scores["steps_to_threshold"] for scores in (x, y)]
    mine, theirs = (
        kaplan_meier(np.minimum(taken, budget), np.isfinite(taken)).median
        for taken, budget in zip(steps, budgets, strict=True)
    )
    p = log_rank(*(censor(taken, budget) for taken, budget in zip(steps, budgets, strict=True)))
    known = np.isfinite(mine.value) and np.isfinite(theirs.value)
    return mine, mine.value / theirs.value if known else None, p


def _seeds(runs: pl.DataFrame) -> list:
    return runs.select("seed", "cell_seed").unique().sort("seed", "cell_seed").rows()


def _adjusted(told: list[Comparison]) -> list[Comparison]:
    """The same comparisons with the p-values of each of the two tests adjusted for their number."""
    effects = _adjust([None if one.effect is None else one.effect.p for one in told])
    ranks = _adjust([one.log_rank for one in told])
    return [
        one._replace(effect=None if one.effect is None else one.effect._replace(p=p), log_rank=rank)
        for one, p, rank in zip(told, effects, ranks, strict=True)
    ]


def _adjust(p_values: list[float | None]) -> list[float | None]:
    known = [i for i, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    for i, p in zip(known, benjamini_hochberg(np.array([p_values[i] for i in known], float)), strict=True):
        adjusted[i] = float(p)
    return adjusted
