"""What commands share that take logs of other programs: their options, and the table of what was understood."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import tyro

from morphorl.analysis.any_results import is_study
from morphorl.analysis.logs import runs as logs_
from morphorl.analysis.logs import thresholds, understanding
from morphorl.analysis.logs.runs import Runs
from morphorl.commands.shared import console, following
from morphorl.config.errors import SettingError, quoted
from morphorl.config.files import refuse_links_out
from morphorl.report import tables

Paths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="PATH")]
Repeated = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="ENV=X")]


@dataclasses.dataclass(kw_only=True)
class LogOptions:
    """How logs of other programs are read."""

    threshold: Repeated = ()
    """For logs: the return from which a task counts as solved; `CartPole-v1=475` for one of several environments. What
    Gymnasium knows, if not given."""
    pattern: Annotated[str | None, tyro.conf.arg(metavar="PATTERN")] = None
    """For logs: how arm, environment and seed stand in the names of folders, such as '{arm}/{env}/seed_{seed}'; {} is
    anything, and any other field becomes part of the arm's label. Recognised, and said, if not given."""
    columns: Annotated[str | None, tyro.conf.arg(metavar="step=…,return=…")] = None
    """For logs: the columns of a CSV or Parquet, such as step=global_step,return=score,seed=seed,arm=algo,env=task;
    evaluation= for returns of evaluations."""
    tag: Annotated[str | None, tyro.conf.arg(metavar="TAG")] = None
    """For logs: the scalar of TensorBoard's event files (or of a trial, or of an export) that is the return."""
    format: Annotated[str | None, tyro.conf.arg(metavar="FORMAT")] = None
    """For logs: read files of this format only, such as tensorboard, where a folder has several."""
    env: Annotated[str | None, tyro.conf.arg(metavar="ENV")] = None
    """For logs: the environment of those that do not say theirs."""
    until: float | None = None
    """For logs: the step up to which all runs are compared; as far as the shortest arm goes, if not given."""

    def load(self, paths: Sequence[Path]) -> Runs:
        """Read the runs, and print how they were understood.

        Raises:
            SettingError, StoreError: if they cannot be.
        """
        with following() as follow:
            found = logs_.load(
                paths,
                pattern=self.pattern,
                columns=_pairs("columns", self.columns),
                tag=self.tag,
                format=self.format,
                env=self.env,
                thresholds=_thresholds(self.threshold),
                until=self.until,
                follow=follow,
            )
        show_understood(found)
        return found

    def refuse_for_a_study(self) -> None:
        """Refuse options that a study of ours has no use for.

        Raises:
            SettingError: naming the first one given.
        """
        for field in dataclasses.fields(LogOptions):
            value = getattr(self, field.name)
            if value not in (None, ()):
                raise SettingError(
                    f"{field.name} = {quoted(value)}: is for logs of other programs, and the path is a study of ours."
                )


def one_study(paths: Sequence[Path]) -> Path | None:
    """The study of ours that a command is about; None if it is about logs of others.

    Raises:
        SettingError: for no path, or a study among several.
        StoreError: if a link leads out of a path.
    """
    if not paths:
        raise SettingError("PATH: must be a study's folder, or files and folders with logs, such as logs/.")
    studies = [path for path in paths if is_study(path)]
    if studies and len(paths) > 1:
        raise SettingError(f"PATH = {quoted(str(studies[0]))}: is a study of morphorl's, which is looked at alone.")
    for path in paths:
        if path.is_dir():
            refuse_links_out(path)
    return studies[0] if studies else None


def show_understood(found: Runs) -> None:
    """Print the table of what was understood, and a sentence for each rule that acted."""
    shown = tables.table("What was understood")
    for name in ("environment", "arm"):
        shown.add_column(name, overflow="fold")
    rows = understanding.rows(found)
    cells = [(str(row.runs), row.seeds, row.points, row.ends, row.kinds) for row in rows]
    for i, name in enumerate(("runs", "seeds", "points each", "last step", "returns of")):
        tables.add_numbers(shown, name, [row[i] for row in cells])
    for row, numbers in zip(rows, cells, strict=True):
        shown.add_row(row.environment, row.arm, *numbers)
    console.print(shown)
    tables.say(
        console,
        [
            *understanding.sentences(found),
            *logs_.notes(found),
            *thresholds.sentences(found.environments, found.thresholds),
        ],
    )


def _pairs(option: str, text: str | None) -> dict[str, str]:
    """`step=a,return=b` as a dictionary."""
    found = {}
    for pair in text.split(",") if text else ():
        name, equals, value = pair.partition("=")
        if not (name.strip() and equals and value.strip()):
            raise SettingError(f"{option} = {quoted(text)}: must be pairs such as step=global_step,return=score.")
        found[name.strip()] = value.strip()
    return found


def _thresholds(given: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in given:
        name, _, value = text.rpartition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise SettingError(f"threshold = {quoted(text)}: must be a number, or ENV=NUMBER.") from error
    return found
