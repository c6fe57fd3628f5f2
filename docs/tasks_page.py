"""Writes the tables of docs/tasks.md: what agents here learn on each task, beside what others publish.

Usage: uv run docs/tasks_page.py
"""

import tomllib
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from written_tables import with_tables

from morphorl.analysis import score_table
from morphorl.analysis.bootstrap import bootstrap

DOCS = Path(__file__).parent
PAGE, PUBLISHED, RESULTS = DOCS / "tasks.md", DOCS / "published.toml", DOCS / "results" / "tasks"
COLUMNS = ("arm", "return at the end", "beside the first arm", "largest in training", "untrained", "solved", "runs")
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    sections = map(section, tomllib.loads(PUBLISHED.read_text())["task"])
    return with_tables(PAGE, "\n\n".join(sections))


def section(task: dict) -> str:
    """One task: the arms that were trained on it, and what is published."""
    arms = [arm for table in tables(task["id"]) for arm in table.partition_by("arm", maintain_order=True)]
    rows = [row(arm, arms[0]) for arm in arms]
    published = [one.values() for one in task["published"]]
    lines = [f"- Published: {returns} ({by}, {steps} steps; {source})." for returns, by, steps, source in published]
    known = "\n".join(lines or ["- We found nothing published that can be compared."])
    return f"### {task['id']}\n\n{HEAD}\n" + "\n".join(rows) + f"\n\n{known}"


def tables(environment: str) -> list[pl.DataFrame]:
    """The scores on one task, of every study that is published there."""
    folders = sorted(folder for folder in RESULTS.iterdir() if folder.is_dir())
    return [score_table.read(folder / score_table.FILE).filter(environment=environment) for folder in folders]


def row(arm: pl.DataFrame, first: pl.DataFrame) -> str:
    """The line of an arm: means over seeds with their intervals, and paired by seed beside the first arm."""
    final, other = at_the_end(arm), at_the_end(first)
    cells = [
        arm["arm"][0],
        interval(final),
        "" if arm["arm"][0] == first["arm"][0] else interval(final - other),
        interval(arm["peak_return"].to_numpy()),
        number(arm["untrained_return"].mean()),
        _solved(arm),
        f"{len(arm)} × {arm['steps'][0]:,}",
    ]
    return f"| {' | '.join(cells)} |"


def at_the_end(arm: pl.DataFrame) -> Float[np.ndarray, " seeds"]:
    """The greedy return of each seed at the end; one that diverged counts as it was untrained."""
    kept = pl.when(pl.col("diverged_at").is_null()).then("final_greedy_return").otherwise("untrained_return")
    return arm.sort("seed").select(kept.alias("final"))["final"].to_numpy()


def _solved(arm: pl.DataFrame) -> str:
    if arm["threshold"][0] is None:
        return ""
    steps = arm["steps_to_threshold"].fill_null(np.inf).to_numpy()
    middle = np.median(steps)
    return f"{np.isfinite(steps).mean():.0%}" + (f", median {middle:,.0f} steps" if np.isfinite(middle) else "")


def interval(values: Float[np.ndarray, " seeds"]) -> str:
    """The mean with its 95% interval."""
    mean, low, high = bootstrap(np.mean, values)
    return f"{number(mean)} ({number(low)} to {number(high)})"


def number(value: float) -> str:
    """Three digits."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}".replace("-", "−")


if __name__ == "__main__":
    PAGE.write_text(page())
