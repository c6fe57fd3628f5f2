"""The columns of a table of scores, one row a run, whoever made the runs; and how it is read.

Everything here does without JAX, and so do comparisons of runs of other programs.
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis.bootstrap import EvidenceError
from morphorl.config.errors import StoreError
from morphorl.config.sealed import read_sealed_table

FILE = "scores.parquet"
KEYS = ("preset", "environment", "arm")
RUN = ("seed", "cell_seed")
MEASURED = (
    "early_return",
    "area_under_curve",
    "final_return",
    "peak_return",
    "early_greedy_return",
    "final_greedy_return",
    "steps_to_threshold",
    "untrained_return",
)
"""Columns that hold a number of each run: null where it was not measured, infinite steps where the threshold was never
reached, NaN for a return that is unknown."""


SCHEMA = (
    dict.fromkeys(KEYS, pl.String)
    | dict.fromkeys(RUN, pl.Int64)
    | dict.fromkeys((*MEASURED, "threshold"), pl.Float64)
    | dict.fromkeys(("steps", "diverged_at"), pl.Int64)
)


def read(path: Path) -> pl.DataFrame:
    """A table that `table` made.

    Raises:
        StoreError: if the file is none.
    """
    try:
        found = read_sealed_table(path)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read as a table of scores ({error.strerror}).") from error
    missing = [name for name in SCHEMA if name not in found]
    if missing:
        raise StoreError(f"{path}: lacks the columns {', '.join(missing)}; must be a table that `morphorl run` wrote.")
    return found


def known(scores: pl.DataFrame, name: str) -> Float[np.ndarray, " runs"]:
    """A score of the runs of one arm.

    Raises:
        EvidenceError: if it was not measured in every one of them.
    """
    column = scores[name]
    if column.null_count():
        raise EvidenceError(f"{name} was not measured.")
    return column.cast(pl.Float64).to_numpy()


def measured(scores: pl.DataFrame) -> dict[str, Float[np.ndarray, " runs"]]:
    """The scores of the runs of one arm, those that were measured in every one of them, by name."""
    return {name: known(scores, name) for name in MEASURED if not scores[name].null_count()}
