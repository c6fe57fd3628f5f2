"""What figures and report show, computed once: curves with bands, survival, early return, and the luck of few seeds.

Each function takes the rows of one arm in one environment under one preset, and raises `EvidenceError` with a sentence
where the data do not hold what is asked.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis import curve_statistics, survival
from morphorl.analysis.bootstrap import Estimate, EvidenceError, bootstrap, iqm
from morphorl.analysis.luck import seed_luck
from morphorl.analysis.luck.seed_luck import Shares
from morphorl.analysis.survival import Survival

SMALL_COMPARISONS = (1, 3, 5, 10)
"""Seeds per arm of the small comparisons whose luck is shown."""

MOST_ARMS = 12
"""Arms that one chart can tell apart."""


class Curve(NamedTuple):
    """Episode return over environment steps: IQM over seeds with its 95% interval, and the seeds themselves."""

    steps: Float[np.ndarray, " points"]
    middle: Float[np.ndarray, " points"]
    low: Float[np.ndarray, " points"]
    high: Float[np.ndarray, " points"]
    seeds: Float[np.ndarray, "seeds points"]


def by_arm(curves: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each arm, in the order in which the arms come."""
    parts = curves.partition_by("arm", as_dict=True, maintain_order=True)
    return {str(arm): rows for (arm,), rows in parts.items()}


def curve(rows: pl.DataFrame) -> Curve:
    """The learning curve of an arm. Where a return is unknown, so is the curve (NaN)."""
    steps, returns = curve_statistics.on_grid(rows, curve_statistics.POINTS)
    middle, low, high = bootstrap(iqm, returns)
    return Curve(steps, middle, low, high, returns)


def early(returns: Float[np.ndarray, "seeds points"]) -> Estimate:
    """Early return of an arm: IQM over seeds and 95% interval."""
    _check_known(returns)
    return Estimate(*map(float, bootstrap(iqm, curve_statistics.early(returns))), n=len(returns))


def threshold_survival(rows: pl.DataFrame, threshold: float | None) -> Survival:
    """The share of an arm's runs that have not reached the threshold yet, by Kaplan and Meier."""
    if threshold is None:
        raise EvidenceError("nobody has named a return from which this task counts as solved.")
    if not len(rows.drop_nulls("greedy_return")):
        raise EvidenceError("there were no greedy evaluations: run the study with evaluate_every above 0.")
    steps = curve_statistics.steps_to(threshold, rows)
    budget = float(rows["env_steps"].cast(pl.Float64).to_numpy().max())
    return survival.kaplan_meier(np.minimum(steps, budget), np.isfinite(steps))


def small_comparisons(
    returns: Float[np.ndarray, "seeds points"], rival: Float[np.ndarray, "other_seeds points"]
) -> list[Shares]:
    """How often a comparison of a few seeds would have found an arm's early return above its rival's, with intervals
    over the seeds that there are."""
    _check_known(returns)
    _check_known(rival)
    if min(len(returns), len(rival)) < 2:
        raise EvidenceError("one seed has no luck to show: run more.")
    return [
        seed_luck.shares(curve_statistics.early(returns), curve_statistics.early(rival), n) for n in SMALL_COMPARISONS
    ]


def attempt(function: Any, *arguments: Any) -> Any:
    """What a function finds, or the sentence that says why it cannot."""
    try:
        return function(*arguments)
    except EvidenceError as error:
        return str(error)


def _check_known(returns: Float[np.ndarray, "seeds points"]) -> None:
    unknown = int((~np.isfinite(returns)).any(axis=1).sum())
    if unknown:
        raise EvidenceError(f"{unknown} of {len(returns)} runs have an unknown return.")
