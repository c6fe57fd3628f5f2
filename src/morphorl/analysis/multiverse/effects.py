"""The effects of guidance in every reading of the multiverse, against three rivals, paired by seed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis import paired_arms
from morphorl.analysis.bootstrap import Effect, Resampled, combine, resample
from morphorl.analysis.interpretations import readings
from morphorl.analysis.multiverse.readings import Levels, levels_of
from morphorl.config.errors import SettingError
from morphorl.ppo.settings import Settings

RIVALS = ("unguided", "plain", "zero")
"""The same reading with γ = 0; plain PPO with the same settings of PPO; zeros blended as the reading blends."""
CHOICES = ("strongest", "best")
"""Which γ > 0 stands for the reading: the strongest, or the one that learned most. The second flatters: it is chosen by
the returns that it is then judged by."""


class Member(NamedTuple):
    """A reading of the multiverse: its levels, its γ by label, and the labels of its references."""

    levels: Levels
    strengths: dict[str, float]
    plain: str
    zero: str


class Outcome(NamedTuple):
    """One effect in every reading, in shares of what plain PPO learns, and its replicates."""

    effects: list[Effect]
    replicates: Float[np.ndarray, "readings resamples"]

    @property
    def values(self) -> Float[np.ndarray, " readings"]:
        """The effects without their intervals."""
        return np.array([effect.value for effect in self.effects])


class Effects(NamedTuple):
    """What the readings' curves say: effects by choice of γ and rival, and the scale that they are measured by."""

    members: list[Member]
    outcomes: dict[tuple[str, str], Outcome]
    best: list[float]
    """The γ that learned most, of each reading."""
    gains: dict[str, Effect]
    """What plain PPO learns, by label: its mean return less that of its untrained networks."""
    n: int
    """Seeds common to all arms."""
    notes: tuple[str, ...]


def members(labelled: Mapping[str, Settings]) -> list[Member]:
    """The readings among a study's arms, each with its references. All are told by settings, never by labels.

    Raises:
        SettingError: if there are none, or one has a level that the multiverse does not know.
    """
    found = [one.arms for one in readings(labelled)]
    if not found:
        raise SettingError(
            "arms: no reading with γ = 0, some γ > 0, plain PPO and a readout of zeros; must be a study such as "
            "`multiverse`."
        )
    return [Member(levels_of(labelled[next(iter(arms.guided))]), arms.guided, arms.plain, arms.zero) for arms in found]


def effects(labelled: Mapping[str, Settings], scores: pl.DataFrame, environment: str) -> Effects:
    """Every reading's effects on the mean return, as shares of what plain PPO learns with the same settings of PPO.

    (IQM(y_γ) − IQM(y_rival)) / (IQM(y_plain) − IQM(untrained)), over seeds, which are drawn together for all arms.

    Args:
        scores: a row for each run (`scores.table`).

    Raises:
        SettingError: as `members`.
        EvidenceError: as `paired_arms.gather` and `paired_arms.learned`.
    """
    found = members(labelled)
    labels = dict.fromkeys(label for one in found for label in (one.plain, one.zero, *one.strengths))
    gathered = paired_arms.gather(scores, environment, list(labels))
    means = {label: resample(arm.mean) for label, arm in gathered.arms.items()}
    units = {one.plain: paired_arms.learned(gathered.arms[one.plain], "mean", one.plain) for one in found}
    chosen = {"strongest": [_strongest(one) for one in found], "best": [_best(one, means) for one in found]}
    outcomes = {
        (choice, rival): _outcome(found, chosen[choice], rival, means, units) for choice in CHOICES for rival in RIVALS
    }
    best = [one.strengths[label] for one, label in zip(found, chosen["best"], strict=True)]
    gains = {label: combine(lambda gain: gain, units[label]) for label in sorted(units)}
    return Effects(found, outcomes, best, gains, gathered.n, gathered.notes)


def _outcome(
    found: list[Member], arms: list[str], rival: str, means: dict[str, Resampled], units: dict[str, Resampled]
) -> Outcome:
    effects, replicates = [], []
    for one, arm in zip(found, arms, strict=True):
        parts = (means[arm], means[_rival(one, rival)], units[one.plain])
        effects.append(combine(_share, *parts))
        replicates.append(_share(*(part.replicates for part in parts)))
    return Outcome(effects, np.stack(replicates))


def _share[A: (np.ndarray, np.float64)](guided: A, rival: A, gain: A) -> A:
    return (guided - rival) / gain


def _rival(one: Member, rival: str) -> str:
    unguided = next(label for label, strength in one.strengths.items() if strength == 0)
    return {"unguided": unguided, "plain": one.plain, "zero": one.zero}[rival]


def _strongest(one: Member) -> str:
    return max(one.strengths, key=one.strengths.__getitem__)


def _best(one: Member, means: dict[str, Resampled]) -> str:
    guided = [label for label, strength in one.strengths.items() if strength > 0]
    return max(guided, key=lambda label: means[label].value)
