"""Trackers: what a study found, sent to where a group already looks. The files come first; a tracker is a copy of them.

Each run becomes a run of the tracker, and each arm one more with the IQM of its seeds, so that a tracker's own charts
show both.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import polars as pl

from morphorl.analysis import learning_curves
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.config.extras import need
from morphorl.studies.study import Study

Tracker = Literal["none", "tensorboard", "wandb", "trackio"]
MODULES = {"tensorboard": "tensorboardX", "wandb": "wandb", "trackio": "trackio"}
MEASURES = ("episode_return", "greedy_return", "at_bound")


class Line(NamedTuple):
    """A run as a tracker sees it: its name, its group (the arm), and rows of measures by environment steps."""

    name: str
    group: str
    rows: list[tuple[int, dict[str, float]]]


def check(kind: Tracker) -> None:
    """Raise `SettingError` before anything is trained, if the tracker's extra is not installed."""
    if kind != "none":
        need(kind, MODULES[kind], f"track = {kind!r}")


def send(kind: Tracker, study: Study, curves: pl.DataFrame, root: Path) -> int:
    """Send all finished runs to a tracker; gives their number.

    Args:
        curves: as `Store.curves` returns them.
    """
    check(kind)
    sent = 0
    for line in lines(curves) if kind != "none" else ():
        log, close = _open(kind, study.name, root / "tracking", line)
        for step, values in line.rows:
            log(values, step)
        close()
        sent += 1
    return sent


def lines(curves: pl.DataFrame) -> Iterator[Line]:
    """All runs, and the IQM of every arm that has curves without gaps."""
    for (preset, environment, arm), rows in curves.group_by("preset", "environment", "arm", maintain_order=True):
        group = f"{environment}/{preset}/{arm}"
        for (run,), of_run in rows.group_by("run", maintain_order=True):
            seed = of_run["seed"][0]
            yield Line(f"{group}/seed {seed} ({str(run)[:6]})", group, list(_rows(of_run)))
        try:
            curve = learning_curves.curve(rows)
        except EvidenceError:
            continue
        points = zip(curve.steps, curve.middle, curve.low, curve.high, strict=True)
        told = [(int(step), _known({"iqm": middle, "low": low, "high": high})) for step, middle, low, high in points]
        yield Line(f"{group}/IQM", group, [row for row in told if row[1]])


def _rows(of_run: pl.DataFrame) -> Iterator[tuple[int, dict[str, float]]]:
    present = [name for name in MEASURES if name in of_run.columns]
    for row in of_run.select("env_steps", *present).iter_rows(named=True):
        step = row.pop("env_steps")
        if values := _known(row):
            yield int(step), values


def _known(values: dict[str, Any]) -> dict[str, float]:
    """Measures that exist: trackers take no gaps."""
    return {name: float(value) for name, value in values.items() if value is not None and value == value}


def _open(
    kind: Tracker, project: str, folder: Path, line: Line
) -> tuple[Callable[[dict, int], Any], Callable[[], Any]]:
    """How to log a row, and how to end the run."""
    module: Any = need(kind, MODULES[kind], f"track = {kind!r}")
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "tensorboard":
        writer = module.SummaryWriter(str(folder / line.name.replace("/", " · ")))

        def log(values: dict, step: int) -> None:
            for name, value in values.items():
                writer.add_scalar(name, value, step)

        return log, writer.close
    options = {"project": f"morphorl-{project}", "name": line.name, "group": line.group}
    run = (
        module.init(**options, dir=str(folder), reinit="finish_previous") if kind == "wandb" else module.init(**options)
    )
    return (lambda values, step: run.log(values, step=step)), run.finish
