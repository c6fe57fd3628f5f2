"""What a finished study leaves behind: curves, figures, and a summary on disk and on the terminal."""

import math
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from morphorl.analysis import coverage, curve_statistics, interpretations, score_table, scores, verdicts
from morphorl.analysis.curve_statistics import Estimate
from morphorl.config.files import finite_or_none, write_json
from morphorl.config.sealed import write_sealed_table
from morphorl.environments import registry
from morphorl.ppo.checkpoints import Agents
from morphorl.report import tables, verdict_report
from morphorl.report.names import file_name
from morphorl.report.tables import COLUMNS, short_number
from morphorl.studies.store import Store
from morphorl.studies.study import Study

MOST_LINES = 40
"""Arms that a table or a figure can show."""


def write(study: Study, store: Store, console: Console) -> None:
    """Write `curves.parquet`, `scores.parquet`, `figures/`, `summary.json`, `verdicts.json`; print the last two.

    A study under several presets gets figures, summary and verdicts for each, in a folder of its own.
    """
    with console.status("reading the results"):
        curves = store.curves(study)
        write_sealed_table(store.root / "curves.parquet", curves)
        table = scores.table(curves)
        write_sealed_table(store.root / scores.FILE, table)
    for preset in curves["preset"].unique(maintain_order=True):
        folder = verdicts.folder_of(store.root, study, preset)
        _draw(study, preset, curves.filter(preset=preset), table, folder, console)
        summarise(study, preset, table, folder, console)
    tables.say(console, coverage.sentences(coverage.shortfalls(study, table)))
    _mention_unknown(curves, console)
    _mention_divergence(curves, console)
    console.print(f"Results: {store.root}", soft_wrap=True)


def summarise(study: Study, preset: str, table: pl.DataFrame, folder: Path, console: Console) -> None:
    """Write `summary.json` and `verdicts.json` of one preset into a folder, and print both.

    Args:
        table: as `scores.table` makes it, rows of other presets included.
    """
    here = table.filter(preset=preset)
    environments = here["environment"].unique(maintain_order=True)
    with console.status(f"{preset}: computing intervals"):
        summary = {environment: _summarise(here.filter(environment=environment)) for environment in environments}
        missing = coverage.shortfalls(study, table, preset)
        write_json(folder / "summary.json", _plain(summary) | coverage.to_plain(missing))
    steps = max(settings.steps for settings in study.expand(preset).values())
    few = here["arm"].n_unique() <= MOST_LINES
    for environment, rows in summary.items() if few else ():
        console.print(_table(f"{environment}, {preset}", environment, steps, rows))
    if not few:
        arms = here["arm"].n_unique()
        console.print(f"{preset}: {arms} arms, too many to show or draw: see {folder}/summary.json.", soft_wrap=True)
    if study.cell_seeds:
        crossed = "Runs that share a seed are not independent: these intervals take them for it. See `morphorl luck`."
        console.print(crossed, soft_wrap=True)
    verdict_report.write(study, preset, table, folder, console)


def _draw(study: Study, preset: str, curves: pl.DataFrame, table: pl.DataFrame, folder: Path, console: Console) -> None:
    """The learning curves of one preset, whose rows `curves` are; `table` has the scores of all of the study's runs."""
    from morphorl.report.figures import canvas, study_figures  # imports Matplotlib, which no training need wait for

    folder.mkdir(exist_ok=True)
    strengths = interpretations.strengths(study.expand(preset))
    environments = curves["environment"].unique(maintain_order=True)
    with console.status(f"{preset}: drawing figures"):
        for environment in environments if curves["arm"].n_unique() <= MOST_LINES else ():
            rows, path = curves.filter(environment=environment), folder / "figures" / file_name(environment)
            with canvas.with_footnote(coverage.sentences(coverage.shortfalls(study, table, preset, environment))):
                study_figures.learning_curves(rows, environment, path, strengths)


