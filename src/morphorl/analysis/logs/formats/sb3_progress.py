"""`progress.csv` of Stable-Baselines3's logger: the mean return of the last hundred episodes, once a rollout."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from morphorl.analysis.logs import tables
from morphorl.analysis.logs.log import Asked, Kind, Log, points

NAME = "Stable-Baselines3's progress"
WHAT = "progress.csv of Stable-Baselines3's logger (rollout/ep_rew_mean, eval/mean_reward)"
RANK = 1

STEP = "time/total_timesteps"
RETURNS: dict[str, Kind] = {"rollout/ep_rew_mean": "training", "eval/mean_reward": "evaluation"}


def claims(path: Path, head: bytes) -> bool:
    """By its name and a column of its own."""
    return path.name == "progress.csv" and (STEP.encode() in head or b"rollout/ep_rew_mean" in head)


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """Rows with a return, of training and of evaluations apart."""
    for path in paths:
        there = tables.columns(path)
        for column, kind in RETURNS.items():
            if column in there:
                rows = tables.read(path, [STEP, column]).filter(pl.col(column).is_not_null())
                if len(rows):
                    yield Log(path, "", kind, {}, points(rows[STEP], rows[column]), f"{column} over {STEP}")
