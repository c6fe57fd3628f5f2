"""The odds of the post's plots for every family of a study: arms that differ in γ alone, γ = 0 and some γ > 0."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from morphorl.analysis import interpretations, plot_odds
from morphorl.analysis.bootstrap import Estimate, EvidenceError
from morphorl.analysis.claims import FULL, PARTIAL
from morphorl.analysis.paired_arms import Arm, gather
from morphorl.analysis.plot_odds import SIZES, Learned, Outcome
from morphorl.ppo.settings import Settings

PLOTS = {FULL: "faster at first", PARTIAL: "similar, then unstable"}
"""The environment of each plot, and what it shows."""


class Family(NamedTuple):
    """Arms that differ in γ alone, by label, and what tells them from the study's other families."""

    options: dict[str, str]
    strengths: dict[str, float]
    plain: str | None
    """The label of plain PPO with the same settings of PPO."""

    @property
    def unguided(self) -> str:
        """The label of γ = 0."""
        return next(label for label, strength in self.strengths.items() if strength == 0)


class Odds(NamedTuple):
    """How likely small studies of a family would have seen one plot, with one arm for the baseline."""

    environment: str
    plot: str
    baseline: str
    probabilities: dict[int, Estimate]
    """By the number of seeds of each arm."""
    unknown: str
    """Why there is no probability; empty if there is one."""


def families(labelled: Mapping[str, Settings]) -> list[Family]:
    """The families of a study's arms with γ = 0 and some γ > 0 whose readouts reach the logits.

    Args:
        labelled: the settings of every arm under one preset (`Study.expand`).
    """
    pairs = [(labelled[next(iter(family))], family) for family in interpretations.guided_families(labelled)]
    heard = [(settings, family) for settings, family in pairs if not interpretations.is_plain(settings)]
    options = interpretations.distinguish([settings for settings, _ in heard])
    return [
        Family(own, family, interpretations.plain_of(labelled, settings))
        for own, (settings, family) in zip(options, heard, strict=True)
    ]


def odds(scores: pl.DataFrame, family: Family) -> list[Odds]:
    """Both plots, each against plain PPO and against γ = 0.

    Args:
        scores: as `scores.table` makes them, of one preset.
    """
    baselines = dict.fromkeys((family.plain or "plain PPO", family.unguided))
    return [_odds(scores, family, environment, baseline) for environment in PLOTS for baseline in baselines]


def _odds(scores: pl.DataFrame, family: Family, environment: str, baseline: str) -> Odds:
    told, unknown = {}, ""
    try:
        if family.plain is None:
            raise EvidenceError("no arm is plain PPO: there is no unit for “much”.")
        arms = gather(scores, environment, [family.plain, *family.strengths]).arms
        told = {n: _probability(arms, family, environment, baseline, n) for n in SIZES}
    except EvidenceError as error:
        unknown = str(error)
    return Odds(environment, PLOTS[environment], baseline, told, unknown)


def _probability(arms: Mapping[str, Arm], family: Family, environment: str, baseline: str, n: int) -> Estimate:
    plain, guided = arms[str(family.plain)], [arms[label] for label in family.strengths]
    strengths, rival = np.array(list(family.strengths.values())), arms[baseline]
    if not np.isfinite(plain.untrained).all():
        raise EvidenceError(f"the untrained return of {family.plain} was not measured: there is no unit for “much”.")
    if environment == FULL:
        early = np.stack([arm.early for arm in guided])
        return plot_odds.faster_at_first(early, strengths, rival.early, Learned(plain.early, plain.untrained), n)
    outcome = Outcome(np.stack([arm.mean for arm in guided]), np.stack([arm.final for arm in guided]))
    unit = Learned(plain.final, plain.untrained)
    return plot_odds.similar_then_unstable(outcome, strengths, Outcome(rival.mean, rival.final), unit, n)


def to_plain(preset: str, family: Family, told: Sequence[Odds]) -> list[dict[str, object]]:
    """What `odds.json` holds of a family: a row per plot, baseline and number of seeds, or one that says why none."""
    rows: list[dict[str, object]] = []
    for one in told:
        what: dict[str, object] = {"preset": preset, "family": family.options, "arms": family.strengths}
        what |= {"environment": one.environment, "plot": one.plot, "baseline": one.baseline}
        rows += [what | {"n": n, "probability": p._asdict()} for n, p in one.probabilities.items()]
        rows += [what | {"unknown": one.unknown}] if one.unknown else []
    return rows
