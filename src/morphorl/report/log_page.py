"""The report on runs of another program: one HTML file with everything in it, as that of a study of ours."""

from pathlib import Path

import polars as pl
from markupsafe import Markup

from morphorl import __version__
from morphorl.analysis import curve_statistics
from morphorl.analysis.logs import runs as logs
from morphorl.analysis.logs import thresholds, understanding
from morphorl.analysis.logs.runs import Runs
from morphorl.analysis.logs.verdicts import Judged, verdict
from morphorl.config.files import write_atomically
from morphorl.report import log_page_data
from morphorl.report.embedding import TEMPLATES, content_hash, embed, estimate_in_words, fill
from morphorl.report.scripts import bundle
from morphorl.report.tables import COLUMNS

MOST_SEEDS = 2_000
"""Runs whose own curves are kept in the page; with more, only the bands are."""
MARKS = {"higher": "▲", "lower": "▼", "undecided": "?", "unknown": "–"}


def write(folder: Path, runs: Runs, curves: pl.DataFrame, judged: Judged, command: str) -> Path:
    """Write `report.html` into a folder.

    Args:
        curves: of all runs, as `Runs.curves` gives them.
        command: what repeats it.
    """
    page = render(runs, curves, judged, command)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    write_atomically(path, lambda temporary: temporary.write_bytes(page.encode(errors="replace")))
    return path


def render(runs: Runs, curves: pl.DataFrame, judged: Judged, command: str) -> str:
    """The page as text; the same runs give the same page."""
    labels = runs.scores["arm"].unique(maintain_order=True).to_list()
    measures = [log_page_data.Measures(runs, name, curves) for name in runs.environments]
    here = [one for one in measures if judged.against in one.arms]
    panels = [log_page_data.panel(one, labels, judged.against, judged.statistic) for one in here]
    if len(runs.reading.runs) > MOST_SEEDS:
        for arm in (arm for panel in panels for arm in panel["arms"] if isinstance(arm["curve"], dict)):
            arm["curve"].pop("seeds")
    data = {
        "arms": [{"label": label, "strength": None} for label in labels],
        "groups": log_page_data.groups(runs),
        "panels": panels,
        "claims": [],
        "replay": [],
    }
    script, style = bundle(TEMPLATES / "page.js"), (TEMPLATES / "page.css").read_text(encoding="utf-8")
    solved = thresholds.sentences(runs.environments, runs.thresholds)
    return fill(
        TEMPLATES / "logs.html",
        version=__version__,
        understood=understanding.rows(runs),
        sentences=[*understanding.sentences(runs), *logs.notes(runs), *solved],
        judged=judged,
        verdicts=[(one, verdict(one)) for one in judged.comparisons],
        marks=MARKS,
        statistic=COLUMNS.get(judged.statistic, judged.statistic.replace("_", " ")),
        labels=labels,
        panels=panels,
        has_seeds=len(runs.reading.runs) <= MOST_SEEDS,
        early=curve_statistics.EARLY,
        columns=COLUMNS,
        runs=len(runs.reading.runs),
        environments=runs.environments,
        command=command,
        estimate=estimate_in_words,
        data=embed(data),
        script=Markup(script),
        style=Markup(style),
        script_hash=content_hash(script),
        style_hash=content_hash(style),
    )
