"""The figures of `morphorl multiverse`: specification curves, and the variance that each axis explains."""

from pathlib import Path

import numpy as np
from matplotlib.ticker import PercentFormatter

from morphorl.analysis.bootstrap import Effect
from morphorl.analysis.multiverse.main_effects import MainEffects
from morphorl.analysis.multiverse.readings import AXES, Levels
from morphorl.report.figures import canvas
from morphorl.report.figures.specification_figure import ANSWER_COLOURS, Specified, specification_curve

COLOURS = {
    "above 0": ANSWER_COLOURS["supported"],
    "below 0": ANSWER_COLOURS["contradicted"],
    "holds 0": ANSWER_COLOURS["undecided"],
}
"""Colours by where the 95% interval lies."""


def side(effect: Effect) -> str:
    """Where an interval lies, in the words of the legend."""
    return "above 0" if effect.low > 0 else "below 0" if effect.high < 0 else "holds 0"


def specification(levels: list[Levels], effects: list[Effect], title: str, path: Path) -> None:
    """Every reading's effect with its 95% interval, sorted, over the level that it has on each axis.

    Args:
        path: without suffix; `.png` and `.svg` are written.
    """
    specified = [
        Specified(one, effect.value, effect.low, effect.high, COLOURS[side(effect)])
        for one, effect in zip(levels, effects, strict=True)
    ]
    rows = [(axis.name, level) for axis in AXES for level in axis.levels]
    sides = [side(effect) for effect in effects]
    legend = {f"interval {words}: {sides.count(words)} of {len(sides)}": colour for words, colour in COLOURS.items()}
    specification_curve(specified, rows, legend, title, path)


def variance(found: dict[str, MainEffects], title: str, path: Path) -> None:
    """The share of each effect's variance over readings that each axis explains, beside what chance would.

    Args:
        found: the regressions by the words of the legend.
        path: without suffix; `.png` and `.svg` are written.
    """
    colours = ("#1f6f8b", "#b5651d")
    with canvas.in_style():
        figure, axes = canvas.subplots(figsize=(7, 5))
        width = 0.8 / len(found)
        for part, ((words, effects), colour) in enumerate(zip(found.items(), colours, strict=True)):
            places = np.arange(len(AXES)) + (part - (len(found) - 1) / 2) * width
            shares = [axis.share for axis in effects.axes]
            label = f"{words} (all axes {effects.explained:.0%}, noise {effects.noise:.0%})"
            axes.barh(places, shares, height=0.9 * width, color=colour, label=label)
            chance = [axis.chance for axis in effects.axes]
            axes.plot(chance, places, "|", color="#1a1a1a", markersize=8, label=None if part else "by chance")
            for place, axis in zip(places, effects.axes, strict=True):
                star = "*" if axis.p_adjusted <= 0.05 else ""
                axes.annotate(star, (max(axis.share, axis.chance), place), (4, -6), textcoords="offset points")
        axes.set_yticks(range(len(AXES)), [axis.name for axis in AXES])
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set(title=title, xlabel="share of the variance over readings (* adjusted p ≤ 0.05)", xlim=(0, None))
        figure.legend(fontsize="small", frameon=False, loc="outside lower center")
        canvas.save(figure, path)
