"""Figures in the house style, without pyplot: no display is looked for, and none is chosen for whoever imports this."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from morphorl.config.files import naming

STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "svg.hashsalt": "morphorl",  # the same data give the same file
    "text.parse_math": False,  # a label is text, whatever dollar signs it has
}


def in_style() -> AbstractContextManager[None]:
    """A context in which figures are drawn and saved in the house style."""
    return matplotlib.rc_context(STYLE)


def subplots(
    rows: int = 1, columns: int = 1, *, figsize: tuple[float | int, float | int], **options: Any
) -> tuple[Figure, Any]:
    """A figure and its axes, as `matplotlib.pyplot.subplots` gives them.

    Args:
        options: of `matplotlib.figure.Figure.subplots`.
    """
    figure = Figure(figsize=figsize, layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and SVG, `path` being without suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with naming(path):
        figure.savefig(path.with_name(f"{path.name}.png"), dpi=200)
        figure.savefig(path.with_name(f"{path.name}.svg"), metadata={"Date": None})
