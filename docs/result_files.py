"""Reads docs/results for the pages: each number with its interval, and the name of the file that says so."""

import functools
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from jaxtyping import Float
from places import PageError
from styles import Known

from morphorl.analysis import curve_statistics, dispersion, score_table
from morphorl.analysis.bootstrap import (
    Effect,
    Estimate,
    bootstrap,
    combine,
    difference,
    iqm,
    ratio_of_medians,
    resample,
)
from morphorl.analysis.claims import Arms, Verdict, judge
from morphorl.analysis.paired_arms import Evidence, gather, learned

RESULTS = Path(__file__).parent / "results"
REPOSITORY = RESULTS.parent.parent
PLAIN = "plain PPO"
Seeds = Float[np.ndarray, " seeds"]


class Results:
    """The result files below a folder; each is read once."""

    def __init__(self, root: Path = RESULTS) -> None:
        self.root = root
        self.json = functools.cache(self._json)
        self.scores = functools.cache(self._scores)

    def summary(self, folder: str, environment: str, arm: str, statistic: str) -> Known:
        """What a summary says of an arm; a null is infinite (never reached)."""
        file = folder if folder.endswith(".json") else f"{folder}/summary.json"
        return self.at(file, environment, arm, statistic)

    def verdict(self, folder: str, claim: str) -> Known:
        """The effect that decided a claim."""
        file, found = self._verdict(folder, claim)
        return Known(found["effect"], found["low"], found["high"], file)

    def answer(self, folder: str, claim: str) -> str:
        """The verdict in a word or two."""
        return self._verdict(folder, claim)[1]["verdict"]

    def odds(self, folder: str, **of: object) -> Known:
        """The share of studies of few seeds that show a plot, of the one row that `of` tells."""
        file = f"{folder}/odds.json"
        rows = self.json(file)["odds"]
        (row,) = [i for i, one in enumerate(rows) if all(one.get(name) == value for name, value in of.items())]
        return self.at(file, "odds", row, "probability")

    def at(self, file: str, *path: str | int) -> Known:
        """What stands at a path of a JSON file: a number, or one with its interval."""
        found = functools.reduce(lambda inner, name: inner[name], path, self.json(file))
        if isinstance(found, dict):
            value, low, high = (_or_infinite(found[part]) for part in ("value", "low", "high"))
            return Known(value, low, high, file)
        return Known(_or_infinite(found), math.nan, math.nan, file)

    def seeds(self, folder: str, arm: str, column: str, **of: str) -> Seeds:
        """A column of an arm's scores, in the order of its seeds."""
        rows = self.scores(folder).filter(arm=arm, **of).sort("seed", "cell_seed")
        return score_table.known(rows, column)

    def of_seeds(self, folder: str, arm: str, column: str, statistic: Callable = iqm, **of: str) -> Known:
        """A statistic of an arm's scores, with its interval."""
        return self.over_seeds(folder, self.seeds(folder, arm, column, **of), statistic)

    def over_seeds(self, folder: str, values: Seeds, statistic: Callable = iqm) -> Known:
        """A statistic of numbers, one a seed, that were computed from the scores in a folder."""
        value, low, high = map(float, bootstrap(statistic, values))
        return Known(value, low, high, f"{folder}/{score_table.FILE}")

    def reached(self, folder: str, arm: str, **of: str) -> Known:
        """The share of seeds that came to the threshold, with its exact interval."""
        found = curve_statistics.share(np.isfinite(self.seeds(folder, arm, "steps_to_threshold", **of)))
        return self.known(found, folder)

    def lead(self, folder: str, arm: str, rival: str, column: str, **of: str) -> Known:
        """The difference of two arms' IQMs, paired by seed."""
        x, y = (self.seeds(folder, one, column, **of) for one in (arm, rival))
        return self.known(difference(x, y, paired=True), folder)

    def lead_in_learned(
        self, folder: str, arm: str, rival: str, score: Literal["early", "mean", "final"] = "early", **of: str
    ) -> Known:
        """By how much an arm leads another, as a share of what plain PPO learns, as the claims have it."""
        arms = self._evidence(folder, arm, rival, **of).arms
        x, y = (resample(getattr(arms[one], score)) for one in (arm, rival))
        unit = learned(arms[PLAIN], score, PLAIN)
        return self.known(combine(lambda a, b, scale: (a - b) / scale, x, y, unit), folder)

    def further_apart(self, folder: str, arm: str, calm: str, **of: str) -> Known:
        """By how much more an arm's seeds end apart than another's, as a share of what plain PPO learns."""
        arms = self._evidence(folder, arm, calm, **of).arms
        unit = learned(arms[PLAIN], "final", PLAIN).value
        x, y = (dispersion.mean_distance(arms[one].final / unit) for one in (arm, calm))
        return self.known(dispersion.paired_difference(x, y), folder)

    def fall(self, folder: str, arm: str, calm: str, **of: str) -> Known:
        """By how much further an arm's seeds fall from their best to the end, as a share of what plain PPO learns."""
        arms = self._evidence(folder, arm, calm, **of).arms
        unit = learned(arms[PLAIN], "final", PLAIN).value
        x, y = (dispersion.mean((arms[one].peak - arms[one].final) / unit) for one in (arm, calm))
        return self.known(dispersion.paired_difference(x, y), folder)

    def judged(self, folder: str, preset: str, arms: Arms, first: int, last: int) -> dict[str, Known]:
        """The effect that decides each claim on the seeds from `first` to `last` alone."""
        chosen = pl.col("seed").is_between(first, last)
        found = judge(self.scores(folder).filter(chosen, preset=preset), arms)
        return {one.claim: self.known(one, folder) for one in found}

    def known(self, found: Estimate | Effect | Verdict, folder: str) -> Known:
        """What was computed from the scores in a folder."""
        value = found.effect if isinstance(found, Verdict) else found.value
        return Known(value, found.low, found.high, f"{folder}/{score_table.FILE}")

    def ratio(self, folder: str, arm: str, rival: str, **of: str) -> Known:
        """The ratio of two arms' median steps to the threshold, paired by seed; infinite if there is none."""
        x, y = (self.seeds(folder, one, "steps_to_threshold", **of) for one in (arm, rival))
        found = ratio_of_medians(x, y, paired=True)
        return self.known(found or Estimate(math.inf, math.inf, math.inf, len(x)), folder)

    def _evidence(self, folder: str, *arms: str, preset: str, environment: str = "CartPole-v1") -> Evidence:
        return gather(self.scores(folder).filter(preset=preset), environment, (PLAIN, *arms))

    def _verdict(self, folder: str, claim: str) -> tuple[str, dict]:
        file = f"{folder}/verdicts.json"
        (found,) = [one for one in self.json(file)["verdicts"] if one["claim"] == claim]
        return file, found

    def _json(self, file: str) -> dict:
        return json.loads((self.root / file).read_text())

    def _scores(self, folder: str) -> pl.DataFrame:
        return score_table.read(self.root / folder / score_table.FILE)


def number_in(file: str, pattern: str) -> Known:
    """The number that a line of the code sets, by a pattern that ends in a group, the whole number.

    Args:
        file: from the repository's root.

    Raises:
        PageError: if the pattern fits not once, but never or more often.
    """
    found = re.findall(rf"{pattern}(?![\w.]*\d)", (REPOSITORY / file).read_text())
    if len(found) != 1:
        raise PageError(f"{len(found)} places of {file} fit {pattern!r}; must be one.")
    return Known(float(found[0]), math.nan, math.nan, f"../../{file}")


def _or_infinite(number: float | None) -> float:
    return math.inf if number is None else float(number)
