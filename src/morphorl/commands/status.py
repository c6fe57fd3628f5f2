"""`morphorl status`."""

import dataclasses
import time

import polars as pl
from rich.table import Table

from morphorl.commands.shared import PositionalFolder, console
from morphorl.studies import lock, shards

SILENT_SECONDS = 120.0
"""A writer that said nothing for so long is probably compiling, or stuck."""


@dataclasses.dataclass
class Status:
    """Say how a study stands: how many runs are done, running, failed and diverged, and the time left."""

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote or is writing."""

    def __call__(self) -> None:
        runs = shards.planned(self.dir)
        good, damaged = shards.read_all(self.dir)
        failures = shards.failures(self.dir)
        for name, ids in {
            "done": [run for shard in good for run in shard.runs],
            "diverged": [run for shard in good for run in shard.diverged],
            "failed": [run for failure in failures for run in failure["runs"]],
        }.items():
            runs = runs.with_columns(pl.col("run").is_in(ids).alias(name))
        console.print(_table(runs))
        owner = lock.owner(self.dir)
        progress = shards.progress(self.dir) if owner else {}
        total = runs.unique("run").sum()
        counts = [f"{total['done'][0]} of {runs['run'].n_unique()} runs done", f"{progress.get('running', 0)} running"]
        counts += [f"{total[name][0]} {name}" for name in ("failed", "diverged")]
        _say(f"{', '.join(counts)}; {_outlook(owner, progress)}")
        for message in dict.fromkeys(failure["message"] for failure in failures):
            same = [failure for failure in failures if failure["message"] == message]
            runs_failed, latest = sum(len(one["runs"]) for one in same), max(one["at"] for one in same)
            _say(f"{runs_failed} runs failed, the latest at {latest}: {message}")
        for sentence in shards.damaged_failures(self.dir):
            _say(sentence)
        if damaged:
            _say(f"Damaged shards: {len(damaged)}; the next run sets them aside and does their runs again.")


def _say(text: str) -> None:
    console.print(text, soft_wrap=True)


def _table(runs: pl.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("environment", "preset"):
        table.add_column(name)
    for name in ("done", "of", "failed", "diverged"):
        table.add_column(name, justify="right")
    counts = [pl.len().alias("of"), *(pl.col(name).sum() for name in ("done", "failed", "diverged"))]
    grouped = runs.group_by("environment", "preset", maintain_order=True).agg(counts)
    for row in grouped.iter_rows(named=True):
        numbers = (str(row[name]) for name in ("done", "of", "failed", "diverged"))
        table.add_row(row["environment"], row["preset"], *numbers)
    return table


def _outlook(owner: dict | None, progress: dict) -> str:
    if owner is None:
        return "nobody is working on it"
    at, left = progress.get("at", time.time()), progress.get("seconds_left")
    age = time.time() - at
    words = "time left not known yet" if left is None else f"about {_clock(max(0.0, left - age))} left"
    silence = f", silent for {_clock(age)}" if age > SILENT_SECONDS else ""
    return f"{words}{silence}; {lock.describe(owner)}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
