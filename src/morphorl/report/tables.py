"""How tables look on the terminal."""

from rich import box
from rich.table import Table


def table(title: str | None = None) -> Table:
    """An empty table in the house style, narrow enough for six columns on 80 characters.

    Args:
        title: in rich's markup, so that labels in it must be escaped.
    """
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
