"""Which arm of a tuning study is best over all of its tasks, by the rule of docs/plans/2026-11-28-tasks.md.

Usage: uv run docs/tuned.py FOLDER [FILE.csv]     # docs/results/tasks_tuning has what was found
"""

import sys
from pathlib import Path

import polars as pl

from morphorl.studies import results


def ranking(folder: Path) -> pl.DataFrame:
    """Each arm's mean greedy return over training on each task, and its mean score over the tasks, best first.

    On a task the worst arm has the score 0 and the best 1. A run that diverged keeps its untrained return.
    """
    rows = results.curves(folder)[1].filter(pl.col("greedy_return").is_not_null())
    lost = pl.col("greedy_return").is_nan()
    kept = rows.with_columns(pl.when(lost).then("untrained_return").otherwise("greedy_return").alias("greedy_return"))
    means = kept.group_by("environment", "arm").agg(pl.col("greedy_return").mean().alias("mean"))
    worst, best = (getattr(pl.col("mean"), which)().over("environment") for which in ("min", "max"))
    scored = means.with_columns(((pl.col("mean") - worst) / (best - worst)).alias("score"))
    overall = scored.group_by("arm").agg(pl.col("score").mean())
    return overall.join(means.pivot("environment", index="arm", values="mean"), on="arm").sort("score", descending=True)


if __name__ == "__main__":
    ranked = ranking(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        ranked.write_csv(sys.argv[2], float_precision=4)
    with pl.Config(tbl_rows=-1, fmt_str_lengths=80, tbl_width_chars=200):
        print(ranked)
