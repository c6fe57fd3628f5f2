"""The figure of `morphorl luck`: how often few seeds would find an effect, with fresh patterns and with one."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

from morphorl.figures import STYLE


def draw(report: dict, path: Path) -> None:
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
        size = (11, 3.4 * len(panels))
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
                # Beside the panels: lines cross them everywhere.
                beside = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5), "frameon": False}
                names = left.get_legend_handles_labels()
                right.legend(*names, title="arm (true lead)", fontsize="small", title_fontsize="small", **beside)
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
