"""The CSV that Weights & Biases exports from a chart: a column of steps, and one (with MIN and MAX) for each run.

A run's column is called `RUN - METRIC`; its name is read by the pattern, as the name of a folder is.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from morphorl.analysis.logs import tables
from morphorl.analysis.logs.log import Asked, Kind, Log, points
from morphorl.config.errors import SettingError

NAME = "Weights & Biases' export"
WHAT = 'CSV exported from a chart of Weights & Biases (columns "RUN - METRIC")'
RANK = 1

COLUMN = re.compile(r"(?P<run>.+) - (?P<metric>.+?)(?P<bound>__MIN|__MAX)?")


def claims(path: Path, head: bytes) -> bool:
    """A CSV with columns of runs and their bounds."""
    first = head.partition(b"\n")[0]
    return path.suffix == ".csv" and b" - " in first and (b"__MIN" in first or b'"Step"' in first)


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """A log for each run; cells are empty where another run has a step that this one has not."""
    for path in paths:
        there = tables.columns(path)
        matched = {name: found for name in there if (found := COLUMN.fullmatch(name))}
        step = next(name for name in there if name not in matched)
        of_runs = {name: found for name, found in matched.items() if not found["bound"] and found["metric"] != "_step"}
        metrics = list(dict.fromkeys(found["metric"] for found in of_runs.values()))
        if asked.tag is None and len(metrics) > 1:
            raise SettingError(
                f"{path}: has {', '.join(metrics[:8])}; which is the return? --tag {metrics[0]} would say it."
            )
        chosen = {name: found for name, found in of_runs.items() if found["metric"] == (asked.tag or metrics[0])}
        if not chosen:
            raise SettingError(f"tag = {asked.tag!r}: {path} has {', '.join(metrics[:8])}.")
        rows = tables.read(path, [step, *chosen])
        for name, found in chosen.items():
            known = rows.filter(pl.col(name).is_not_null())
            kind: Kind = "evaluation" if found["metric"].lower().startswith(("eval", "test")) else "training"
            source = f"{found['metric']} over {step}"
            yield Log(path, found["run"], kind, {}, points(known[step], known[name]), source, is_folder=False)
