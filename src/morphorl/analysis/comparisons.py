"""Comparisons: every arm of a study against one of them, with what tells chance from an effect."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl

from morphorl.analysis import curve_statistics
from morphorl.analysis.bootstrap import (
    Effect,
    Estimate,
    EvidenceError,
    benjamini_hochberg,
    difference,
    probability_of_improvement,
    ratio_of_medians,
)
from morphorl.analysis.paired_arms import LEAST_SEEDS
from morphorl.analysis.score_table import measured
from morphorl.analysis.survival import censor, kaplan_meier, log_rank
from morphorl.config.errors import SettingError, did_you_mean

RETURNS = tuple(name for name in curve_statistics.STATISTICS if name != "steps_to_threshold")


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
    ratio: Estimate | None
    """That median divided by the reference's."""
    log_rank: float | None
    """p-value of "both reach the threshold at the same rate"."""
    unknown: str
    """What the data cannot tell, in a sentence; empty if they tell all."""


def compare(scores: pl.DataFrame, against: str, statistic: str) -> list[Comparison]:
    """Every arm against the arm `against`, in every environment under every preset.

    The p-values of the effects are adjusted together, as one family, and so are those of the log-rank tests
    (Benjamini and Hochberg, 1995).

    Args:
        scores: as `scores.table` makes them.
        statistic: which return the effect is of, one of `RETURNS`.

    Raises:
        SettingError: if no arm has that label, or there is no other.
    """
    arms = scores["arm"].unique(maintain_order=True).to_list()
    if against not in arms:
        hint = did_you_mean(against, arms)
        raise SettingError(f"against = {against!r}: must be one of {', '.join(map(repr, arms))}.{hint}")
    if len(arms) == 1:
        raise SettingError(f"arms = {arms}: must be two or more, to compare one with another.")
    compared = []
    for (preset, environment), rows in scores.group_by("preset", "environment", maintain_order=True):
        by_arm = {arm: rows.filter(arm=arm).sort("seed", "cell_seed") for arm in arms if len(rows.filter(arm=arm))}
        rival = by_arm.pop(against, None)
        if rival is None:
            raise SettingError(f"against = {against!r}: has no run in {environment} under {preset}.")
        for arm, runs in by_arm.items():
            compared.append(_compare(str(preset), str(environment), arm, runs, rival, statistic))
    return _adjusted(compared)


def differing(arms: Mapping[str, Mapping[str, str]], against: str) -> dict[str, list[str]]:
    """For each arm, in what it differs from the arm `against`, such as "guidance.strength 0.3, not 0".

    Args:
        arms: the values in words of every arm by label, by dotted names; settings that cannot act are left out.
    """
    return {label: _differences(values, arms[against]) for label, values in arms.items() if label != against}


def _differences(values: Mapping[str, str], reference: Mapping[str, str]) -> list[str]:
    both = values.keys() & reference.keys()
    alone = {name.partition(".")[0] for name in values.keys() ^ reference.keys()}
    changed = [
        f"{name} {values[name]}, not {reference[name]}"
        for name in values
        if name in both and values[name] != reference[name]
    ]
    return changed + [f"settings of {', '.join(sorted(alone))} act in one of them only"] * bool(alone)


def _compare(
    preset: str, environment: str, arm: str, runs: pl.DataFrame, rival: pl.DataFrame, statistic: str
) -> Comparison:
    effect = better = median = ratio = p = None
    unknown = []
    x, y = measured(runs), measured(rival)
    least = min(len(runs), len(rival))
    if least < LEAST_SEEDS:
        why = f"{least} {'seed' if least == 1 else 'seeds'}: a comparison needs at least {LEAST_SEEDS}."
        return Comparison(preset, environment, arm, None, None, None, None, None, why)
    paired = runs.select("seed", "cell_seed").equals(rival.select("seed", "cell_seed"))
    try:
        effect = difference(x[statistic], y[statistic], paired=paired)
        better = probability_of_improvement(x[statistic], y[statistic], paired=paired)
    except KeyError:
        unknown.append(f"{statistic} was not measured.")
    except EvidenceError as error:
        unknown.append(str(error))
    try:
        median, p = _steps(x, y, runs, rival)
        ratio = _ratio(x, y, runs, rival, paired)
    except EvidenceError as error:
        unknown.append(str(error))
    return Comparison(preset, environment, arm, effect, better, median, ratio, p, " ".join(unknown))


def _steps(x: Mapping, y: Mapping, runs: pl.DataFrame, rival: pl.DataFrame) -> tuple[Estimate, float]:
    """The median steps of x, and the log-rank test. Each run was watched for its own `steps`."""
    if "steps_to_threshold" not in x or "steps_to_threshold" not in y:
        raise EvidenceError("steps to a threshold were not measured.")
    watched = [frame["steps"].cast(pl.Float64).to_numpy() for frame in (runs, rival)]
    steps = [scores["steps_to_threshold"] for scores in (x, y)]
    mine = kaplan_meier(np.minimum(steps[0], watched[0]), np.isfinite(steps[0])).median
    return mine, log_rank(*(censor(taken, until) for taken, until in zip(steps, watched, strict=True)))


def _ratio(x: Mapping, y: Mapping, runs: pl.DataFrame, rival: pl.DataFrame, paired: bool) -> Estimate | None:
    """The ratio of the medians, where all runs that did not get there were watched to the end."""
    for scores, frame in ((x, runs), (y, rival)):
        watched = frame["steps"].cast(pl.Float64).to_numpy()
        left = np.isinf(scores["steps_to_threshold"]) & (watched < watched.max())
        if left.any():
            raise EvidenceError(
                f"{left.sum()} runs ended early and below the threshold: their medians have no ratio (the log-rank "
                "test takes such runs as they are)."
            )
    return ratio_of_medians(x["steps_to_threshold"], y["steps_to_threshold"], paired=paired)


def _adjusted(compared: list[Comparison]) -> list[Comparison]:
    """The same comparisons with the p-values of each of the two tests adjusted for their number."""
    effects = _adjust([None if one.effect is None else one.effect.p for one in compared])
    ranks = _adjust([one.log_rank for one in compared])
    return [
        one._replace(effect=None if one.effect is None else one.effect._replace(p=p), log_rank=rank)
        for one, p, rank in zip(compared, effects, ranks, strict=True)
    ]


def _adjust(p_values: list[float | None]) -> list[float | None]:
    known = [i for i, p in enumerate(p_values) if p is not None]
    adjusted: list[float | None] = [None] * len(p_values)
    for i, p in zip(known, benjamini_hochberg(np.array([p_values[i] for i in known], float)), strict=True):
        adjusted[i] = float(p)
    return adjusted
