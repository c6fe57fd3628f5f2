"""`morphorl luck`."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import tyro
from rich import box
from rich.markup import escape
from rich.table import Table

from morphorl import engines, luck_figure, luck_report, study_file
from morphorl.commands.shared import Changes, Folder, console, folder_of
from morphorl.errors import SettingError, StoreError
from morphorl.files import refuse_links_out, write_atomically, write_table
from morphorl.run import run
from morphorl.store import Store


@dataclasses.dataclass
class Luck:
    """Was it the guidance or a lucky pattern? Split the variance of a study whose cell seeds cross its seeds.

    For each arm: the share of the variance that is the pattern's (the cell seed), the learner's (the seed), and of
    both together; and how often a comparison of 1, 3, 5 or 10 seeds would have found it better than another arm.
    Writes luck.json and luck.png and .svg.
    """

    study: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY|DIR")]
    """A study file (….toml), the name of a study that `morphorl studies` lists (`crossed`), or a folder with the
    results of one."""
    out: Folder | None = None
    """Where everything is written; runs/NAME, or the folder of the results, if not given."""
    against: str | None = None
    """The label of the arm that the others are compared with; the first one if not given."""
    set: Changes = ()
    """Change a value of the study, in TOML's syntax: --set seeds=4 --set cell_seeds=4. May be repeated."""

    def __call__(self) -> None:
        curves, folder, failed = self._read() if Path(self.study).is_dir() else self._run()
        with console.status("resampling"):
            report = luck_report.report(curves, self.against)
            write_atomically(folder / "luck.json", lambda path: path.write_text(json.dumps(report, indent=2)))
            luck_figure.draw(report, folder / "luck")
        for preset, environments in report.items():
            for environment, arms in environments.items():
                console.print(_table(f"{environment}, {preset}", arms))
        console.print(f"Results: {folder}", soft_wrap=True, markup=False, highlight=False)
        if failed:
            sys.exit(1)

    def _read(self) -> tuple[pl.DataFrame, Path, int]:
        root, folder = Path(self.study), Path(self.study) if self.out is None else self.out
        if self.set:
            raise SettingError(f"set = {self.set[0]!r}: must not be given with a folder, whose study has been run.")
        try:
            curves = pl.read_parquet(root / "curves.parquet")
        except (OSError, pl.exceptions.PolarsError) as error:
            raise StoreError(f"{root}: holds no curves.parquet; must be a folder that `morphorl run` wrote.") from error
        folder.mkdir(parents=True, exist_ok=True)
        refuse_links_out(folder)
        return curves, folder, 0

    def _run(self) -> tuple[pl.DataFrame, Path, int]:
        study = study_file.load(self.study, self.set)
        if min(study.cell_seeds or 1, study.seeds) < 3:
            raise SettingError(
                f"cell_seeds = {study.cell_seeds}, seeds = {study.seeds}: must be 3 or more of each, crossed; set them "
                "in the study, or with --set cell_seeds=16."
            )
        store = Store(folder_of(study.name) if self.out is None else self.out)
        failed = run(study, store, console, engine=engines.local)
        curves = store.curves(study)
        write_atomically(store.root / "curves.parquet", lambda path: write_table(curves, path))
        return curves, store.root, failed


def _table(head: str, arms: dict) -> Table:
    title = f"{head}: early return over crossed seeds. Shares of its variance and 95% intervals."
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("arm")
    for name in ("mean", "pattern", "learner", "both together", f"found by {', '.join(map(str, luck_report.SIZES))}"):
        table.add_column(name, justify="right")
    for arm, scores in arms.items():
        table.add_row(escape(arm), *_cells(scores["early_return"]))
    return table


def _cells(score: dict) -> list[str]:
    if "split" not in score:
        return ["unknown", escape(score["unknown"])]
    shares = [_share(score["split"][name]) for name in ("pattern", "learner", "interaction")]
    found = [f"{entry['fresh_patterns']['better']:.0%}" for entry in score.get("found", ())]
    return [f"{score['mean']:.1f}", *shares, " ".join(found)]


def _share(estimate: dict) -> str:
    return f"{estimate['value']:.0%} [dim]{estimate['low']:.0%}–{estimate['high']:.0%}[/dim]"
