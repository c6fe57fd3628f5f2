"""A crossed study's luck: whose variance each arm's score is, what guidance changes, and how often few seeds see it.

An arm is compared with its partner, which shares all its settings but has γ = 0: any other arm would differ by more
than the guidance, and the comparison would not say what did it.
"""

from collections.abc import Mapping
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis import curve_statistics, interpretations
from morphorl.analysis.bootstrap import Estimate, EvidenceError
from morphorl.analysis.luck import crossed, seed_luck
from morphorl.analysis.score_table import known
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.ppo.settings import Settings

SCORES = {"mean_return": "area_under_curve", "early_return": "early_return", "final_return": "final_return"}
"""The scores that are split, and the columns of `scores.table` that hold them."""
LEAD = "mean_return"
"""The score that table and figure show: it means the same for a run of any length."""

SIZES = (1, 3, 5, 10)
"""Seeds of an arm in the comparisons that are resampled."""

KINDS = {"fresh_patterns": False, "one_pattern": True}
"""Whether the seeds of an arm share one pattern."""

Plain = dict[str, float | int]
"""An `Estimate` by its fields."""


class Share(TypedDict):
    """How often comparisons find the arm better, and how often with p ≤ 0.05 (null for one seed)."""

    better: Plain
    significant: Plain | None


class Found(TypedDict):
    """The shares among comparisons of n seeds of each arm."""

    n: int
    fresh_patterns: Share
    one_pattern: Share


class Split(TypedDict):
    """`seed_luck.VarianceSplit` as plain values."""

    pattern: Plain
    learner: Plain
    interaction: Plain
    total: float
    clipped: list[str]


class Effect(TypedDict):
    """An arm's difference from the one that it is compared with, and how often few seeds find it better."""

    difference: Plain
    found: list[Found]


class Score(TypedDict):
    """What is known of one score of an arm; what the data cannot tell is a sentence under `unknown`."""

    mean: NotRequired[float]
    split: NotRequired[Split]
    effect: NotRequired[Effect]
    unknown: NotRequired[str]


class ArmReport(TypedDict):
    """The arm that an arm is compared with, what a reader must know about that, and its scores by name."""

    against: str | None
    warning: str | None
    scores: dict[str, Score]


Report = dict[str, dict[str, dict[str, ArmReport]]]
"""By preset, environment and arm."""

Matrix = Float[np.ndarray, "cell_seeds seeds"]


class Comparison(NamedTuple):
    """The arm that another is compared with (or none), and a sentence on what is wrong with that (or nothing)."""

    against: str | None
    warning: str | None


def report(table: pl.DataFrame, labelled: Mapping[str, Mapping[str, Settings]], against: str | None = None) -> Report:
    """Split the variance of every arm, and resample comparisons with its partner, or with the arm `against`.

    Args:
        table: a row for each run, as `scores.table` makes them.
        labelled: by preset, the settings of every arm (`Study.expand`).

    Raises:
        SettingError: if no arm has that label, or the runs do not cross cell seeds with seeds.
    """
    arms = table["arm"].unique(maintain_order=True).to_list()
    if against is not None and against not in arms:
        hint = did_you_mean(against, arms)
        raise SettingError(f"against = {against!r}: must be one of {', '.join(map(repr, arms))}.{hint}")
    runs = table.select("arm", "seed", "cell_seed").unique()
    if runs["cell_seed"].n_unique() < 3 or len(runs) < 3 * len(runs.unique(["arm", "seed"])):
        raise SettingError(
            "cell_seeds: must be 3 or more cell seeds crossed with the seeds; set it in the study, or with "
            "--set cell_seeds=16."
        )
    told: Report = {}
    for (preset, environment), rows in table.group_by("preset", "environment", maintain_order=True):
        present = {arm: labelled[str(preset)][arm] for arm in rows["arm"].unique(maintain_order=True)}
        told.setdefault(str(preset), {})[str(environment)] = _environment(rows, compared(present, against))
    return told