def write_evaluation(
    batch: Agents,
    returns: np.ndarray,
    folder: Path,
    console: Console,
    *,
    greedy: bool,
    environment: str | None = None,
) -> None:
    """Write `evaluation_greedy.json` or `evaluation_stochastic.json`, and print each agent's mean and their IQM.

    Args:
        environment: where they played, if not where they were trained; the file's name then ends in it.
    """
    kind = "greedy" if greedy else "stochastic"
    where = "" if environment is None else f"_{file_name(environment)}"
    means = returns.mean(axis=1)
    value, low, high = map(float, curve_statistics.bootstrap(curve_statistics.iqm, means))
    agents = dict(zip(map(str, batch.seeds), map(float, means), strict=True))
    content = {
        "episodes": returns.shape[1],
        "iqm": Estimate(value, low, high, len(means))._asdict(),
        "mean_return": agents,
    }
    write_json(folder / f"evaluation_{kind}{where}.json", finite_or_none(content))
    title = f"{environment or batch.settings[0].environment}, {kind}, {returns.shape[1]} episodes each"
    table = Table(title=title)
    for heading in ("seed", "mean return", "worst episode", "best episode"):
        table.add_column(heading, justify="right")
    for seed, episodes in zip(batch.seeds, returns, strict=True):
        table.add_row(str(seed), f"{episodes.mean():.1f}", f"{episodes.min():.0f}", f"{episodes.max():.0f}")
    console.print(table)
    interval = "one agent, no interval" if math.isnan(low) else f"95% interval {low:.1f} to {high:.1f}"
    console.print(f"IQM over {len(means)} agents: {value:.1f} ({interval})")


def _summarise(rows: pl.DataFrame) -> dict[str, dict[str, Estimate]]:
    """The statistics of every arm of one environment under one preset."""
    arms = rows["arm"].unique(maintain_order=True)
    return {arm: curve_statistics.summarise(score_table.measured(rows.filter(arm=arm))) for arm in arms}


def _plain(summary: dict) -> dict:
    """Estimates as dictionaries; what JSON lacks as null (a threshold that was not reached, an unknown return)."""
    return finite_or_none(
        {
            environment: {arm: {name: e._asdict() for name, e in row.items()} for arm, row in arms.items()}
            for environment, arms in summary.items()
        }
    )


def _table(head: str, environment: str, steps: int, arms: dict[str, dict[str, Estimate]]) -> Table:
    seeds = next(iter(next(iter(arms.values())).values())).n
    title = f"{head}: {steps:,} steps, {seeds} seeds. IQM and 95% interval."
    table = tables.table(title)
    table.add_column("arm", overflow="fold")
    shown = [name for name in COLUMNS if name in next(iter(arms.values()))]
    for name in shown:
        table.add_column(
            COLUMNS[name].format(threshold=registry.make_env(environment).threshold), justify="right", overflow="fold"
        )
    for arm, row in arms.items():
        table.add_row(arm, *(_cell(row[name], steps) for name in shown))
    return table


def _cell(estimate: Estimate, steps: int) -> str | Text:
    """Value and interval, short enough for six columns on 80 characters; what was never reached is above the steps."""
    if math.isnan(estimate.value):
        return "unknown"
    value, low, high = (short_number(x) if math.isfinite(x) else f">{short_number(steps)}" for x in estimate[:3])
    if math.isnan(estimate.low):  # one seed
        return tables.with_interval(value, "no interval")
    return value if value == low == high else tables.with_interval(value, f"{low}–{high}")


def _mention_unknown(curves: pl.DataFrame, console: Console) -> None:
    """Say which returns are unknown and why: a mean that leaves such seeds out would be a mean of others."""
    silent = curves.group_by("environment", "arm", "run").agg(pl.col("episodes").sum()).filter(episodes=0)
    if len(silent):
        told = ": the returns of their arms are unknown. Train for more steps."
        console.print(Text.assemble((f"In {len(silent)} runs no episode ended", "yellow"), told), soft_wrap=True)


def _mention_divergence(curves: pl.DataFrame, console: Console) -> None:
    diverged = curves.drop_nulls("diverged_at").unique(["environment", "arm", "run"])
    if len(diverged):
        told = " (NaN or Inf); they are counted with what they got."
        console.print(Text.assemble((f"{len(diverged)} runs diverged", "yellow"), told))
