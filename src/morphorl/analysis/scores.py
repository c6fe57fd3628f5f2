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
from morphorl.analysis.score_table import FILE, KEYS, RUN, SCHEMA, read
from morphorl.environments import registry
from morphorl.studies import results
from morphorl.studies.study import Study


def table(curves: pl.DataFrame) -> pl.DataFrame:
    """The scores of all runs, in the order of `curves` (as `Store.curves` returns them).

    Columns: preset, environment, arm, seed, cell_seed, those of `MEASURED`, `threshold` (the return from which the task
    counts as solved), `steps` (of training) and `diverged_at`.
    """
    parts = curves.partition_by(*KEYS, maintain_order=True, as_dict=True)
    return pl.concat([_of_arm(rows, *map(str, labels)) for labels, rows in parts.items()])


def load_scores(root: Path) -> tuple[Study, pl.DataFrame]:
    """A folder's study and the scores of its runs: from the runs, or from the table that a published study keeps.

    Raises:
        StoreError: if the folder holds no study, or neither runs nor a table.
    """
    if (root / "shards").is_dir():
        found, rows = results.curves(root)
        return found.study, table(rows)
    return results.load(root, any_version=True).study, read(root / FILE)


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
