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
