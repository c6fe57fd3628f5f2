"""Writes the tables and the figure of docs/horizon.md: which memories hold a cue for longer than they were taught to.

Usage: uv run docs/horizon_page.py
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from rhythm_page import in_words, markdown, p_value
from tasks_page import interval
from written_tables import with_tables

from morphorl.analysis.bootstrap import bootstrap, difference, holm
from morphorl.analysis.curve_statistics import share
from morphorl.config.sealed import read_sealed_table
from morphorl.report.figures import canvas

DOCS = Path(__file__).parent
PAGE, RESULTS = DOCS / "horizon.md", DOCS / "results" / "horizon"
LATE_RESULTS = DOCS / "results" / "horizon_late"
TASKS = {"TMaze": "The maze", "NoisyTMaze": "The noisy maze", "MemoryChain": "The chain"}
"""The tasks of `horizon` by how their ids begin, and what the page calls them."""
LATE_CUE = {"LateTMaze": "The maze whose cue comes late"}
"""The task of `horizon_late`."""
BISTABLE, TAUGHT, TESTED = "bistable cell", 16, 512
LONGEST = 2048
DELAYS = (16, 64, 256, 512, LONGEST)
FRESH = slice(32, None)
"""The seeds that the measure at `LONGEST` was planned for."""
HELD = 0.95
"""The share of episodes from which an agent counts as holding."""
COLOURS = {
    "no memory": "#999999",
    "bistable cell": "#b3402a",
    "leaky cell": "#7fa8d1",
    "leaky cell, guided": "#1f5c99",
    "driven cell": "#c9a227",
    "driven cell, guided": "#7a5b00",
    "leaky bank": "#4f9d69",
    "slower bank": "#1d5c3a",
    "amplified filter": "#2aa5a0",
    "frame stack": "#d48ac0",
    "echo state": "#9b6fb5",
    "GRU": "#222222",
    "LRU": "#e07b39",
}
"""How each arm is drawn, the widest line first."""


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    played = read_sealed_table(RESULTS / "played.parquet")
    parts = [f"### {name}\n\n{task_table(played, task)}" for task, name in TASKS.items()]
    parts.append(f"### At {LONGEST:,} steps, the 32 seeds that this was planned for\n\n{longest_table(played, FRESH)}")
    parts.append(f"### At {LONGEST:,} steps, all seeds\n\n{longest_table(played)}")
    late = read_sealed_table(LATE_RESULTS / "played.parquet")
    for task, name in LATE_CUE.items():
        parts.append(f"### {name}\n\n{task_table(late, task)}\n\n{longest_table(late, tasks=LATE_CUE)}")
    parts.append(f"### Guided less not guided\n\n{guidance_table(played)}")
    parts.append(f"### Taught in the quiet maze, tested in the noisy one\n\n{moved_table(played)}")
    parts.append(f"### States in which the memory rests, and what it holds\n\n{points_table(played)}")
    return with_tables(PAGE, "\n\n".join(parts))


def task_table(played: pl.DataFrame, task: str) -> str:
    """Every arm of a task, the one that holds in most seeds first, beside the bistable cell."""
    right = {arm: rights(played, arm, task, TESTED) for arm in arms(played)}
    effects = {arm: difference(right[BISTABLE], other, np.mean, paired=True) for arm, other in right.items()}
    others = rivals(played)
    corrected = dict(zip(others, holm(np.array([effects[arm].p for arm in others])), strict=True))
    rows = []
    for arm in sorted(right, key=lambda arm: -right[arm].mean()):
        at_each = [f"{rights(played, arm, task, delay).mean():.2f}" for delay in DELAYS]
        lead = (in_words(effects[arm]), p_value(corrected[arm])) if arm != BISTABLE else ("", "")
        rows.append((arm, *at_each, in_share(right[arm] >= HELD), *lead))
    columns = ("arm", *map(str, DELAYS), f"holds at {TESTED}", f"{BISTABLE} less this, at {TESTED}", "p, corrected")
    return markdown(columns, rows)


def longest_table(played: pl.DataFrame, seeds: slice = slice(None), tasks: Mapping[str, str] = TASKS) -> str:
    """The bistable cell less each rival at the longest delay, on all seeds or some."""
    columns = (f"rival, at {LONGEST}", *(f"{name}, p" for name in tasks.values()))
    others = rivals(played)
    told = {}
    for task in tasks:
        held = {arm: rights(played, arm, task, LONGEST)[seeds] for arm in (BISTABLE, *others)}
        effects = [difference(held[BISTABLE], held[rival], np.mean, paired=True) for rival in others]
        corrected = holm(np.array([effect.p for effect in effects]))
        told[task] = [f"{in_words(effect)}, {p_value(p)}" for effect, p in zip(effects, corrected, strict=True)]
    return markdown(columns, [(rival, *(told[task][i] for task in tasks)) for i, rival in enumerate(others)])


def guidance_table(played: pl.DataFrame) -> str:
    """What blind guidance adds to either cell, at the delay that was taught and beyond."""
    rows = []
    for cell in ("leaky cell", "driven cell"):
        for task, name in TASKS.items():
            effects = [
                difference(
                    *(rights(played, arm, task, delay) for arm in (f"{cell}, guided", cell)), np.mean, paired=True
                )
                for delay in (TAUGHT, TESTED, LONGEST)
            ]
            rows.append((cell, name, *map(in_words, effects)))
    return markdown(("cell", "task", *map(str, (TAUGHT, TESTED, LONGEST))), rows)


def moved_table(played: pl.DataFrame) -> str:
    """Agents that never met noise, in the noisy maze."""
    columns = ("arm", *(f"noisy, {delay}" for delay in DELAYS))
    rows = [
        (arm, *(interval(rights(played, arm, "TMaze", delay, "NoisyTMaze")) for delay in DELAYS))
        for arm in arms(played)
    ]
    return markdown(columns, rows)


def points_table(played: pl.DataFrame) -> str:
    """How many agents rest in one state or in two, how many of those hold, and how often the number foretells it."""
    found = foretold(played)
    rows = []
    for task, name in list(TASKS.items())[:2]:
        every = arms(played)
        for label, these in [*((arm, [arm]) for arm in every), ("all", every)]:
            here = found.filter(pl.col("task") == task, pl.col("arm").is_in(these))
            one, two = (here.filter(points=points)["holds"] for points in (1, 2))
            told = here.filter(pl.col("points") > 0)
            agree = (told["points"] == 2) == told["holds"]
            cells = (
                f"{one.sum()} of {len(one)}",
                f"{two.sum()} of {len(two)}",
                f"{agree.mean():.0%}" if len(told) else "",
            )
            rows.append((name, label, *cells))
    return markdown(("task", "arm", "one state: hold", "two states: hold", "foretold"), rows)


def foretold(played: pl.DataFrame) -> pl.DataFrame:
    """Agents of the mazes that are right at the delay they were taught: task, arm, points, holds."""
    points = pl.read_parquet(RESULTS / "points.parquet")
    rows = []
    for task in list(TASKS)[:2]:
        for arm in arms(played):
            short, long = (rights(played, arm, task, delay) for delay in (TAUGHT, TESTED))
            counts = points.filter(environment=f"{task}-{TAUGHT}", arm=arm).sort("seed")["points"].fill_null(0)
            chosen = short >= HELD
            rows += [
                {"task": task, "arm": arm, "points": count, "holds": bool(held)}
                for count, held in zip(counts.to_numpy()[chosen], (long >= HELD)[chosen], strict=True)
            ]
    return pl.DataFrame(rows)


def arms(played: pl.DataFrame) -> list[str]:
    """The arms in the study's order."""
    return played["arm"].unique(maintain_order=True).to_list()


