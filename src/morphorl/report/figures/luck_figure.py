"""The figure of `morphorl luck`: how often few seeds would find an effect, with fresh patterns and with one."""

from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes

from morphorl.analysis.luck.summary import LEAD, ArmReport, Found, Plain, Report
from morphorl.report.figures import canvas

LINES = {"fresh_patterns": "-", "one_pattern": "--"}
SPACE = 0.5
"""Seeds of each arm over which the bars of one size are spread, so that they do not hide each other."""


def draw(report: Report, path: Path) -> None:
    """How often a comparison of few seeds finds an arm better than its partner: one row per preset and environment.

    Left, that its mean is higher; right, that it is higher with p ≤ 0.05 in Welch's test. Solid lines draw a fresh
    pattern with every seed; dashed ones draw all seeds of an arm on one pattern, as code does that forgets the cell's
    seed. Bars are 95% intervals over patterns and learners. The difference of the means stands in the legend.

    Args:
        path: without suffix; `.png` and `.svg` are written.
    """
    panels = [(preset, env, arms) for preset, environments in report.items() for env, arms in environments.items()]
    with canvas.in_style():
        size = (11, 3.4 * len(panels))
        figure, rows = canvas.subplots(len(panels), 2, figsize=size, sharey=True, squeeze=False)
        for (preset, environment, arms), (left, right) in zip(panels, rows, strict=True):
            left.set(title=f"{environment}, {preset}: higher {LEAD.replace('_', ' ')}", ylabel="share of comparisons")
            right.set(title="… and p ≤ 0.05")
            _draw_panel(left, right, arms)
        note = "solid: a fresh pattern with every seed; dashed: all seeds of an arm on one pattern; bars: 95% intervals"
        figure.supxlabel(note, fontsize="small")
        canvas.save(figure, path)


def _draw_panel(left: Axes, right: Axes, arms: dict[str, ArmReport]) -> None:
    told = {arm: (one["against"], effect) for arm, one in arms.items() if (effect := one["scores"][LEAD].get("effect"))}
    colours = colormaps["viridis"](np.linspace(0.85, 0.1, max(len(told), 1)))
    shifts = SPACE * (np.arange(2 * len(told)) / max(2 * len(told) - 1, 1) - 0.5)
    for i, (arm, (against, effect)) in enumerate(told.items()):
        for kind, shift in zip(LINES, shifts[2 * i : 2 * i + 2], strict=True):
            label = _legend(arm, against, effect["difference"]) if kind == "fresh_patterns" else None
            for axes, what in ((left, "better"), (right, "significant")):
                _draw_found(axes, effect["found"], kind, what, shift, tuple(colours[i]), label)
    left.axhline(0.5, color="#8a8a8a", linewidth=0.8, linestyle=":")
    for axes in (left, right):
        axes.set(xlabel="seeds of each arm", xlim=(0, None), ylim=(-0.02, 1.02))
        axes.grid(alpha=0.25)
    if told:
        # Beside the panels: lines cross them everywhere.
        beside = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5), "frameon": False}
        names = left.get_legend_handles_labels()
        right.legend(*names, title="difference of means", fontsize="small", title_fontsize="small", **beside)


def _legend(arm: str, against: str | None, difference: Plain) -> str:
    value, low, high = (difference[name] for name in ("value", "low", "high"))
    return canvas.shown(f"{arm}\nless {against}:\n{value:+.1f} ({low:+.1f} to {high:+.1f})")


def _draw_found(
    axes: Axes,
    found: list[Found],
    kind: str,
    what: str,
    shift: float,
    colour: tuple[float, ...],
    label: str | None,
) -> None:
    points = [(entry["n"] + shift, entry[kind][what]) for entry in found if entry[kind][what] is not None]
    at = [x for x, _ in points]
    values, low, high = (np.array([share[name] for _, share in points]) for name in ("value", "low", "high"))
    line = {"marker": "o", "markersize": 3, "linewidth": 1.4, "elinewidth": 0.9, "capsize": 2}
    bars = [values - low, high - values]
    axes.errorbar(at, values, bars, linestyle=LINES[kind], color=colour, label=label, **line)
