"""Figures fit for a paper: one function each, written as PNG and SVG."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter

from morphorl.analysis import learning_curves as analysed
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.learning_curves import Curve, attempt
from morphorl.analysis.luck.seed_luck import Shares
from morphorl.analysis.survival import Survival
from morphorl.report.figures import canvas

APART_COLOURS = ("#0072b2", "#c14f00", "#00805c", "#a8377f", "#826600", "#5b6770")
"""Of arms none of which has a γ, so that there is no sequence that others stand beside."""
REFERENCE_COLOURS = ("#1a1a1a", "#8a8a8a", "#b5651d", "#a0336f", "#5b7f3a", "#7a5c3e")
DASHES = ("--", ":", (0, (6, 1, 1, 1)))
MOST_WITHIN = 9
"""Arms whose legend finds room within the axes."""
Strengths = Mapping[str, float]
"""γ of the arms that differ in it alone, by label: they run through a colour map, and all others are dashed."""


def learning_curves(curves: pl.DataFrame, title: str, path: Path, strengths: Strengths) -> None:
    """Episode return over environment steps, one line per arm: IQM over seeds with its 95% bootstrap band.

    Args:
        curves: rows of one environment under one preset, as `Store.curves` returns them.
        path: without suffix; `.png` and `.svg` are written.
    """
    arms = analysed.by_arm(curves)
    with axes_on(path, title, "environment steps", "episode return") as axes:
        for arm, line in lines(list(arms), strengths).items():
            curve = analysed.curve(arms[arm])
            axes.plot(curve.steps, curve.middle, label=canvas.shown(arm), linewidth=1.6, **line)
            axes.fill_between(curve.steps, curve.low, curve.high, color=line["color"], alpha=0.15, linewidth=0)
        axes.set_xlim(0, None)
        if axes.get_ylim()[0] > -0.1 * axes.get_ylim()[1]:  # returns that are not negative
            axes.set_ylim(0, None)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        seeds = curves.select("seed", "cell_seed").unique().height
        legend(axes, f"IQM of {seeds} seeds, 95% bootstrap band")


def threshold_survival(
    curves: pl.DataFrame, title: str, path: Path, strengths: Strengths, threshold: float | None
) -> None:
    """The share of runs that have not reached the threshold, over environment steps (Kaplan-Meier).

    Raises:
        EvidenceError: if there is no threshold, or there were no evaluations.
    """
    arms = analysed.by_arm(curves)
    found = {arm: analysed.threshold_survival(rows, threshold) for arm, rows in arms.items()}
    survival_curves(found, title, path, strengths, f"{threshold:g}")


def survival_curves(
    found: Mapping[str, Survival], title: str, path: Path, strengths: Strengths, threshold: str
) -> None:
    """The share of runs of every arm that have not reached the threshold, with pointwise intervals."""
    with axes_on(path, title, "environment steps", f"share of runs not yet at {threshold}") as axes:
        for arm, line in lines(list(found), strengths).items():
            steps = np.concatenate([[0.0], found[arm].steps])
            share, low, high = (np.concatenate([[1.0], u]) for u in (found[arm].share, found[arm].low, found[arm].high))
            axes.step(steps, share, where="post", label=canvas.shown(arm), linewidth=1.6, **line)
            axes.fill_between(steps, low, high, step="post", color=line["color"], alpha=0.08, linewidth=0)
        axes.set(xlim=(0, None), ylim=(0, 1.02))
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        legend(axes, "Kaplan-Meier, pointwise 95% intervals")


def early_return(curves: pl.DataFrame, title: str, path: Path, strengths: Strengths) -> None:
    """Early return against γ: IQM with 95% interval over seeds, and levels for the arms that have no γ of their own.

    More than two of those would cover each other: then, and where several arms share a γ, every arm is a point by name.

    Raises:
        EvidenceError: if no arm has a γ of its own, or a return is unknown.
    """
    if not strengths:
        raise EvidenceError("no arms differ in γ alone.")
    arms = {arm: analysed.early(analysed.curve(rows).seeds) for arm, rows in analysed.by_arm(curves).items()}
    order = sorted((arm for arm in arms if arm in strengths), key=strengths.__getitem__)
    ticks = [f"{strengths[arm]:g}" for arm in order]
    by_name = len(arms) - len(order) > 2 or len(set(ticks)) < len(ticks)
    if by_name:
        order, ticks = list(arms), list(map(canvas.shown, arms))
    xlabel = "arm" if by_name else "guidance strength γ (evenly spaced)"
    with axes_on(path, title, xlabel, "early return") as axes:
        for arm, line in lines(list(arms), strengths).items():
            value, low, high, _ = arms[arm]
            if arm in order:
                bars = np.array([[value - low], [high - value]])
                axes.errorbar([order.index(arm)], [value], yerr=bars, fmt="o", capsize=3, color=line["color"])
            else:
                axes.axhline(value, label=canvas.shown(arm), linewidth=1.4, **line)
                axes.axhspan(low, high, color=line["color"], alpha=0.1, linewidth=0)
        axes.set_xticks(range(len(order)), ticks)
        axes.set_xlim(-0.5, len(order) - 0.5)
        if by_name:
            axes.tick_params(axis="x", rotation=35)
            for text in axes.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor", fontsize="small")
        legend(axes, "IQM over seeds, 95% intervals")


def small_comparisons(curves: pl.DataFrame, title: str, path: Path, strengths: Strengths, rival: str) -> None:
    """How often comparisons of few seeds would have found an arm's early return above the rival's.

    Solid: a higher mean; faint: that, and p ≤ 0.05 in Welch's test. Bands are 95% intervals over the seeds that there
    are.

    Raises:
        EvidenceError: if a return is unknown, or an arm has one seed.
    """
    arms: dict[str, Curve] = {arm: analysed.curve(rows) for arm, rows in analysed.by_arm(curves).items()}
    if rival not in arms or len(arms) < 2:
        raise EvidenceError("there is nothing to compare.")
    found = {arm: analysed.small_comparisons(c.seeds, arms[rival].seeds) for arm, c in arms.items() if arm != rival}
    luck_curves(found, title, path, strengths, rival, list(arms))


def luck_curves(
    found: Mapping[str, Sequence[Shares]], title: str, path: Path, strengths: Strengths, rival: str, arms: list[str]
) -> None:
    """How often comparisons of few seeds find each arm above the rival.

    Args:
        found: for each arm but the rival, the shares for the same sizes.
        arms: all of them, the rival too, which decide the colours.
    """
    sizes = [one.n for one in next(iter(found.values()))]
    places = range(len(sizes))
    with axes_on(path, title, "seeds of each arm in the comparison", f"found above {rival}") as axes:
        axes.axhline(0.5, color="#999999", linewidth=0.8, linestyle=":")
        for arm, line in lines(arms, strengths).items():
            if arm not in found:
                continue
            better = [one.better for one in found[arm]]
            axes.plot(places, [e.value for e in better], marker="o", markersize=4, label=canvas.shown(arm), **line)
            axes.fill_between(places, [e.low for e in better], [e.high for e in better], alpha=0.1, color=line["color"])
            tested = [(place, one.significant.value) for place, one in enumerate(found[arm]) if one.significant]
            axes.plot(*zip(*tested, strict=True), marker="o", markersize=2, linewidth=0.8, alpha=0.5, **line)
        axes.set_xticks(places, list(map(str, sizes)))
        axes.set_ylim(-0.02, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        legend(axes, "higher mean, 95% (thin: and p ≤ 0.05)")


def draw_all(
    curves: pl.DataFrame, title: str, path: Path, strengths: Strengths, rival: str, threshold: float | None
) -> dict[str, str | None]:
    """Every figure of one environment under one preset: `path` with `_threshold`, `_strength`, `_luck` after it.

    Returns:
        By the figure's name: None, or the sentence that says why it was not drawn.
    """
    return {
        path.name: attempt(learning_curves, curves, title, path, strengths),
        f"{path.name}_threshold": attempt(
            threshold_survival, curves, title, path.with_name(f"{path.name}_threshold"), strengths, threshold
        ),
        f"{path.name}_strength": attempt(
            early_return, curves, title, path.with_name(f"{path.name}_strength"), strengths
        ),
        f"{path.name}_luck": attempt(
            small_comparisons, curves, title, path.with_name(f"{path.name}_luck"), strengths, rival
        ),
    }


def lines(arms: list[str], strengths: Strengths) -> dict[str, dict[str, Any]]:
    """Colour and dash of each arm: arms that share a γ, or a colour since there are too many, differ in their dash."""
    values = sorted({strengths[arm] for arm in arms if arm in strengths})
    shades = dict(zip(values, colormaps["viridis"](np.linspace(0.9, 0.1, len(values))), strict=True))
    others = [arm for arm in arms if arm not in strengths]
    colours, dashes = (REFERENCE_COLOURS, DASHES) if values else (APART_COLOURS, ("-", *DASHES))
    lines = {}
    for arm in arms:
        if arm in strengths:
            earlier = [one for one in lines if strengths.get(one) == strengths[arm]]
            lines[arm] = {"color": shades[strengths[arm]], "linestyle": ("-", "-.", ":")[len(earlier) % 3]}
            continue
        place = others.index(arm)
        dash = dashes[place // len(colours) % len(dashes)]
        lines[arm] = {"color": colours[place % len(colours)], "linestyle": dash}
    return lines


@contextmanager
def axes_on(path: Path, title: str, xlabel: str, ylabel: str) -> Iterator[Axes]:
    """One pair of axes in the house style, saved as PNG and SVG when the context ends well."""
    with canvas.in_style():
        figure, axes = canvas.subplots(figsize=(7, 4.2))
        axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
        axes.grid(alpha=0.25)
        yield axes
        canvas.save(figure, path)


def legend(axes: Axes, note: str) -> None:
    """Draw the legend, within the axes where there is room for it, or else beside them."""
    handles, labels = axes.get_legend_handles_labels()  # none where the axis names all arms
    style = {"title": note, "title_fontsize": "small", "fontsize": "small", "frameon": False}
    if len(labels) <= MOST_WITHIN:
        axes.legend(handles, labels, loc="best", **style)
        return
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.set_size_inches(10, 4.2)
    figure.legend(handles, labels, loc="outside right upper", **style)
