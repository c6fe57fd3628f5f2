"""What a reader of logs is asked for, and what it gives: one log of one run, and where its numbers came from."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

Kind = Literal["training", "evaluation"]
"""Whether returns are those of episodes in training, or of evaluations beside it."""

Numbers = Sequence[int | float | None] | np.ndarray | pl.Series
"""Numbers of one log in a row."""

SCHEMA = {"step": pl.Float64, "return": pl.Float64}
"""The columns of a log's points: environment steps, and a return; null or NaN where no episode ended."""

COLUMNS = ("step", "return", "evaluation", "seed", "arm", "env")
"""What a table's columns can mean: `--columns step=global_step,return=score`."""


class Asked(NamedTuple):
    """What the user has said about how logs are to be read."""

    columns: Mapping[str, str] = MappingProxyType({})
    """By meaning (`COLUMNS`), the name of a table's column."""
    tag: str | None = None
    """The scalar of an event file that is the return."""


class Log(NamedTuple):
    """One file's (or one folder's) record of one run, as it stands there."""

    path: Path
    """Where it was read; the run's name is taken from here."""
    name: str
    """What tells several runs of one file apart; empty where the path does."""
    kind: Kind
    labels: dict[str, str]
    """What the file itself says of `arm`, `env` and `seed`."""
    points: pl.DataFrame
    """The rows, as they stand in the file (`SCHEMA`)."""
    source: str
    """Which columns, tags or arrays are step and return, in words."""
    notes: tuple[str, ...] = ()
    """What a reader must know: a file that ends in the middle, for instance."""
    is_folder: bool = True
    """Whether the run's name is that of the folder that holds the file, or that of the file."""


def points(steps: Numbers, returns: Numbers) -> pl.DataFrame:
    """Points from two sequences of numbers of the same length."""
    columns = {"step": pl.Series(values=steps), "return": pl.Series(values=returns)}
    return pl.DataFrame(columns).cast({"step": pl.Float64, "return": pl.Float64})
