"""Figures: one function each, written as PNG and SVG."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import polars as pl
from matplotlib.ticker import EngFormatter

from morphorl import stats

REFERENCE_COLOURS = ("#1a1a1a", "#8a8a8a", "#b5651d", "#5b7f3a")
STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "svg.hashsalt": "morphorl",  # the same data give the same file
}


def learning_curves(curves: pl.DataFrame, title: str, path: Path) -> None:
    """Episode return over environment steps, one line per arm: IQM over seeds with its 95% bootstrap band.

    Arms with guidance run through a sequential colour map by strength; the others are dashed, in colours of their own.

    Args:
        curves: rows of one environment, as `Store.curves` returns them.
        path: without suffix; `.png` and `.svg` are written.
    """
    arms = curves["arm"].unique(maintain_order=True).to_list()
    guided = [arm for arm in arms if arm.startswith("γ")]
    colours = dict(zip(guided, plt.get_cmap("viridis")(np.linspace(0.9, 0.1, len(guided))), strict=True))
    others = [arm for arm in arms if arm not in guided]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
        for arm in arms:
            steps, returns = stats.on_grid(curves.filter(arm=arm), 50)
            middle, low, high = stats.bootstrap(stats.iqm, returns)
            colour = colours.get(arm) if arm in guided else REFERENCE_COLOURS[others.index(arm) % 4]
            style = {"color": colour, "linestyle": "-" if arm in guided else "--"}
            axes.plot(steps, middle, label=arm, linewidth=1.6, **style)
            axes.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        seeds = curves.select("seed", "cell_seed").unique().height
        axes.set(xlabel="environment steps", ylabel="episode return", xlim=(0, None), ylim=(0, None), title=title)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.grid(alpha=0.25)
        note = f"IQM of {seeds} seeds, 95% bootstrap band"
        axes.legend(title=note, title_fontsize="small", fontsize="small", frameon=False, loc="best")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".png"), dpi=160)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        plt.close(figure)


def luck(report: dict, path: Path) -> None:
    """How often a comparison of few seeds finds an arm better: one row of panels per preset and environment.

    Left, that its mean is higher; right, that it is higher with p ≤ 0.05 in Welch's test. Solid lines draw a fresh
    pattern with every seed; dashed ones draw all seeds of an arm on one pattern, as code does that forgets the cell's
    seed. An arm's true lead over the one compared with stands in the legend.

    Args:
        report: from `luck_report.report`.
        path: without suffix; `.png` and `.svg` are written.
    """
    panels = [(preset, env, arms) for preset, environments in report.items() for env, arms in environments.items()]
    with plt.rc_context(STYLE):
        size = (9, 3.4 * len(panels))
        figure, rows = plt.subplots(len(panels), 2, figsize=size, layout="constrained", sharey=True, squeeze=False)
        for (preset, environment, arms), (left, right) in zip(panels, rows, strict=True):
            told = {arm: scores["early_return"] for arm, scores in arms.items() if "found" in scores["early_return"]}
            colours = plt.get_cmap("viridis")(np.linspace(0.9, 0.1, max(len(told), 1)))
            for (arm, score), colour in zip(told.items(), colours, strict=True):
                _draw_found(left, score["found"], "better", colour, f"{arm}  ({score['lead']:+.1f})")
                _draw_found(right, score["found"], "significant", colour, None)
            left.axhline(0.5, color="#8a8a8a", linewidth=0.8, linestyle=":")
            left.set(title=f"{environment}, {preset}: higher early return", ylabel="share of comparisons", ylim=(0, 1))
            right.set(title="… and p ≤ 0.05")
            if told:
                left.legend(title="arm (true lead)", fontsize="small", title_fontsize="small", frameon=False)
            for axes in (left, right):
                axes.set(xlabel="seeds of each arm", xlim=(0, None))
                axes.grid(alpha=0.25)
        note = "solid: a fresh pattern with every seed; dashed: all seeds of an arm on one pattern"
        figure.supxlabel(note, fontsize="small")
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path.with_suffix(".png"), dpi=160)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        plt.close(figure)


def _draw_found(axes: Any, found: list[dict], what: str, colour: Any, label: str | None) -> None:
    for kind, style in (("fresh_patterns", "-"), ("one_pattern", "--")):
        points = [(entry["n"], entry[kind][what]) for entry in found if entry[kind][what] is not None]
        named = label if kind == "fresh_patterns" else None
        axes.plot(*zip(*points, strict=True), style, marker="o", markersize=3, color=colour, label=named, linewidth=1.4)
