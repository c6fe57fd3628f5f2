"""Which runs of a study its results lack: what rests on fewer runs than the study has must say so."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from morphorl.studies.study import Study


class Shortfall(NamedTuple):
    """An environment under a preset of which runs are missing."""

    preset: str
    environment: str
    runs: int
    planned: int


def shortfalls(
    study: Study, scores: pl.DataFrame, preset: str | None = None, environment: str | None = None
) -> list[Shortfall]:
    """The environments and presets of a study that have fewer runs than it asks for.

    Runs are missing where a study was stopped, where their batch failed, and where their shard is damaged.

    Args:
        scores: as `scores.table` makes them.
        preset: the only one to look at; all if not given.
        environment: the same.
    """
    here = {
        (preset, environment): n for preset, environment, n in scores.group_by("preset", "environment").len().rows()
    }
    planned = study.size // len(study.presets) // len(study.environments)
    presets = study.presets if preset is None else (preset,)
    environments = study.environments if environment is None else (environment,)
    pairs = itertools.product(presets, environments)
    return [Shortfall(*pair, here.get(pair, 0), planned) for pair in pairs if here.get(pair, 0) < planned]


def sentences(found: Sequence[Shortfall]) -> list[str]:
    """What is missing, in a sentence for each environment and preset."""
    return [f"{one.environment}, {one.preset}: {_spoken(one)}" for one in found]


def to_plain(found: Sequence[Shortfall]) -> dict[str, list[dict[str, object]]]:
    """What results in JSON say of it: a list `incomplete`, or nothing where nothing is missing."""
    return {"incomplete": [one._asdict() for one in found]} if found else {}


def _spoken(one: Shortfall) -> str:
    if not one.runs:
        return f"none of the study's {one.planned:,} runs is there."
    return f"rests on {one.runs:,} of the study's {one.planned:,} runs."