def compared(labelled: Mapping[str, Settings], against: str | None) -> dict[str, Comparison]:
    """What each arm is compared with, by its label: its partner at γ = 0, or the arm named.

    An arm with γ = 0 has no partner, and needs none. The arm named is compared with nothing. Others that differ from
    it by more than γ are compared all the same, with a warning that names the settings.
    """
    if against is not None:
        return {label: _named(labelled, label, against) for label in labelled}
    partners = interpretations.partners(labelled)
    return {
        label: Comparison(partners.get(label), None)
        if label in partners or settings.guidance.strength == 0
        else Comparison(None, _alone(label))
        for label, settings in labelled.items()
    }


def _alone(label: str) -> str:
    return (
        f"{label}: is compared with nothing. No arm has {interpretations.STRENGTH} = 0 and all its other settings; "
        "add one to the study, or name an arm with --against."
    )


def _named(labelled: Mapping[str, Settings], label: str, against: str) -> Comparison:
    if label == against or against not in labelled:
        return Comparison(None, None)
    values = [interpretations.plain_values(labelled[one]) for one in (label, against)]
    differing = interpretations.differences(values)
    if set(differing) <= {interpretations.STRENGTH}:
        return Comparison(against, None)
    told = "; ".join(f"{name} {mine} against {theirs}" for name, (mine, theirs) in differing.items())
    return Comparison(against, f"{label}: differs from {against} in more than {interpretations.STRENGTH}: {told}.")


def _environment(rows: pl.DataFrame, comparisons: Mapping[str, Comparison]) -> dict[str, ArmReport]:
    of_arm = {arm: rows.filter(arm=arm).sort("seed", "cell_seed") for arm in comparisons}
    scores = {arm: {name: _matrix(runs, column) for name, column in SCORES.items()} for arm, runs in of_arm.items()}
    seeds = {arm: runs.select("seed", "cell_seed").rows() for arm, runs in of_arm.items()}
    told: dict[str, ArmReport] = {}
    for arm, (against, warning) in comparisons.items():
        rivals: Mapping[str, Matrix | str | None] = scores[against] if against else dict.fromkeys(SCORES)
        if against and seeds[arm] != seeds[against]:
            rivals = dict.fromkeys(SCORES, f"{arm} and {against} have other seeds: arms are compared on the same ones.")
        of_scores = {name: _score(scores[arm][name], rivals[name]) for name in SCORES}
        told[arm] = {"against": against, "warning": warning, "scores": of_scores}
    return told


def _matrix(runs: pl.DataFrame, column: str) -> Matrix | str:
    """A score of one arm's runs, which are sorted by seed and cell seed, or a sentence on why there is none."""
    try:
        return curve_statistics.crossed(runs, known(runs, column))
    except EvidenceError as error:
        return str(error)


def _score(scores: Matrix | str, rival: Matrix | str | None) -> Score:
    if isinstance(scores, str):
        return {"unknown": scores}
    told: Score = {}
    try:
        told = {"mean": float(scores.mean()), "split": _split(seed_luck.variance_split(scores))}
        if isinstance(rival, str):
            raise EvidenceError(rival)
        if rival is not None:
            difference = _plain(crossed.mean_difference(scores, rival))
            told["effect"] = {"difference": difference, "found": [_found(scores, rival, n) for n in SIZES]}
    except EvidenceError as error:
        told["unknown"] = str(error)
    return told


def _split(split: seed_luck.VarianceSplit) -> Split:
    return {
        "pattern": _plain(split.pattern),
        "learner": _plain(split.learner),
        "interaction": _plain(split.interaction),
        "total": split.total,
        "clipped": list(split.clipped),
    }


def _found(scores: Matrix, rival: Matrix, n: int) -> Found:
    fresh, shared = (_share(crossed.shares(scores, rival, n, one_pattern=one)) for one in KINDS.values())
    return {"n": n, "fresh_patterns": fresh, "one_pattern": shared}


def _share(shares: seed_luck.Shares) -> Share:
    significant = None if shares.significant is None else _plain(shares.significant)
    return {"better": _plain(shares.better), "significant": significant}


def _plain(estimate: Estimate) -> Plain:
    return estimate._asdict()
