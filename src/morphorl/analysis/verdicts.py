"""Verdicts for every reading of the post that a study holds, judged once and read by whoever shows them."""

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args

import polars as pl

from morphorl.analysis import bootstrap, claims, coverage, dispersion, interpretations, paired_arms
from morphorl.analysis.claims import Answer, Verdict
from morphorl.analysis.interpretations import Reading
from morphorl.config.files import write_json
from morphorl.studies.study import Study

FILE = "verdicts.json"
JUDGES = (bootstrap, claims, dispersion, interpretations, paired_arms)
"""The modules that decide a verdict, beside the scores."""


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


def write(folder: Path, study: Study, preset: str, scores: pl.DataFrame) -> list[Judged]:
    """Judge a study under one preset, and write `verdicts.json`; nothing for a study that cannot be judged."""
    judged = judge(study, preset, scores)
    if judged:
        missing = coverage.shortfalls(study, scores, preset)
        content = {"computed_from": computed_from(study, preset, scores)} | to_plain(judged)
        write_json(folder / FILE, content | coverage.to_plain(missing))
    return judged


def load(folder: Path, study: Study, preset: str, scores: pl.DataFrame) -> list[Judged]:
    """The verdicts under one preset: those in the folder's `verdicts.json`, or judged anew.

    Judging many readings takes minutes. So what a command wrote is read, if the same arms, scores and rules would give
    it again (`computed_from`).
    """
    readings = interpretations.of_study(study, preset)
    try:
        content = json.loads((folder / FILE).read_text("utf-8"))
        rows = [(row.get("reading", {}), _verdict(row)) for row in content["verdicts"]]
        same = content["computed_from"] == computed_from(study, preset, scores)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, of an earlier version, or damaged
        rows, same = [], False
    # A reading's name stands in its rows only where there are several.
    judged = [
        Judged(one, [verdict for options, verdict in rows if len(readings) == 1 or options == one.options])
        for one in readings
    ]
    whole = all(one.verdicts for one in judged) and sum(len(one.verdicts) for one in judged) == len(rows)
    return judged if same and whole else judge(study, preset, scores)


def folder_of(root: Path, study: Study, preset: str) -> Path:
    """Where what is about one preset lies: a folder of its own, if the study has several."""
    return root / preset if len(study.presets) > 1 else root


def computed_from(study: Study, preset: str, scores: pl.DataFrame) -> str:
    """A hash of all that decides the verdicts: the arms' labels and settings, their scores, and the rules."""
    arms = [[label, settings.digest] for label, settings in study.expand(preset).items()]
    parts = (json.dumps(arms), scores.filter(preset=preset).write_csv(), _rules())
    return hashlib.sha256("\n".join(parts).encode(errors="backslashreplace")).hexdigest()[:32]


@functools.cache
def _rules() -> str:
    """A hash of the source of the modules that judge."""
    return hashlib.sha256(b"".join(Path(str(one.__file__)).read_bytes() for one in JUDGES)).hexdigest()


def _verdict(row: dict[str, Any]) -> Verdict:
    """A row of `verdicts.json` as it was before it was written; null is a number that does not exist."""
    if row["claim"] not in claims.CLAIMS or row["verdict"] not in get_args(Answer):
        raise ValueError(f"{row['claim']!r}, {row['verdict']!r}: no verdict on a claim.")
    effect, low, high = (math.nan if row[name] is None else float(row[name]) for name in ("effect", "low", "high"))
    return Verdict(row["claim"], row["metric"], effect, low, high, row["n"], row["verdict"], row["reason"])


def to_plain(judged: Sequence[Judged]) -> dict[str, Any]:
    """What `verdicts.json` holds: the rules' constants, a row per claim, and for several readings their shares."""
    verdicts = [verdict for one in judged for verdict in one.verdicts]
    plain = claims.to_plain(verdicts)
    if len(judged) < 2:
        return plain
    options = [one.reading.options for one in judged for _ in one.verdicts]
    rows = [{"reading": told} | row for told, row in zip(options, plain["verdicts"], strict=True)]
    return plain | {"readings": len(judged), "shares": claims.shares(verdicts), "verdicts": rows}
