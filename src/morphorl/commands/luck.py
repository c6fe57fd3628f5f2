"""`morphorl luck`."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import tyro
from rich.table import Table
from rich.text import Text

from morphorl.analysis import coverage, scores
from morphorl.analysis.luck import summary
from morphorl.analysis.luck.summary import LEAD, ArmReport, Plain
from morphorl.analysis.scores import load_scores
from morphorl.commands.shared import Changes, Folder, console, folder_of, trust_study
from morphorl.config.errors import SettingError
from morphorl.config.files import finite_or_none, refuse_links_out, write_json
from morphorl.config.sealed import write_sealed_table
from morphorl.report import tables
from morphorl.report.figures import canvas, luck_figure
from morphorl.studies import study_file
from morphorl.studies.kernel_choice import with_kernel
from morphorl.studies.runner import run_study
from morphorl.studies.store import Store
from morphorl.studies.study import Study


@dataclasses.dataclass
class Luck:
    """Was it the guidance or a lucky pattern? Split the variance of a study whose cell seeds cross its seeds.

    For each arm: the share of the variance that is the pattern's (the cell seed), the learner's (the seed), and of
    both together. For each guided arm: its difference from the arm that shares all its settings but has γ = 0, and how
    often a comparison of 1, 3, 5 or 10 seeds would have found it better. Everything has a 95% interval over patterns
    and learners. Writes luck.json, and luck.png and .svg.
    """

    study: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY|DIR")]
    """A study file (….toml), the name of a study that `morphorl studies` lists (`crossed`), or a folder with the
    results of one (one of docs/results with scores.parquet too)."""
    out: Folder | None = None
    """Where everything is written; runs/NAME, or the folder of the results, if not given."""
    against: str | None = None
    """The label of an arm that all others are compared with. Without it, each guided arm is compared with the arm that
    shares all its settings but has γ = 0."""
    set: Changes = ()
    """Change a value of the study, in TOML's syntax: --set seeds=4 --set cell_seeds=4. May be repeated."""

    def __call__(self) -> None:
        study, table, folder, failed = self._read() if Path(self.study).is_dir() else self._run()
        labelled = {preset: study.expand(preset) for preset in study.presets}
        missing = coverage.shortfalls(study, table)
        told = coverage.sentences(missing)
        with console.status("resampling"), canvas.with_footnote(told):
            report = summary.report(table, labelled, self.against)
            write_json(folder / "luck.json", finite_or_none(report | coverage.to_plain(missing)))
            luck_figure.draw(report, folder / "luck")
        for preset, environments in report.items():
            for environment, arms in environments.items():
                _print(f"{environment}, {preset}", arms)
        tables.say(console, told)
        console.print(f"Results: {folder}", soft_wrap=True)
        if failed:
            sys.exit(1)

    def _read(self) -> tuple[Study, pl.DataFrame, Path, int]:
        root, folder = Path(self.study), Path(self.study) if self.out is None else self.out
        if self.set:
            raise SettingError(f"set = {self.set[0]!r}: must not be given with a folder, whose study has been run.")
        refuse_links_out(root)
        study, table = load_scores(root)
        folder.mkdir(parents=True, exist_ok=True)
        return study, table, folder, 0

    def _run(self) -> tuple[Study, pl.DataFrame, Path, int]:
        trust_study(self.study, self.set)
        study, said = study_file.load_with_tables(self.study, self.set)
        if min(study.cell_seeds or 1, study.seeds) < 3:
            raise SettingError(
                f"cell_seeds = {study.cell_seeds}, seeds = {study.seeds}: must be 3 or more of each, crossed; set them "
                "in the study, or with --set cell_seeds=16."
            )
        store = Store(folder_of(study.name) if self.out is None else self.out)
        study = with_kernel(study, store.root, said.get("kernel", "auto"))
        failed = run_study(study, store.root)
        curves = store.curves(study)
        table = scores.table(curves)
        write_sealed_table(store.root / "curves.parquet", curves)
        write_sealed_table(store.root / scores.FILE, table)
        return study, table, store.root, failed


def _print(head: str, arms: dict[str, ArmReport]) -> None:
    console.print(_variance(head, arms))
    if any("effect" in one["scores"][LEAD] for one in arms.values()):
        console.print(_found(arms))
    sentences = [one["warning"] for one in arms.values()]
    sentences += [f"{arm}: {one['scores'][LEAD].get('unknown')}" for arm, one in arms.items() if _unknown(one)]
    for sentence in filter(None, sentences):
        console.print(sentence, soft_wrap=True)


def _unknown(one: ArmReport) -> bool:
    return "unknown" in one["scores"][LEAD]


def _variance(head: str, arms: dict[str, ArmReport]) -> Table:
    table = _table(f"{head}: {LEAD.replace('_', ' ')}, and whose its variance is")
    for name in ("mean", "pattern", "learner", "both together"):
        table.add_column(name, justify="right")
    for arm, one in arms.items():
        score = one["scores"][LEAD]
        mean = f"{score['mean']:.1f}" if "mean" in score else "unknown"
        split = score.get("split")
        shares = [] if split is None else [_share(split[name]) for name in ("pattern", "learner", "interaction")]
        table.add_row(arm, mean, *shares)
    return table


def _found(arms: dict[str, ArmReport]) -> Table:
    most = summary.SIZES[-1]
    table = _table(f"Difference from the partner; how often {most} seeds find p ≤ .05 for it")
    for name in ("difference", "fresh patterns", "one pattern"):
        table.add_column(name, justify="right")
    for arm, one in arms.items():
        effect = one["scores"][LEAD].get("effect")
        if effect is None:
            continue
        difference, last = effect["difference"], effect["found"][-1]
        interval = f"{difference['low']:+.1f} to {difference['high']:+.1f}"
        told = tables.with_interval(f"{difference['value']:+.1f}", interval)
        shares = [last[kind]["significant"] for kind in summary.KINDS]
        table.add_row(arm, told, *("" if share is None else _share(share) for share in shares))
    return table


def _table(title: str) -> Table:
    table = tables.table(title)
    table.add_column("arm", overflow="fold")
    return table


def _share(estimate: Plain) -> Text:
    return tables.with_interval(f"{estimate['value']:.0%}", f"{estimate['low']:.0%}–{estimate['high']:.0%}")
