"""Figures in the house style, without pyplot: no display is looked for, and none is chosen for whoever imports this."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from morphorl.config.consoles import visible
from morphorl.config.files import write_atomically

STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "svg.hashsalt": "morphorl",  # the same data give the same file
    "text.parse_math": False,  # a label is text, whatever dollar signs it has
}


FOOTNOTE = ContextVar("FOOTNOTE", default="")


@contextmanager
def with_footnote(sentences: Sequence[str]) -> Iterator[None]:
    """A context in which these sentences stand below every figure that is saved: what its reader must know of all."""
    token = FOOTNOTE.set("\n".join(sentences))
    try:
        yield
    finally:
        FOOTNOTE.reset(token)


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


def shown(label: str) -> str:
    """A label of an arm as Matplotlib takes it.

    One that begins with an underscore would be left out of the legend, and a control character would end an SVG.
    """
    return visible(f"\u200b{label}" if label.startswith("_") else label)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG and SVG, `path` being without suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if FOOTNOTE.get():
        figure.supxlabel(FOOTNOTE.get(), fontsize="small", x=0.01, ha="left", color="#b3261e")
    png, svg = (path.with_name(f"{path.name}.{suffix}") for suffix in ("png", "svg"))
    write_atomically(png, lambda temporary: figure.savefig(temporary, format="png", dpi=200))
    write_atomically(svg, lambda temporary: figure.savefig(temporary, format="svg", metadata={"Date": None}))
