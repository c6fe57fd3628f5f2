"""How agents do after a switch in the middle of training: a row for each run, and which arm is best over all tasks.

Training is cut into blocks of 2,048 environment steps. A block's return is the mean return of the episodes that ended
in it; where none did, that of the block before, or at the very start of the next. Of each run are kept: `before`, the
mean of the last four blocks before the middle; `after`, the mean of all blocks after it; `last`, the mean of the last
four; and all the blocks.

Usage: uv run docs/recovery.py FOLDER … [--more FILE.parquet …] [--task TEXT] [--out FILE.parquet] [--ranking FILE.csv]
       [--whole]
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import tyro

from morphorl.config.errors import StoreError
from morphorl.studies import results

BLOCK = 2048
FEW = 4
"""Blocks of `before` and `last`."""
RUN = ("environment", "arm", "seed")


@dataclasses.dataclass
class Options:
    """Returns before and after the middle of training, of a study and of what other programs trained."""

    folders: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Of `morphorl run shift`, say."""
    more: tuple[Path, ...] = ()
    """Files of `docs/stream_ac.py`."""
    task: str = ""
    """Only environments whose id has this in it."""
    out: Path | None = None
    """A row for each run."""
    ranking: Path | None = None
    """A row for each arm, best first: its score over all tasks, on each of which the worst arm has 0 and the best 1."""
    whole: bool = False
    """Rank by the mean over all of training, for tasks that do not change, and not by that after the middle."""


def in_blocks(curves: pl.DataFrame) -> pl.DataFrame:
    """Curves of updates as a row for each block: environment, arm, seed, env_steps, episode_return, episodes.

    A run that diverged keeps the return of its untrained agent.
    """
    lost = pl.col("diverged_at").is_not_null()
    known = curves.with_columns(
        pl.when(lost).then("untrained_return").otherwise("episode_return").fill_nan(None).alias("episode_return"),
        pl.when(lost).then(1).otherwise("episodes").alias("episodes"),
        ((pl.col("env_steps") - 1) // BLOCK + 1).alias("block") * BLOCK,
    )
    total = (pl.col("episode_return") * pl.col("episodes")).sum()
    blocks = known.group_by(*RUN, "block").agg(
        pl.when(pl.col("episodes").sum() > 0).then(total / pl.col("episodes").sum()).alias("episode_return"),
        pl.col("episodes").sum(),
    )
    return blocks.rename({"block": "env_steps"})


def recovery(blocks: pl.DataFrame) -> pl.DataFrame:
    """A row for each run: before, after, last, and the returns of all blocks in a list."""
    filled = blocks.sort(*RUN, "env_steps").with_columns(
        pl.col("episode_return").fill_nan(None).forward_fill().backward_fill().over(RUN).fill_null(0.0)
    )
    returns, steps = pl.col("episode_return"), pl.col("env_steps")
    middle = steps.max() / 2
    return filled.group_by(*RUN, maintain_order=True).agg(
        returns.filter(steps <= middle).tail(FEW).mean().alias("before"),
        returns.filter(steps > middle).mean().alias("after"),
        returns.tail(FEW).mean().alias("last"),
        returns.cast(pl.Float32).alias("blocks"),
    )


def ranking(rows: pl.DataFrame, *, whole: bool = False) -> pl.DataFrame:
    """Each arm's mean return after the middle on each task, and its mean score over the tasks, best first.

    Args:
        whole: over all of training, and not after the middle.
    """
    measure = pl.col("blocks").list.mean() if whole else pl.col("after")
    means = rows.group_by("environment", "arm").agg(measure.mean().alias("mean"))
    worst, best = (getattr(pl.col("mean"), which)().over("environment") for which in ("min", "max"))
    scored = means.with_columns(((pl.col("mean") - worst) / (best - worst)).alias("score"))
    overall = scored.group_by("arm").agg(pl.col("score").mean())
    return overall.join(means.pivot("environment", index="arm", values="mean"), on="arm").sort("score", descending=True)


def main(options: Options) -> None:
    """Read, compute, print the ranking, and write what was asked for."""
    trained = [in_blocks(results.curves(folder)[1]) for folder in options.folders]
    rows = pl.concat([recovery(blocks) for blocks in (*trained, *map(pl.read_parquet, options.more))])
    rows = rows.filter(pl.col("environment").str.contains(options.task, literal=True))
    ranked = ranking(rows, whole=options.whole)
    if options.out is not None:
        rows.write_parquet(options.out)
    if options.ranking is not None:
        ranked.write_csv(options.ranking, float_precision=4)
    with pl.Config(tbl_rows=-1, fmt_str_lengths=80, tbl_width_chars=200):
        print(ranked)


if __name__ == "__main__":
    try:
        main(tyro.cli(Options, description=__doc__))
    except StoreError as error:
        sys.exit(f"error: {error}")
