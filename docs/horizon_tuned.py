"""Which setting of each arm of `horizon_tuning` or `horizon_late_tuning` holds longest, by the rule of their plans.

Usage: uv run docs/horizon_tuned.py FOLDER [FILE.csv]     # in docs/results/tasks_tuning: horizon.csv, horizon_late.csv
"""

import sys
from pathlib import Path

import polars as pl
from horizon_page import LONGEST, TAUGHT, TESTED

from morphorl.config.sealed import read_sealed_table

CHOSEN_AT_LONGEST = "slower bank"
"""The arm that is chosen for the longest delay."""


def ranking(folder: Path) -> pl.DataFrame:
    """Each setting's share of right answers in each task, and their means at three delays, best first within its arm.

    Best is the highest mean at 512 steps, for `CHOSEN_AT_LONGEST` at 2,048; then that at 16; then the file's order.

    Args:
        folder: of a tuning study whose agents were played at all three delays.
    """
    played = read_sealed_table(folder / "played.parquet")
    right = pl.col("returns").list.eval(pl.element() > 0).list.mean().fill_null(0.0)
    own = pl.col("environment").str.split("-").list.first() == pl.col("played_in").str.split("-").list.first()
    shares = played.filter(own).group_by("arm", "played_in", maintain_order=True).agg(right.mean().alias("right"))
    table = shares.pivot("played_in", index="arm", values="right")
    tasks = [name.split("-")[0] for name in played["environment"].unique(maintain_order=True)]
    means = {delay: pl.mean_horizontal(f"{task}-{delay}" for task in tasks) for delay in (LONGEST, TESTED, TAUGHT)}
    kind = pl.col("arm").str.split(", rate").list.first()
    best = pl.when(kind == CHOSEN_AT_LONGEST).then(means[LONGEST]).otherwise(means[TESTED])
    every = {f"at_{delay}": mean for delay, mean in means.items()}
    ranked = table.with_columns(**every, kind=kind).with_row_index("place")
    order = ["kind", best, means[TAUGHT], "place"]
    return ranked.sort(order, descending=[False, True, True, False], maintain_order=True)


if __name__ == "__main__":
    try:
        ranked = ranking(Path(sys.argv[1])).drop("place")
    except (FileNotFoundError, pl.exceptions.ColumnNotFoundError) as error:
        sys.exit(
            f"error: {sys.argv[1]}: must be a tuning study played by `morphorl eval` at 16, 512 and 2,048 ({error})"
        )
    if len(sys.argv) > 2:
        ranked.write_csv(sys.argv[2], float_precision=4)
    with pl.Config(tbl_rows=-1, tbl_cols=-1, fmt_str_lengths=60, tbl_width_chars=200):
        print(ranked.drop("kind"))
