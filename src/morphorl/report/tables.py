"""How tables look on the terminal."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


def table(title: str | None = None) -> Table:
    """An empty table in the house style, narrow enough for six columns on 80 characters."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)


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
