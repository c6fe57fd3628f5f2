"""The runs of another program as results of ours: how they were understood, their scores, and their curves."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from morphorl.analysis.logs import grid, run_scores
from morphorl.analysis.logs.grid import FULL, MOST_SHORT, Horizon
from morphorl.analysis.logs.log import Asked
from morphorl.analysis.logs.reading import Reading, Run, read
from morphorl.analysis.logs.thresholds import Threshold, resolve
from morphorl.config.following import Follow, unseen


@dataclass(frozen=True)
class Runs:
    """Runs of another program; `load_results` makes them."""

    reading: Reading
    """The runs as they were read, and how."""
    horizons: Mapping[str, Horizon]
    """For each environment, up to which step and by which returns its runs are compared."""
    thresholds: Mapping[str, Threshold]
    """For each environment, the return from which it counts as solved; none where nobody knows."""
    unknown: Mapping[str, set[str]]
    """For each environment, the arms so many of whose runs end early that nobody knows their returns."""
    scores: pl.DataFrame
    """A row for each run: its labels and seed, its returns, and the steps that it needed."""

    @property
    def environments(self) -> list[str]:
        """The environments, in the order of their names."""
        return list(self.horizons)

    def of(self, environment: str) -> list[Run]:
        """The runs in an environment, by arm and seed."""
        return [run for run in self.reading.runs if run.environment == environment]

    def curves(self) -> pl.DataFrame:
        """A row for each run and bin of steps, in the columns of our own curves."""
        return pl.concat([grid.curves(self.of(name), found) for name, found in self.horizons.items()])

    def points(self) -> pl.DataFrame:
        """Every point of every run, tidied: environment, arm, seed, kind, env_steps, episode_return."""
        parts = [
            pl.DataFrame({"env_steps": one.steps, "episode_return": one.returns}).select(
                pl.lit(run.environment).alias("environment"),
                pl.lit(run.arm).alias("arm"),
                pl.lit(run.seed).alias("seed"),
                pl.lit(kind).alias("kind"),
                pl.all(),
            )
            for run in self.reading.runs
            for kind, one in run.kinds.items()
        ]
        return pl.concat(parts)


def load(
    paths: Sequence[Path],
    *,
    pattern: str | None = None,
    columns: Mapping[str, str] | None = None,
    tag: str | None = None,
    format: str | None = None,
    env: str | None = None,
    thresholds: Mapping[str, float] | None = None,
    until: float | None = None,
    follow: Follow = unseen,
) -> Runs:
    """Read the runs of another program and measure them.

    Args:
        paths: files or folders.
        pattern: how arm, environment and seed stand in the names of folders.
        columns: by meaning, the columns of tables.
        tag: the scalar of event files that is the return.
        format: the only format that is read.
        env: the environment of runs that do not say theirs.
        thresholds: by environment, the return from which it counts as solved; "" is that of all.
        until: the step up to which runs are compared.
        follow: sees the files as they are read.

    Raises:
        SettingError: if what was given does not fit the files, or says too little.
        StoreError: for a file that cannot be read.
    """
    asked = Asked(dict(columns or {}), tag)
    reading = read(paths, asked, given=pattern, format=format, env=env, follow=follow)
    environments = sorted({run.environment for run in reading.runs})
    reading = reading._replace(
        runs=sorted(reading.runs, key=lambda run: (run.environment, *_natural(run.arm), run.seed))
    )
    known = resolve(environments, thresholds or {})
    horizons, unknown, tables = {}, {}, []
    for name in environments:
        runs = [run for run in reading.runs if run.environment == name]
        horizons[name] = grid.horizon(runs, name, until)
        unknown[name] = _unknown(runs, horizons[name])
        tables.append(
            run_scores.table(runs, horizons[name], known[name].value if name in known else None, unknown[name])
        )
    return Runs(reading, horizons, known, unknown, pl.concat(tables))


def short(runs: Sequence[Run], found: Horizon) -> dict[str, list[Run]]:
    """The runs that end early, by arm."""
    there: dict[str, list[Run]] = {}
    for run in runs:
        if grid.is_short(run, found.steps):
            there.setdefault(run.arm, []).append(run)
    return there


def notes(runs: Runs) -> list[str]:
    """What the reader must know of how runs were put together, a sentence each."""
    told = []
    for name, found in runs.horizons.items():
        for arm, steps in found.cut.items():
            told.append(f"{name}: {arm} was run for {steps:,.0f} steps; all are compared up to {found.steps:,.0f}.")
        here = runs.of(name)
        for arm, ended in short(here, found).items():
            of_arm = sum(run.arm == arm for run in here)
            first = min(grid.last_step(run) for run in ended)
            head = f"{name}: {len(ended)} of {of_arm} runs of {arm} end before {FULL:.0%} of {found.steps:,.0f} steps"
            known = "They count with the last return that they had, and are censored where they end."
            if arm in runs.unknown[name]:
                known = (
                    f"More than {MOST_SHORT:.0%} of them do: the arm's returns are unknown. --until {first:.0f} "
                    "compares what all have."
                )
            told.append(f"{head} (the first at {first:,.0f}). {known}")
    return told


def _unknown(runs: Sequence[Run], found: Horizon) -> set[str]:
    counts = {arm: sum(run.arm == arm for run in runs) for arm in {run.arm for run in runs}}
    return {arm for arm, ended in short(runs, found).items() if len(ended) > MOST_SHORT * counts[arm]}


def _natural(label: str) -> tuple[list[str], list[float]]:
    """A key that sorts `lr=2` before `lr=10`."""
    parts = re.split(r"(\d+(?:\.\d+)?)", label)
    return parts[::2], [float(number) for number in parts[1::2]]
