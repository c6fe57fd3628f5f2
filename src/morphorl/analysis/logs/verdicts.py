"""What runs of another program tell: every arm beside one, how far to trust so few seeds, and a sentence for each."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis import comparisons
from morphorl.analysis import power as power_
from morphorl.analysis.bootstrap import Estimate, EvidenceError, probability_of_improvement
from morphorl.analysis.comparisons import Comparison
from morphorl.analysis.logs.runs import Runs
from morphorl.analysis.luck import seed_luck
from morphorl.analysis.luck.seed_luck import Shares
from morphorl.analysis.paired_arms import LEAST_SEEDS
from morphorl.analysis.power import Needed
from morphorl.analysis.score_table import measured
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.following import Follow, unseen

Verdict = Literal["higher", "lower", "undecided", "unknown"]
SURELY = 0.05
"""A difference is told from none if its p-value, adjusted for the number of comparisons, is at most this."""
SMALL = (3, 5)
"""Seeds of an arm in the small comparisons whose luck is told, beside as many as there are."""


class Luck(NamedTuple):
    """How often few seeds would mislead about one arm and the reference."""

    environment: str
    arm: str
    against: str
    leads: str
    """Which of the two has the higher mean here."""
    shares: list[Shares]
    """For each size, how often the same one leads, and how often with p ≤ 0.05; the last is the size of the data."""
    needed: Needed | None
    """How many seeds would be needed, where that was asked."""


class Judged(NamedTuple):
    """Everything that is told of some runs."""

    against: str
    statistic: str
    comparisons: list[Comparison]
    luck: list[Luck]
    over_all: dict[str, Estimate]
    """For each arm, the probability that its run beats one of the reference, averaged over several environments."""
    sentences: list[str]


def judge(runs: Runs, against: str | None, statistic: str, *, power: bool = False, follow: Follow = unseen) -> Judged:
    """Compare every arm with one of them.

    Args:
        against: the label of that arm; the first one if not given.
        statistic: which return, one of `comparisons.RETURNS`.
        power: whether to say how many seeds would be needed.
        follow: sees the comparisons as they are made.

    Raises:
        SettingError: if there is no such arm.
    """
    arms = runs.scores["arm"].unique(maintain_order=True).to_list()
    rival = arms[0] if against is None else against
    if rival not in arms:
        hint = did_you_mean(rival, arms)
        raise SettingError(f"against = {rival!r}: must be one of {', '.join(map(repr, arms))}.{hint}")
    if len(arms) == 1:
        return Judged(rival, statistic, [], [], {}, [f"{rival} is the only arm: there is nothing to compare it with."])
    there = runs.scores.filter(pl.col("arm") == rival)["environment"].unique().to_list()
    told = [
        f"{name}: has no run of {rival}, and so nothing is compared." for name in runs.environments if name not in there
    ]
    scores = runs.scores.filter(pl.col("environment").is_in(there))
    compared = comparisons.compare(scores, rival, statistic)
    luck = []
    for one in follow(compared, len(compared), "drawing small studies"):
        x, y = (_scores(scores, one.environment, arm, statistic) for arm in (one.arm, rival))
        if x is not None and y is not None:
            luck.append(_luck(one, rival, x, y, power=power))
    over_all = _over_all(scores, rival, statistic)
    if against is None:
        told.append(f"Compared with {rival}, the first arm; --against names another.")
    told += _sentences(compared, rival)
    for arm, better in over_all.items():
        told.append(
            f"Over all environments a run of {arm} beats one of {rival} with probability {better.value:.2f} "
            f"({better.low:.2f} to {better.high:.2f})."
        )
    told += [words for one in luck if (words := needed_in_words(one))]
    return Judged(rival, statistic, compared, luck, over_all, told)


def verdict(one: Comparison) -> Verdict:
    """Whether an arm is higher or lower than the reference, or the data cannot tell."""
    if one.effect is None:
        return "unknown"
    if one.effect.p > SURELY or one.effect.low <= 0 <= one.effect.high:
        return "undecided"
    return "higher" if one.effect.value > 0 else "lower"


def _sentences(compared: Sequence[Comparison], against: str) -> list[str]:
    """A sentence for each comparison, and one for all of an environment that are unknown for the same reason."""
    told: dict[tuple[str, str] | int, list[Comparison]] = {}
    for i, one in enumerate(compared):
        told.setdefault((one.environment, one.unknown) if one.effect is None else i, []).append(one)
    return [
        sentence(some[0], against)
        if len(some) == 1
        else f"{some[0].environment}: {len(some)} arms beside {against} are unknown: {some[0].unknown}"
        for some in told.values()
    ]


def sentence(one: Comparison, against: str) -> str:
    """What a comparison tells."""
    head, found = f"{one.environment}: {one.arm}", verdict(one)
    if one.effect is None:
        return f"{head} beside {against} is unknown: {one.unknown}"
    size = f"{one.effect.value:+.3g} ({one.effect.low:+.3g} to {one.effect.high:+.3g}), p = {one.effect.p:.2g}"
    rest = f"; {one.unknown}" if one.unknown else "."
    if found == "undecided":
        return f"{head} is not told from {against} by {one.effect.n} seeds: {size}{rest}"
    return f"{head} is {found} than {against}: {size}{rest}"


def needed_in_words(one: Luck) -> str:
    """How many seeds would be needed, in a sentence; empty if that was not asked or cannot be told."""
    if one.needed is None:
        return ""
    value, low, high = (_seeds(number) for number in one.needed[:3])
    return (
        f"{one.environment}: to find the difference seen between {one.arm} and {one.against} in {power_.WANTED:.0%} of "
        f"studies (Welch, p ≤ .05), {value} seeds of each would be needed ({low} to {high}), if it is the true one."
    )


def to_plain(judged: Judged) -> dict[str, object]:
    """The same for JSON."""
    return {
        "against": judged.against,
        "statistic": judged.statistic,
        "comparisons": [_plain(one) | {"verdict": verdict(one)} for one in judged.comparisons],
        "luck": [_plain(one) for one in judged.luck],
        "over_all_environments": {arm: one._asdict() for arm, one in judged.over_all.items()},
        "sentences": judged.sentences,
    }


def _luck(one: Comparison, against: str, x: np.ndarray, y: np.ndarray, *, power: bool) -> Luck:
    first, second, leads = (x, y, one.arm) if x.mean() >= y.mean() else (y, x, against)
    n = min(len(x), len(y))
    shares = [seed_luck.shares(first, second, size) for size in sorted({*(s for s in SMALL if s < n), n})]
    return Luck(one.environment, one.arm, against, leads, shares, _needed(first, second) if power else None)


def _needed(x: np.ndarray, y: np.ndarray) -> Needed | None:
    try:
        return power_.needed(x, y)
    except EvidenceError:
        return None


def _scores(scores: pl.DataFrame, environment: str, arm: str, statistic: str) -> Float[np.ndarray, " runs"] | None:
    """The scores of an arm's runs; None if there are fewer than two, or one of them is unknown."""
    found = measured(scores.filter(environment=environment, arm=arm).sort("seed")).get(statistic)
    return found if found is not None and len(found) > 1 and np.isfinite(found).all() else None


