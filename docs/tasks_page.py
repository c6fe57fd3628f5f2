"""Writes the tables of docs/tasks.md: what agents here learn on each task, beside what others publish.

Usage: uv run docs/tasks_page.py
"""

import tomllib
from pathlib import Path

import numpy as np
import polars as pl

from morphorl.analysis import scores
from morphorl.analysis.bootstrap import bootstrap

DOCS = Path(__file__).parent
PAGE, PUBLISHED, RESULTS = DOCS / "tasks.md", DOCS / "published.toml", DOCS / "results" / "tasks"
BEGIN, END = "<!-- tables: docs/tasks_page.py -->\n", "<!-- end of tables -->\n"
HEAD = (
    "| arm | greedy return at the end | largest return in training | untrained | solved | steps |\n" + "|---" * 6 + "|"
)


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    sections = map(section, tomllib.loads(PUBLISHED.read_text())["task"])
    return f"{before}{BEGIN}\n" + "\n".join(sections) + f"\n{END}{after}"


def section(task: dict) -> str:
    """One task: the arms that were trained on it, and what is published."""
    found = [table.filter(environment=task["id"]) for table in tables()]
    published = [one.values() for one in task["published"]]
    rows = [row(arm) for table in found for arm in table.partition_by("arm", maintain_order=True)]
    lines = [f"- Published: {returns} ({by}, {steps} steps; {source})." for returns, by, steps, source in published]
    known = "\n".join(lines or ["- We found nothing published that can be compared."])
    return f"### {task['id']}\n\n{HEAD}\n" + "\n".join(rows) + f"\n\n{known}\n"


def tables() -> list[pl.DataFrame]:
    """The scores of every study that is published there."""
    return [scores.read(folder / scores.FILE) for folder in sorted(RESULTS.iterdir()) if folder.is_dir()]


def row(arm: pl.DataFrame) -> str:
    """The line of an arm: means over seeds with their intervals; a run that diverged counts as it was untrained."""
    final = pl.when(pl.col("diverged_at").is_null()).then("final_greedy_return").otherwise("untrained_return")
    cells = [
        arm["arm"][0],
        interval(arm.select(final.alias("final"))["final"].to_numpy()),
        interval(arm["peak_return"].to_numpy()),
        number(arm["untrained_return"].mean()),
        _solved(arm),
        f"{len(arm)} × {arm['steps'][0]:,}",
    ]
    return f"| {' | '.join(cells)} |"


def _solved(arm: pl.DataFrame) -> str:
    if arm["threshold"][0] is None:
        return ""
    steps = arm["steps_to_threshold"].fill_null(np.inf).to_numpy()
    middle = np.median(steps)
    return f"{np.isfinite(steps).mean():.0%}" + (f", median {middle:,.0f} steps" if np.isfinite(middle) else "")


def interval(values: np.ndarray) -> str:
    """The mean with its 95% interval."""
    mean, low, high = bootstrap(np.mean, values)
    return f"{number(mean)} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Three digits."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


if __name__ == "__main__":
    PAGE.write_text(page())
