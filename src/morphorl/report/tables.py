"""How tables look on the terminal."""

from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

COLUMNS = {
    "final_return": "final return",
    "area_under_curve": "mean return",
    "early_return": "early return",
    "final_greedy_return": "final greedy",
    "steps_to_threshold": "steps to {threshold:g}",
    "reached_threshold": "share there",
}
"""What the statistics of a summary are called."""


def table(title: str | None = None) -> Table:
    """An empty table in the house style, narrow enough for six columns on 80 characters, as wide as its title."""
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        pad_edge=False,
        min_width=None if title is None else len(title),
    )


def add_numbers(table: Table, name: str, cells: Sequence[str | Text]) -> None:
    """Add a column for numbers, wide enough for the longest word of its heading and cells: none is cut within one."""
    words = [word for text in (name, *map(str, cells)) for word in text.split()]
    table.add_column(name, justify="right", overflow="fold", min_width=max(map(len, words)))


def with_interval(value: str, interval: str, style: str = "") -> Text:
    """A cell of a table: a value, and its interval dimmed.

    Args:
        style: of both, in rich's words, such as `bold`.
    """
    return Text.assemble(value, " ", (interval, "dim"), style=style)


def say(console: Console, sentences: Iterable[str]) -> None:
    """Print sentences as they are, each on lines of its own."""
    for sentence in sentences:
        console.print(sentence, soft_wrap=True)


def short_number(number: int | float) -> str:
    """Three digits at most, so that six columns and their intervals fit on 80 characters."""
    if abs(number) >= 1000:
        return f"{number / 1000:.0f}k" if abs(number) >= 10_000 else f"{number / 1000:.3g}k"
    return f"{number:.0f}" if abs(number) >= 10 else f"{number:.2g}"