def _over_all(scores: pl.DataFrame, rival: str, statistic: str) -> dict[str, Estimate]:
    """P(improvement) over several environments, where both arms have as many runs in each of them."""
    environments = scores["environment"].unique(maintain_order=True).to_list()
    if len(environments) < 2:
        return {}
    tables: Mapping[str, list] = {
        arm: [_scores(scores, name, arm, statistic) for name in environments] for arm in scores["arm"].unique()
    }
    full = {
        arm: np.stack(columns, axis=1)
        for arm, columns in tables.items()
        if all(column is not None for column in columns) and len({len(column) for column in columns}) == 1
    }
    if rival not in full:
        return {}
    seeds = {arm: scores.filter(arm=arm).sort("environment", "seed")["seed"].to_list() for arm in full}
    return {
        arm: probability_of_improvement(values, full[rival], paired=seeds[arm] == seeds[rival])
        for arm, values in sorted(full.items())
        if arm != rival and min(len(values), len(full[rival])) >= LEAST_SEEDS
    }


def _plain(value: object) -> dict[str, object]:
    """A named tuple, and those inside it, as dictionaries."""
    return {name: _inside(item) for name, item in value._asdict().items()}  # pyright: ignore[reportAttributeAccessIssue]


def _inside(value: object) -> object:
    if isinstance(value, list):
        return [_inside(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _inside(item) for name, item in value.items()}
    return _plain(value) if hasattr(value, "_asdict") else value


def _seeds(number: float) -> str:
    return f"more than {power_.SIZES[-1]:,}" if np.isinf(number) else f"{number:.0f}"
