"""`morphorl evolve`."""

import dataclasses
import sys

from rich.table import Table

from morphorl.commands.shared import Changes, Folder, StudyName, console, folder_of, trust_study
from morphorl.evolution import generations, search_space
from morphorl.evolution.search_space import EVOLVED, Search
from morphorl.report import tables
from morphorl.report.figures import evolution_figure


@dataclasses.dataclass
class Evolve:
    """Let an evolution strategy find the settings of a study's arm: its `[evolve]` table says which, and what counts.

    Every candidate is judged by whole training runs on tuning seeds, which the study's own seeds must not overlap.
    Writes history.json, fitness.png and .svg, and evolved.toml: the study with the winner as one more arm, for
    `morphorl run`. It may be stopped or killed at any moment: the same command goes on where it was.
    """

    study: StudyName
    """A study file (….toml) with an [evolve] table, or the name of one that `morphorl studies` lists."""
    out: Folder | None = None
    """Where everything is written; runs/NAME if not given. A folder that holds the same search goes on."""
    set: Changes = ()
    """Change a value of the study, in TOML's syntax: --set evolve.generations=10 --set steps=20_000. May be
    repeated."""
    resume: bool = True
    """Keep the finished runs that OUT holds; with --no-resume they are done again."""

    def __call__(self) -> None:
        trust_study(self.study, self.set)
        study, search = search_space.load_search(self.study, self.set)
        root = folder_of(study.name) if self.out is None else self.out
        outcome = generations.evolve_arm(search, study, root, console, resume=self.resume)
        if outcome.failed:
            sys.exit(1)
        title = f"{study.environments[0]}, {study.presets[0]}: evolved from {search.arm!r}"
        evolution_figure.draw(outcome.history, search.fitness, title, root / "fitness")
        console.print(_table(search, outcome))
        told = "Does it beat the start on seeds that it never saw? morphorl run"
        console.print(f"{told} {root / EVOLVED}.toml", soft_wrap=True)
        console.print(f"Results: {root}", soft_wrap=True)


def _table(search: Search, outcome: generations.Outcome) -> Table:
    table = tables.table()
    table.add_column("setting")
    for name in ("start", EVOLVED, "range"):
        table.add_column(name, justify="right")
    for name, axis in search.search.items():
        row = f"{outcome.start[name]:.4g}", f"{outcome.winner[name]:.4g}", f"{axis.low:g} to {axis.high:g} {axis.scale}"
        table.add_row(name, *row)
    return table
