"""Which setting of each arm of `horizon_tuning` or `horizon_late_tuning` holds longest, by the rule of their plans.

Usage: uv run docs/horizon_tuned.py FOLDER [FILE.csv]     # docs/results/tasks_tuning has what was found: horizon….csv
"""

import sys
from pathlib import Path

import polars as pl
from horizon_page import LATE, TAUGHT, TESTED

from morphorl.config.sealed import read_sealed_table

FOR_LATE = "slower bank"
"""The arm that is chosen for the longest delay."""


def ranking(folder: Path) -> pl.DataFrame:
    """Each setting's share of right answers at three delays in each task, and means, best first within its arm."""
    played = read_sealed_table(folder / "played.parquet")
    right = pl.col("returns").list.eval(pl.element() > 0).list.mean().fill_null(0.0)
    own = pl.col("environment").str.split("-").list.first() == pl.col("played_in").str.split("-").list.first()
    shares = played.filter(own).group_by("arm", "played_in", maintain_order=True).agg(right.mean().alias("right"))
    table = shares.pivot("played_in", index="arm", values="right")
    tasks = [name.split("-")[0] for name in played["environment"].unique(maintain_order=True)]
    late, long, short = ([f"{task}-{delay}" for task in tasks] for delay in (LATE, TESTED, TAUGHT))
    means = table.with_columns(
        at_2048=pl.mean_horizontal(late), at_512=pl.mean_horizontal(long), at_16=pl.mean_horizontal(short)
    )
    kind = pl.col("arm").str.split(", rate").list.first()
    measure = pl.when(kind == FOR_LATE).then("at_2048").otherwise("at_512")
    ranked = means.with_columns(kind=kind).with_row_index("place")
    return ranked.sort("kind", measure, "at_16", "place", descending=[False, True, True, False], maintain_order=True)


if __name__ == "__main__":
    ranked = ranking(Path(sys.argv[1])).drop("place")
    if len(sys.argv) > 2:
        ranked.write_csv(sys.argv[2], float_precision=4)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=60, tbl_width_chars=200):
        print(ranked.drop("kind"))
