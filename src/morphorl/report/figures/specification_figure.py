"""Specification curves: the effects of many readings, sorted, over the choices that each makes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.ticker import PercentFormatter

from morphorl.analysis import claims
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.interpretations import Reading, spoken
from morphorl.analysis.verdicts import Judged
from morphorl.report.figures import canvas

ANSWER_COLOURS = {"supported": "#0a7048", "contradicted": "#b3261e", "undecided": "#b08900", "not testable": "#777777"}


class Specified(NamedTuple):
    """A reading in a specification curve: the value of each of its options, its effect with its interval, a colour."""

    options: Mapping[str, str]
    value: float
    low: float
    high: float
    colour: str


def specification(judged: Sequence[Judged], claim: str, title: str, path: Path) -> None:
    """Every reading's effect on one claim with its 95% interval, sorted, over the choices that it makes.

    Raises:
        EvidenceError: if no reading has an effect.
    """
    rows = [(one.reading, verdict) for one in judged for verdict in one.verdicts if verdict.claim == claim]
    known = [row for row in rows if np.isfinite(row[1].effect)]
    if not known:
        raise EvidenceError(f"{rows[0][1].reason if rows else 'no readings.'}")
    specified = [
        Specified(reading.options, verdict.effect, verdict.low, verdict.high, ANSWER_COLOURS[verdict.verdict])
        for reading, verdict in known
    ]
    answers = [verdict.verdict for _, verdict in rows]
    legend = {f"{one}: {answers.count(one)} of {len(rows)}": colour for one, colour in ANSWER_COLOURS.items()}
    choices = _choices([reading for reading, _ in rows])
    specification_curve(specified, choices, legend, title, path, (-claims.MARGIN, claims.MARGIN))


def specification_curve(
    specified: Sequence[Specified],
    choices: Sequence[tuple[str, str]],
    legend: Mapping[str, str],
    title: str,
    path: Path,
    margins: Sequence[float] = (),
) -> None:
    """Effects with their intervals, sorted, over the options that each has.

    Args:
        choices: a row for each, the name of an option and a value.
        legend: colours by words.
        margins: where dotted lines stand.
        path: without suffix; `.png` and `.svg` are written.
    """
    with canvas.in_style():
        figure, (above, below) = canvas.subplots(
            2, 1, figsize=(7, 3 + 0.19 * len(choices)), sharex=True,
            height_ratios=[2.6, 0.19 * len(choices)],
        )  # fmt: skip
        for i, one in enumerate(sorted(specified, key=lambda one: one.value)):
            above.plot([i, i], [one.low, one.high], color=one.colour, linewidth=1, alpha=0.7)
            above.plot(i, one.value, "o", color=one.colour, markersize=3)
            chosen = [row for row, (name, value) in enumerate(choices) if one.options[name] == value]
            below.plot([i] * len(chosen), chosen, "s", color=one.colour, markersize=2.5)
        for side in (0, *margins):
            above.axhline(side, color="#777777", linewidth=0.8, linestyle="-" if side == 0 else ":")
        above.set(ylabel="share of what\nplain PPO learns", title=title)
        above.yaxis.set_major_formatter(PercentFormatter(1.0))
        for row in range(1, len(choices)):
            if choices[row][0] != choices[row - 1][0]:
                below.axhline(row - 0.5, color="#dddddd", linewidth=0.6)
        below.set_yticks(range(len(choices)), [f"{spoken(name)} {value}" for name, value in choices])
        below.tick_params(axis="y", labelsize=7)
        below.invert_yaxis()
        below.set(xlabel="readings, by their effect", xticks=[])
        for words, colour in legend.items():
            above.plot([], [], "o", color=colour, label=words)
        above.legend(fontsize="small", frameon=False)
        canvas.save(figure, path)


def _choices(readings: list[Reading]) -> list[tuple[str, str]]:
    """Each setting in which readings differ, with each of its values."""
    return list(dict.fromkeys((name, one.options[name]) for name in readings[0].options for one in readings))