def rivals(played: pl.DataFrame) -> list[str]:
    """All arms but the bistable cell."""
    return [arm for arm in arms(played) if arm != BISTABLE]


def rights(
    played: pl.DataFrame, arm: str, task: str, delay: int, played_in: str | None = None
) -> Float[np.ndarray, " seeds"]:
    """The share of episodes in which each seed was right: their return is above 0. A run that diverged has 0.

    Args:
        played_in: the task that it was tested in, if not the one that it was taught in.
    """
    where = f"{played_in or task}-{delay}"
    found = played.filter(environment=f"{task}-{TAUGHT}", arm=arm, played_in=where).sort("seed")
    right = pl.col("returns").list.eval(pl.element() > 0).list.mean()
    return found.select(right.fill_null(0.0))["returns"].to_numpy()


def holding(played: pl.DataFrame, arm: str, task: str, delay: int = TESTED) -> int:
    """How many seeds are right in a share of `HELD` of the episodes."""
    return int((rights(played, arm, task, delay) >= HELD).sum())


def in_share(held: Bool[np.ndarray, " seeds"]) -> str:
    """How many of the seeds, with the interval of the share."""
    told = share(held)
    return f"{held.sum()} of {len(held)} ({told.low:.0%} to {told.high:.0%})"


def figure() -> None:
    """The share right at each delay, an arm a line, a task a panel."""
    first, late = (read_sealed_table(folder / "played.parquet") for folder in (RESULTS, LATE_RESULTS))
    shown = [(name, task, found) for found, tasks in ((first, TASKS), (late, LATE_CUE)) for task, name in tasks.items()]
    with canvas.in_style():
        drawn, rows = canvas.subplots(2, 2, figsize=(9, 5.4), sharex=True, sharey=True)
        for axes, (name, task, played) in zip(np.ravel(rows), shown, strict=True):
            draw_panel(axes, played, task)
            axes.set_title(name)
        for axes in rows[-1]:
            axes.set_xlabel("delay, steps (taught: 16)")
        drawn.supylabel("share of episodes that are right", fontsize=10)
        lines = {line.get_label(): line for axes in np.ravel(rows) for line in axes.get_lines()}
        named = {arm: lines[arm] for arm in COLOURS}
        drawn.legend(named.values(), named.keys(), loc="outside lower center", ncols=5, fontsize=8)
        drawn.savefig(RESULTS / "delays.svg", metadata={"Date": None})


def draw_panel(axes: Axes, played: pl.DataFrame, task: str) -> None:
    """The arms of one task."""
    for arm in arms(played):
        points = [bootstrap(np.mean, rights(played, arm, task, delay)) for delay in DELAYS]
        mean, low, high = np.array(points).T
        width = 8 - 0.5 * list(COLOURS).index(arm)  # lines that lie on one another stay visible
        style = {"color": COLOURS[arm], "marker": "o", "markersize": width + 1, "linewidth": width}
        axes.plot(DELAYS, mean, label=arm, **style)
        axes.fill_between(DELAYS, low, high, color=COLOURS[arm], alpha=0.12, linewidth=0)
    axes.axvline(TAUGHT, color="0.8", linewidth=1, zorder=0)
    axes.set_xscale("log", base=2)
    axes.set_xticks(DELAYS, [str(delay) for delay in DELAYS])


if __name__ == "__main__":
    PAGE.write_text(page())
    figure()
