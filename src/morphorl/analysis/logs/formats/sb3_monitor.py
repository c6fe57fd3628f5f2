"""Stable-Baselines3's `monitor.csv`: a row for each episode, of all environments that its folder's files belong to.

Read as `stable_baselines3.common.monitor.load_results` reads it: the rows of the files in the order of the time at
which their episodes ended, and steps as the sum of the lengths so far. `monitor.csv` and `0.monitor.csv`,
`1.monitor.csv`, … of one folder are the environments of one run; `NAME.monitor.csv` is a run of that name.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from morphorl.analysis.logs import tables
from morphorl.analysis.logs.log import Asked, Log, points
from morphorl.config.errors import StoreError

NAME = "Stable-Baselines3's monitor"
WHAT = "monitor.csv of Stable-Baselines3 (a row for each episode: r, l, t)"
RANK = 0


def claims(path: Path, head: bytes) -> bool:
    """A CSV whose first line is a comment with the start of the clock in JSON."""
    return path.name.endswith("monitor.csv") and head.startswith(b"#{")


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """A run of the folder, and one for each file with a name of its own."""
    named: dict[str, list[Path]] = {}
    for path in paths:
        name = path.name.removesuffix("monitor.csv").rstrip(".")
        named.setdefault("" if name.isdecimal() else name, []).append(path)
    for name, files in named.items():
        yield _of_run(name, files)


def _of_run(name: str, paths: list[Path]) -> Log:
    parts, environments = [], {}
    for path in paths:
        started = _header(path)
        episodes = tables.read(path, ["r", "l", "t"], skip=1)
        parts.append(episodes.with_columns(pl.col("t") + float(str(started["t_start"]))))
        environments[str(started.get("env_id") or "")] = None
    episodes = pl.concat(parts).sort("t", maintain_order=True)
    found = points(episodes["l"].cum_sum(), episodes["r"])
    known = [one for one in environments if one and one != "None"]
    labels = {"env": known[0]} if len(known) == 1 else {}
    together = (f"its {len(paths)} monitors are the environments of one run",) if len(paths) > 1 else ()
    return Log(paths[0], name, "training", labels, found, "r over the sum of l", together)


def _header(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.readline(100_000).removeprefix(b"#"))
        if not isinstance(found, dict) or not isinstance(found.get("t_start"), int | float):
            raise ValueError("no t_start")
    except ValueError as error:
        raise StoreError(f"{path}: its first line must be # and JSON with t_start ({error}).") from error
    return found
