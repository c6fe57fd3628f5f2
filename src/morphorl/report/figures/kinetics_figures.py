"""The figure of the cell's kinetics: what becomes of drawn patterns under each guidance strength."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from morphorl.dynamics.kinetics.ends import SAME, Trajectories
from morphorl.dynamics.kinetics.theory import FixedPoint
from morphorl.report.figures import canvas

SHOWN, STEPS = 24, 200
"""Patterns drawn as thin lines, and steps shown."""
LINEAR = 0.1
"""The activator's axis is linear to both sides of 0 up to here, and logarithmic beyond."""
ENTRIES, MEDIAN, POINT = "#21918c", "#b5651d", "#1a1a1a"
PLAIN = FuncFormatter(lambda value, _: f"{value:g}")
"""Powers as plain numbers: labels are text in the house style."""


def trajectories(
    found: Trajectories, strengths: tuple[float, ...], points: list[list[FixedPoint]], title: str, path: Path
) -> None:
    """A column for each strength: all activator entries of many cells, and how far their readouts differ over actions.

    Args:
        points: the uniform fixed points for each strength.
        path: without suffix; `.png` and `.svg` are written.
    """
    columns = len(strengths)
    with canvas.in_style():
        figure, axes = canvas.subplots(
            2,
            columns,
            figsize=(2.3 * columns + 0.8, 5.6),
            sharex=True,
            sharey="row",
            squeeze=False,
        )
        for i, (strength, above, below) in enumerate(zip(strengths, *axes, strict=True)):
            _entries(above, found.activator[i], points[i])
            above.set_title(f"γ = {strength:g}", fontsize=10)
            _differences(below, found.readout[i])
            below.set_xlabel("environment steps")
        axes[0, 0].set_ylabel("activator entries a\n(logarithmic beyond ±0.1)")
        axes[1, 0].set_ylabel("readout: largest less smallest\naction (observation of ones)")
        figure.suptitle(title, fontsize=11)
        figure.legend(handles=_key(), loc="outside lower center", ncols=3, frameon=False, fontsize="small")
        canvas.save(figure, path)


def _entries(axes: Axes, activator: np.ndarray, points: list[FixedPoint]) -> None:
    lines = activator[:SHOWN, : STEPS + 1]
    time = np.arange(lines.shape[1])
    axes.plot(
        time,
        lines.transpose(1, 0, 2, 3).reshape(len(time), -1),
        color=ENTRIES,
        linewidth=0.5,
        alpha=0.35,
        rasterized=True,
    )
    for point in points:
        if point.stable or point.activator:
            dash = "--" if point.stable else ":"
            axes.axhline(point.activator, color=POINT, linestyle=dash, linewidth=1.1, alpha=0.8)
    ticks = [-10, -1, -LINEAR, 0, LINEAR, 1, 10]
    axes.set_yscale("symlog", linthresh=LINEAR)
    axes.set_yticks(ticks)
    axes.yaxis.set_major_formatter(PLAIN)
    axes.grid(alpha=0.2)


def _differences(axes: Axes, readout: np.ndarray) -> None:
    apart = np.maximum(np.ptp(readout[:, : STEPS + 1], axis=2), 1e-12)
    time = np.arange(apart.shape[1])
    low, middle, high = np.quantile(apart, [0.1, 0.5, 0.9], axis=0)
    axes.plot(time, apart[:SHOWN].T, color=ENTRIES, linewidth=0.5, alpha=0.5, rasterized=True)
    axes.fill_between(time, low, high, color=MEDIAN, alpha=0.2, linewidth=0)
    axes.plot(time, middle, color=MEDIAN, linewidth=1.8)
    axes.axhline(SAME, color="#8a8a8a", linewidth=0.8)
    axes.set(yscale="log", ylim=(1e-4, 100), xlim=(0, time[-1]))
    axes.set_xticks(range(0, len(time), 50))
    axes.yaxis.set_major_formatter(PLAIN)
    axes.grid(alpha=0.2)


def _key() -> list[Line2D]:
    return [
        Line2D([], [], color=ENTRIES, linewidth=1, label=f"{SHOWN} drawn patterns"),
        Line2D([], [], color=POINT, linestyle="--", label="uniform fixed point, stable"),
        Line2D([], [], color=POINT, linestyle=":", label="unstable"),
        Line2D([], [], color=MEDIAN, linewidth=1.8, label="median and middle 80% of all patterns"),
        Line2D([], [], color="#8a8a8a", linewidth=0.8, label=f"{SAME:g}: below it, hardly a difference"),
    ]
