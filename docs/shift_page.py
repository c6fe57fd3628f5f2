"""Writes the tables and the figure of docs/shift.md: who is soonest good again after a change that nobody announces.

Usage: uv run docs/shift_page.py
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from recovery import BLOCK
from rhythm_page import in_words, markdown, p_value
from tasks_page import interval, number
from written_tables import with_tables

from morphorl.analysis.bootstrap import Effect, bootstrap, difference, holm
from morphorl.report.figures import canvas

DOCS = Path(__file__).parent
PAGE, RESULTS = DOCS / "shift.md", DOCS / "results" / "shift"
TASKS = {
    "ChangingCartPole-length-1.5-share-0.5": "A longer pole",
    "ChangingCartPole-gravity-30-share-0.5": "More gravity",
    "ChangingCartPole-push-reversed-share-0.5": "Pushes exchanged",
    "ChangingCartPole-push-reversed-chance-0.01+action": "Pushes exchanged within every episode",
}
"""The tasks by their ids, and what the page calls them."""
HALF = 12
"""Blocks before the switch."""
WITHIN = list(TASKS)[-1]
STEADY = {"Acrobot-v1": "Acrobot", "MountainCar-v0": "MountainCar"}
PLAIN, BEST = "plain PPO", "three factors, hidden layer"
"""`BEST`: the arm with dynamics that was best in the tuning, and so the reference of the comparisons."""
DRAWN = {
    PLAIN: "#222222",
    BEST: "#b3402a",
    "Stream AC(λ)": "#c9a227",
    "leaky bank": "#4f9d69",
    "GRU": "#1f5c99",
    "resets": "#9b6fb5",
}
"""The arms of the figure, and their colours."""
COLUMNS = ("arm", "before", "after", "loss", "at the end", f"{BEST} less this arm, after", "p, corrected")
RADIAL = "three factors, radial features"
ON_RADIAL = {"Acrobot-v1+radial": "Acrobot", "MountainCar-v0+radial": "MountainCar"}
LUNAR = {"gym:LunarLander-v3": "LunarLander"}


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    rows, steady = read("recovery"), read("without")
    p = corrected(rows, "after", list(TASKS))
    parts = [f"### {name}\n\n{task_table(rows.filter(environment=task), p)}" for task, name in TASKS.items()]
    parts.append(f"### What each change costs\n\n{cost_table(rows, read('never'))}")
    parts += steady_parts(steady, STEADY, "no change", BEST)
    parts += steady_parts(read("radial"), ON_RADIAL, "radial features, no change", RADIAL)
    parts += steady_parts(read("lunar"), LUNAR, "no change", BEST)
    return with_tables(PAGE, "\n\n".join(parts))


def read(name: str) -> pl.DataFrame:
    """The rows of `docs/recovery.py`, seeds in order, arms without settings; `all` and `first`: means over all of
    training and over its first half."""
    rows = pl.read_parquet(RESULTS / f"{name}.parquet").sort("environment", "arm", "seed")
    blocks = pl.col("blocks").list
    named = rows.with_columns(pl.col("arm").str.replace(r"(Stream AC\(λ\)).*", "$1"))
    return named.with_columns(all=blocks.mean(), first=blocks.head(HALF).list.mean())


def of(rows: pl.DataFrame, arm: str, column: str) -> Float[np.ndarray, " seeds"]:
    """A measure of each seed of an arm."""
    return rows.filter(arm=arm)[column].to_numpy()


def lead_of(rows: pl.DataFrame, arm: str, rival: str, column: str) -> Effect:
    """The mean difference of two arms of one task, paired by seed."""
    return difference(of(rows, arm, column), of(rows, rival, column), np.mean, paired=True)


def arms(rows: pl.DataFrame, column: str) -> list[str]:
    """The arms, best first."""
    return sorted(rows["arm"].unique().sort(), key=lambda arm: -of(rows, arm, column).mean())


def corrected(rows: pl.DataFrame, column: str, tasks: list[str], reference: str = BEST) -> dict[tuple[str, str], float]:
    """The p-value of each comparison with the reference, by task and arm, after Holm over all of them."""
    found = {
        (task, arm): lead_of(here, reference, arm, column).p
        for task in tasks
        for here in [rows.filter(environment=task)]
        for arm in arms(here, column)
        if arm != reference
    }
    return dict(zip(found, map(float, holm(np.array(list(found.values())))), strict=True))


def task_table(rows: pl.DataFrame, p: dict[tuple[str, str], float]) -> str:
    """Every arm of a task with a change, best after it first."""
    task = rows["environment"][0]
    table = [
        (
            arm,
            number(of(rows, arm, "before").mean()),
            interval(of(rows, arm, "after")),
            number((of(rows, arm, "before") - of(rows, arm, "after")).mean()),
            number(of(rows, arm, "last").mean()),
            *lead(rows, arm, "after", p.get((task, arm))),
        )
        for arm in arms(rows, "after")
    ]
    return markdown(COLUMNS, table)


def cost_table(rows: pl.DataFrame, never: pl.DataFrame) -> str:
    """Of every arm, the return of the second half where nothing changes, and how much less it is after each switch."""
    switches = list(TASKS)[:3]
    table = [
        (arm, interval(of(never, arm, "after")), *(in_words(cost(rows, never, task, arm)) for task in switches))
        for arm in arms(never, "after")
    ]
    return markdown(("arm", "after, nothing changes", *(f"cost: {TASKS[task].lower()}" for task in switches)), table)


def cost(rows: pl.DataFrame, never: pl.DataFrame, task: str, arm: str) -> Effect:
    """What a switch costs an arm: its second half where nothing changes less that after the switch, paired by seed."""
    changed = of(rows.filter(environment=task), arm, "after")
    return difference(of(never, arm, "after"), changed, np.mean, paired=True)


def steady_parts(steady: pl.DataFrame, tasks: dict[str, str], what: str, reference: str) -> list[str]:
    """A heading and a table for each task without a change, corrected together.

    Args:
        what: said of these tasks in their headings.
        reference: the arm that all others are compared with.
    """
    p = corrected(steady, "all", list(tasks), reference)
    return [
        f"### {name}, {what}\n\n{steady_table(steady.filter(environment=task), p, reference)}"
        for task, name in tasks.items()
    ]


def steady_table(rows: pl.DataFrame, p: dict[tuple[str, str], float], reference: str) -> str:
    """Every arm of a task without a change, best first."""
    task = rows["environment"][0]
    table = [
        (arm, interval(of(rows, arm, "all")), *lead(rows, arm, "all", p.get((task, arm)), reference))
        for arm in arms(rows, "all")
    ]
    return markdown(("arm", "mean return", f"{reference} less this arm", "p, corrected"), table)


def lead(rows: pl.DataFrame, arm: str, column: str, p: float | None, reference: str = BEST) -> tuple[str, str]:
    """The reference less an arm; empty for itself."""
    if p is None:
        return "", ""
    return in_words(lead_of(rows, reference, arm, column)), p_value(p)


def figure() -> None:
    """The training return over time, a task a panel."""
    rows = read("recovery")
    with canvas.in_style():
        drawn, panels = canvas.subplots(1, len(TASKS), figsize=(11, 3.4), sharey=True)
        steps = BLOCK * np.arange(1, len(rows["blocks"][0]) + 1) / 1000
        for axes, (task, name) in zip(panels, TASKS.items(), strict=True):
            here = rows.filter(environment=task)
            for arm, colour in DRAWN.items():
                curves = np.array(here.filter(arm=arm)["blocks"].to_list())
                mean, low, high = np.array([bootstrap(np.mean, column) for column in curves.T]).T
                axes.plot(steps, mean, color=colour, label=arm)
                axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
            if task != WITHIN:
                axes.axvline(steps[-1] / 2, color="0.6", linestyle="--", linewidth=1, zorder=0)
            axes.set_title(name.replace(" within", "\nwithin"), fontsize=9)
            axes.set_xlabel("thousand environment steps")
        panels[0].set_ylabel("return of training episodes")
        drawn.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
        drawn.savefig(RESULTS / "recovery.svg", metadata={"Date": None})


if __name__ == "__main__":
    PAGE.write_text(page())
    figure()
