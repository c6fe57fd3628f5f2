"""What the report on runs of another program shows, as plain values ready for JSON; the page draws them."""

from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis import curve_statistics, learning_curves, profiles, survival
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.learning_curves import MOST_ARMS, attempt
from morphorl.analysis.logs.runs import Runs
from morphorl.analysis.luck import seed_luck
from morphorl.analysis.luck.seed_luck import Shares
from morphorl.analysis.profiles import Profile
from morphorl.analysis.score_table import measured
from morphorl.analysis.survival import Survival
from morphorl.report.chart_data import Plain, curve_data, estimate_data, luck_data, numbers, survival_data
from morphorl.report.log_tables import summaries

SIZES = (3, 5, 10)
"""Seeds per arm of the small comparisons whose luck is shown."""


class Measures:
    """What charts and figures of one environment show, each computed once, or the sentence that says why not."""

    def __init__(self, runs: Runs, environment: str, curves: pl.DataFrame) -> None:
        self.runs = runs
        self.environment = environment
        self.scores = runs.scores.filter(environment=environment)
        self.curves = curves.filter(environment=environment)
        self.arms = self.scores["arm"].unique(maintain_order=True).to_list()

    def of(self, arm: str, statistic: str) -> Float[np.ndarray, " runs"]:
        """The scores of an arm.

        Raises:
            EvidenceError: if they were not measured, or one is unknown.
        """
        found = measured(self.scores.filter(arm=arm).sort("seed")).get(statistic)
        if found is None:
            raise EvidenceError(f"{statistic} was not measured.")
        if statistic != "steps_to_threshold" and not np.isfinite(found).all():
            raise EvidenceError("the arm's returns are unknown, since too many of its runs end early.")
        return found

    def survival(self, arm: str) -> Survival:
        """The share of an arm's runs that have not reached the threshold yet; each was watched until it ended."""
        if self.environment not in self.runs.thresholds:
            raise EvidenceError("nobody has named a return from which this task counts as solved (--threshold).")
        steps = self.of(arm, "steps_to_threshold")
        watched = self.scores.filter(arm=arm).sort("seed")["steps"].cast(pl.Float64).to_numpy()
        return survival.kaplan_meier(np.minimum(steps, watched), np.isfinite(steps))

    def profiles(self, statistic: str) -> dict[str, Profile | str]:
        """The performance profile of every arm, over the same levels."""
        known = {arm: attempt(self.of, arm, statistic) for arm in self.arms}
        there = [one for one in known.values() if not isinstance(one, str)]
        over = profiles.levels(*there) if there else np.zeros(0)
        return {arm: one if isinstance(one, str) else profiles.profile(one, over) for arm, one in known.items()}

    def luck(self, against: str, statistic: str) -> dict[str, list[Shares] | str]:
        """How often few seeds would find each arm above the reference."""
        return {arm: attempt(self._luck, arm, against, statistic) for arm in self.arms if arm != against}

    def _luck(self, arm: str, against: str, statistic: str) -> list[Shares]:
        x, y = self.of(arm, statistic), self.of(against, statistic)
        if min(len(x), len(y)) < 2:
            raise EvidenceError("one seed has no luck to show: run more.")
        return [seed_luck.shares(x, y, n) for n in SIZES]


def groups(runs: Runs) -> list[Plain]:
    """Arms that are shown together: as many as a chart can tell apart."""
    count = runs.scores["arm"].n_unique()
    parts = [list(range(start, min(start + MOST_ARMS, count))) for start in range(0, count, MOST_ARMS)]
    return [{"name": f"arms {part[0] + 1} to {part[-1] + 1}", "arms": part} for part in parts]


def panel(one: Measures, labels: list[str], against: str, statistic: str) -> Plain:
    """Everything about one environment; what does not exist is a sentence instead."""
    found = summaries(one.runs, one.environment)
    profiled, luck = one.profiles(statistic), one.luck(against, statistic)
    arms = [
        {
            "arm": labels.index(arm),
            "runs": len(one.scores.filter(arm=arm)),
            "diverged": 0,
            "summary": {name: estimate_data(estimate) for name, estimate in found[arm].items()},
            "curve": _curve(one, arm),
            "survival": _or_sentence(attempt(one.survival, arm), survival_data),
            "early": _early(one, arm),
            "profile": _or_sentence(profiled[arm], _profile),
            "luck": _or_sentence(luck.get(arm, "this is the arm that the others are compared with."), luck_data),
        }
        for arm in one.arms
    ]
    threshold = one.runs.thresholds.get(one.environment)
    return {
        "preset": "",
        "environment": one.environment,
        "threshold": threshold and threshold.value,
        "rival": labels.index(against),
        "missing": [label for label in labels if label not in one.arms],
        "arms": arms,
    }


def _curve(one: Measures, arm: str) -> Any:
    if arm in one.runs.unknown[one.environment]:
        return "the arm's returns are unknown, since too many of its runs end early."
    return _or_sentence(attempt(learning_curves.curve, one.curves.filter(arm=arm)), curve_data)


def _early(one: Measures, arm: str) -> Any:
    scores = attempt(one.of, arm, "early_return")
    if isinstance(scores, str):
        return scores
    value, low, high = map(float, curve_statistics.bootstrap(curve_statistics.iqm, scores))
    estimate = curve_statistics.Estimate(value, low, high, len(scores))
    return estimate_data(estimate) | {"seeds": numbers(scores)}


def _profile(found: Profile) -> Plain:
    return {name: numbers(getattr(found, name)) for name in found._fields}


def _or_sentence(found: Any, as_data: Any) -> Any:
    return found if isinstance(found, str) else as_data(found)
