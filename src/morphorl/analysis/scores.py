"""Scores: what is kept of each run when it is compared with others, one row a run.

All summaries, comparisons and verdicts come from this table alone. A published study keeps it (`scores.parquet`), so
that every interval can be computed again without training anything.
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis import curve_statistics
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.config.errors import StoreError
from morphorl.config.sealed import read_sealed_table
from morphorl.environments import registry
from morphorl.studies import results
from morphorl.studies.study import Study

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


def table(curves: pl.DataFrame) -> pl.DataFrame:
    """The scores of all runs, in the order of `curves` (as `Store.curves` returns them).

    Columns: preset, environment, arm, seed, cell_seed, those of `MEASURED`, `threshold` (the return from which the task
    counts as solved), `steps` (of training) and `diverged_at`.
    """
    parts = curves.partition_by(*KEYS, maintain_order=True, as_dict=True)
    return pl.concat([_of_arm(rows, *map(str, labels)) for labels, rows in parts.items()])


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


def load_scores(root: Path) -> tuple[Study, pl.DataFrame]:
    """A folder's study and the scores of its runs: from the runs, or from the table that a published study keeps.

    Raises:
        StoreError: if the folder holds no study, or neither runs nor a table.
    """
    if (root / "shards").is_dir():
        found, rows = results.curves(root)
        return found.study, table(rows)
    return results.load(root, any_version=True).study, read(root / FILE)


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


def _of_arm(rows: pl.DataFrame, preset: str, environment: str, arm: str) -> pl.DataFrame:
    threshold = registry.make_env(environment).threshold
    once = [name for name in ("untrained_return", "diverged_at") if name in rows]
    runs = rows.group_by(*RUN).agg(pl.col(name).first() for name in once).sort(*RUN)
    labels = {"preset": preset, "environment": environment, "arm": arm, "threshold": threshold}
    labels["steps"] = rows["env_steps"].max()
    columns = [
        pl.Series(name, values, dtype=pl.Float64) for name, values in _measure(rows, threshold, len(runs)).items()
    ]
    filled = runs.with_columns(*columns, *(pl.lit(value).alias(name) for name, value in labels.items()))
    absent = [pl.lit(None).alias(name) for name in SCHEMA if name not in filled.columns]
    return filled.with_columns(*absent).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _measure(rows: pl.DataFrame, threshold: float | None, runs: int) -> dict[str, Float[np.ndarray, " runs"]]:
    """The scores of one arm's runs; unknown returns where its rows are not one for each run and update."""
    try:
        return curve_statistics.measure(rows, threshold)
    except EvidenceError:
        return dict.fromkeys(("early_return", "area_under_curve", "final_return", "peak_return"), np.full(runs, np.nan))
