"""Figures for a paper of runs of another program: curves, survival, profiles, scores with intervals, luck."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.ticker import PercentFormatter

from morphorl.analysis import curve_statistics
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.learning_curves import attempt
from morphorl.analysis.logs.runs import Runs
from morphorl.analysis.logs.verdicts import Judged
from morphorl.analysis.profiles import Profile
from morphorl.report.figures import canvas, study_figures
from morphorl.report.figures.study_figures import axes_on, legend, lines
from morphorl.report.log_page_data import Measures
from morphorl.report.names import file_name
from morphorl.report.tables import COLUMNS

MOST_ARMS = 40
"""More arms no figure can show."""


def draw(runs: Runs, curves: pl.DataFrame, judged: Judged, folder: Path) -> dict[str, str | None]:
    """Every figure of every environment.

    Returns:
        By the figure's name: None, or the sentence that says why it was not drawn.
    """
    told: dict[str, str | None] = {}
    for environment in runs.environments:
        one = Measures(runs, environment, curves)
        if len(one.arms) > MOST_ARMS:
            told[environment] = f"{len(one.arms)} arms are too many for one figure."
            continue
        name = file_name(environment)
        drawings: dict[str, Callable[[Measures, Judged, Path], None]] = {
            "curves": _curves,
            "threshold": _survival,
            "profile": _profiles,
            "scores": _scores,
            "luck": _luck,
        }
        told |= {
            f"{name}_{kind}": attempt(drawn, one, judged, folder / f"{name}_{kind}") for kind, drawn in drawings.items()
        }
    return told


def _curves(one: Measures, judged: Judged, path: Path) -> None:
    unknown = one.runs.unknown[one.environment]
    known = one.curves.filter(~pl.col("arm").is_in(list(unknown)))
    if not len(known):
        raise EvidenceError("no arm has known returns.")
    study_figures.learning_curves(known, one.environment, path, {})


def _survival(one: Measures, judged: Judged, path: Path) -> None:
    found = {arm: one.survival(arm) for arm in one.arms}
    threshold = one.runs.thresholds[one.environment].value
    study_figures.survival_curves(found, one.environment, path, {}, f"{threshold:g}")


def _profiles(one: Measures, judged: Judged, path: Path) -> None:
    found = {arm: profile for arm, profile in one.profiles(judged.statistic).items() if isinstance(profile, Profile)}
    profiles(found, one.environment, path, COLUMNS.get(judged.statistic, judged.statistic.replace("_", " ")))


def profiles(found: Mapping[str, Profile], title: str, path: Path, score: str) -> None:
    """The share of runs above each score.

    Raises:
        EvidenceError: if there is no arm.
    """
    if not found:
        raise EvidenceError("no arm has known returns.")
    with axes_on(path, title, f"{score} τ", "share of runs above τ") as axes:
        for arm, line in lines(list(found), {}).items():
            one = found[arm]
            axes.step(one.levels, one.share, where="post", label=canvas.shown(arm), linewidth=1.6, **line)
            axes.fill_between(one.levels, one.low, one.high, step="post", color=line["color"], alpha=0.1, linewidth=0)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        legend(axes, "pointwise 95% intervals")


def _scores(one: Measures, judged: Judged, path: Path) -> None:
    """The IQM of every arm with its interval, and every seed beside it."""
    found = {arm: scores for arm in one.arms if not isinstance(scores := attempt(one.of, arm, judged.statistic), str)}
    if not found:
        raise EvidenceError("no arm has known returns.")
    words = COLUMNS.get(judged.statistic, judged.statistic.replace("_", " "))
    with axes_on(path, one.environment, words, "") as axes:
        for place, (arm, line) in enumerate(lines(list(found), {}).items()):
            scores = found[arm]
            value, low, high = map(float, curve_statistics.bootstrap(curve_statistics.iqm, scores))
            axes.plot(scores, np.full(len(scores), place), "|", color=line["color"], alpha=0.5)
            if np.isfinite(low):
                bars = np.array([[value - low], [high - value]])
                axes.errorbar([value], [place], xerr=bars, fmt="o", capsize=3, color=line["color"])
        axes.set_yticks(range(len(found)), list(map(canvas.shown, found)))
        axes.invert_yaxis()


def _luck(one: Measures, judged: Judged, path: Path) -> None:
    there = {
        arm: found for arm, found in one.luck(judged.against, judged.statistic).items() if not isinstance(found, str)
    }
    if not there:
        raise EvidenceError("there is nothing to compare.")
    study_figures.luck_curves(there, one.environment, path, {}, judged.against, one.arms)
