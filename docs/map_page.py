"""Writes the table of docs/map.md and its figure: on which task which kind of dynamics helps, and what is not known.

Usage: uv run docs/map_page.py     # docs/map.toml names the cells
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import shift_page
from horizon_page import TESTED, rights
from jaxtyping import Float
from rhythm_page import in_words, markdown, p_value
from written_tables import with_tables

from morphorl.analysis import scores
from morphorl.analysis.bootstrap import Effect, difference, holm
from morphorl.config.sealed import read_sealed_table
from morphorl.environments.cartpole import THRESHOLD
from morphorl.report.figures import canvas

DOCS = Path(__file__).parent
PAGE, CELLS, RESULTS = DOCS / "map.md", DOCS / "map.toml", DOCS / "results"
FIGURE = RESULTS / "map.svg"
RIGHT = f"right at {TESTED}"
MARGIN = 0.05
"""What counts as no difference: an interval within this share of the way from an untrained agent to a solved task."""
LEVEL = 0.05
VERDICTS = {
    "helps": ("#4f9d69", "+"),
    "harms": ("#b3402a", "−"),
    "no difference": ("#9aa5b1", "="),
    "not told": ("#e8e4da", "?"),
}
"""How each verdict is drawn."""
COLUMNS = ("mechanism", "task", "arm", "beside", "measure", "difference", "p, corrected", "verdict")
MEASURES = {
    "area_under_curve": "mean return over training",
    "final_greedy_return": "greedy return at the end",
    "after": "training return, second half",
}


class Cell(NamedTuple):
    """A comparison of two arms of one study."""

    mechanism: str
    task: str
    results: str
    environment: str
    preset: str
    arm: str
    beside: str
    measure: str


class Judged(NamedTuple):
    """What came out of it."""

    cell: Cell
    effect: Effect
    p: float
    verdict: str


def cells() -> list[Cell]:
    """All cells, in the file's order."""
    mechanisms = tomllib.loads(CELLS.read_text())["mechanism"]
    return [Cell(mechanism["name"], **cell) for mechanism in mechanisms for cell in mechanism["cells"]]


def judged() -> list[Judged]:
    """Every cell with its effect, its p-value corrected for the number of cells, and the verdict."""
    every = cells()
    compared = [compare(cell) for cell in every]
    corrected = holm(np.array([effect.p for effect, _ in compared]))
    return [
        Judged(cell, effect, float(p), verdict(effect, float(p), scale))
        for cell, (effect, scale), p in zip(every, compared, corrected, strict=True)
    ]


def compare(cell: Cell) -> tuple[Effect, float]:
    """The paired difference of a cell, and the way from an untrained agent to a solved task."""
    if cell.measure == RIGHT:
        played = read_sealed_table(RESULTS / cell.results / "played.parquet")
        task = cell.environment.split("-")[0]
        arm, beside = (rights(played, name, task, TESTED) for name in (cell.arm, cell.beside))
        return difference(arm, beside, np.mean, paired=True), 0.5
    if cell.measure == "after":
        return after_a_change(cell)
    table = scores.read(RESULTS / cell.results / scores.FILE)
    here = table.filter(environment=cell.environment, preset=cell.preset).sort("seed")
    arm, beside = (measured(here.filter(arm=name), cell.measure) for name in (cell.arm, cell.beside))
    known = here["untrained_return"].drop_nulls().drop_nans()
    untrained = float(known.to_numpy().mean()) if len(known) else 0.0  # some older studies did not measure it
    solved = here["threshold"][0] if here["threshold"][0] is not None else float(beside.mean())
    return difference(arm, beside, np.mean, paired=True), abs(solved - untrained)


def after_a_change(cell: Cell) -> tuple[Effect, float]:
    """The same of a CartPole that changes; an untrained agent's return is CartPole's, whose scores say it."""
    rows = shift_page.read("recovery").filter(environment=cell.environment)
    known = scores.read(RESULTS / "claims" / scores.FILE).filter(environment="CartPole-v1")["untrained_return"]
    return shift_page.lead_of(rows, cell.arm, cell.beside, "after"), THRESHOLD - float(known.to_numpy().mean())


def measured(rows: pl.DataFrame, measure: str) -> Float[np.ndarray, " seeds"]:
    """A measure of each seed; one that diverged counts as it was untrained."""
    kept = pl.when(pl.col("diverged_at").is_null()).then(measure).otherwise("untrained_return")
    return rows.select(kept.alias("kept"))["kept"].to_numpy()


def verdict(effect: Effect, p: float, scale: float) -> str:
    """`helps` or `harms` if the difference is told from 0 after correction, `no difference` if it is surely small."""
    if p < LEVEL:
        return "helps" if effect.value > 0 else "harms"
    small = max(abs(effect.low), abs(effect.high)) <= MARGIN * scale
    return "no difference" if small else "not told"


def page() -> str:
    """The page as it should be: its text as it stands, the table from the results."""
    rows = [
        (
            cell.mechanism,
            cell.task,
            cell.arm,
            cell.beside,
            MEASURES.get(cell.measure, cell.measure),
            in_words(effect),
            p_value(p),
            f"**{said}**",
        )
        for cell, effect, p, said in judged()
    ]
    return with_tables(PAGE, markdown(COLUMNS, rows))


def figure() -> None:
    """Tasks down, mechanisms across, a square for each cell."""
    found = judged()
    tasks, mechanisms = (
        list(dict.fromkeys(names))
        for names in zip(*((one.cell.task, one.cell.mechanism) for one in found), strict=True)
    )
    with canvas.in_style():
        drawn, axes = canvas.subplots(figsize=(0.32 * len(mechanisms) + 4.2, 0.32 * len(tasks) + 3.6))
        for one in found:
            x, y = mechanisms.index(one.cell.mechanism), tasks.index(one.cell.task)
            colour, sign = VERDICTS[one.verdict]
            axes.plot(x, y, "s", color=colour, markersize=17)
            ink = "#333333" if one.verdict == "not told" else "white"
            axes.text(x, y, sign, ha="center", va="center_baseline", color=ink, fontsize=12, fontweight="bold")
        for said, (colour, _) in VERDICTS.items():
            axes.plot([], [], "s", color=colour, label=said, markersize=10)
        axes.set_xticks(range(len(mechanisms)), mechanisms, rotation=60, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        axes.set_yticks(range(len(tasks)), tasks)
        axes.set_xlim(-0.6, len(mechanisms) - 0.4)
        axes.set_ylim(len(tasks) - 0.4, -0.6)
        axes.set_axisbelow(True)
        axes.grid(color="0.93")
        axes.tick_params(length=0)
        drawn.legend(loc="outside lower center", ncols=len(VERDICTS), frameon=False)
        drawn.savefig(FIGURE, metadata={"Date": None})


if __name__ == "__main__":
    PAGE.write_text(page())
    figure()
