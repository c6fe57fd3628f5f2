"""The figure of `morphorl evolve`: fitness against generation."""

from pathlib import Path
from typing import Any

from matplotlib.ticker import MaxNLocator

from morphorl.report.figures.study_figures import axes_on


def draw(history: list[dict[str, Any]], fitness: str, title: str, path: Path) -> None:
    """The fitness of every candidate, of the best one, of the distribution's mean and of the start, by generation.

    Points of one generation share their seeds, and those of two generations do not. The best of many candidates is
    always above their mean, by luck alone.

    Args:
        history: from `generations.evolve_arm`.
        path: without suffix; `.png` and `.svg` are written.
    """
    numbers = [one["generation"] + 1 for one in history]
    with axes_on(path, title, "generation", fitness.replace("_", " ")) as axes:
        dots = [(n, c["fitness"]) for n, one in zip(numbers, history, strict=True) for c in one["candidates"]]
        axes.plot(*zip(*dots, strict=True), ".", color="#bbbbbb", markersize=4, label="candidates")
        for name, label, colour, line in (
            ("best", "best candidate", "#1f6f8b", ":"),
            ("mean", "distribution's mean", "#1f6f8b", "-"),
            ("start", "start", "#1a1a1a", "--"),
        ):
            values = [one[name] for one in history]
            axes.plot(numbers, values, line, marker="o", markersize=3, color=colour, label=label, linewidth=1.6)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(fontsize="small", frameon=False, title="fresh tuning seeds in every generation",
                    title_fontsize="small")  # fmt: skip
