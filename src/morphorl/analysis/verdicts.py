"""Verdicts for every reading of the post that a study holds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import polars as pl

from morphorl.analysis import claims, interpretations
from morphorl.analysis.claims import Verdict
from morphorl.analysis.interpretations import Reading
from morphorl.studies.study import Study


class Judged(NamedTuple):
    """A reading, and the verdict on each claim that its arms give."""

    reading: Reading
    verdicts: list[Verdict]


def judge(study: Study, preset: str, scores: pl.DataFrame) -> list[Judged]:
    """The verdicts for each reading of a study under one preset; none if it lacks the arms that the claims compare.

    Args:
        scores: as `scores.table` makes them, rows of other presets included.
    """
    here = scores.filter(preset=preset)
    return [Judged(reading, claims.judge(here, reading.arms)) for reading in interpretations.of_study(study, preset)]


def to_plain(judged: Sequence[Judged]) -> dict[str, Any]:
    """What `verdicts.json` holds: the rules' constants, a row per claim, and for several readings their shares."""
    verdicts = [verdict for one in judged for verdict in one.verdicts]
    plain = claims.to_plain(verdicts)
    if len(judged) < 2:
        return plain
    options = [one.reading.options for one in judged for _ in one.verdicts]
    rows = [{"reading": told} | row for told, row in zip(options, plain["verdicts"], strict=True)]
    return plain | {"readings": len(judged), "shares": claims.shares(verdicts), "verdicts": rows}
