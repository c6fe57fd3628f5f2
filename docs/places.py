"""Where numbers stand in a page: in phrases and in the cells of tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from styles import Shown

NUMBER = r"[<>]?[+−]?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)[kM]?"
WITH_INTERVAL = rf"{NUMBER}%?(?: \({NUMBER} to {NUMBER}\)|, {NUMBER} to {NUMBER}| to {NUMBER}%?|–{NUMBER})?"


class PageError(ValueError):
    """A page and the list of its numbers do not fit together; the message says where."""


class Place(NamedTuple):
    """Where a number stands in a page, and what should stand there."""

    start: int
    end: int
    shown: Shown


class Phrase:
    """Words that stand once in a page, with {} for each number; any white space may part the words."""

    def __init__(self, text: str, *numbers: Shown) -> None:
        self.text, self.numbers = text, numbers
        if text.count("{}") != len(numbers):
            raise PageError(f"{len(numbers)} numbers for the {text.count('{}')} places of {text!r}.")

    def places(self, page: str) -> list[Place]:
        """Where its numbers stand.

        Raises:
            PageError: if the phrase stands there not once, but never or more often.
        """
        parts = [r"\s+".join(map(re.escape, re.split(r"\s+", part))) for part in self.text.split("{}")]
        found = list(re.finditer(f"({WITH_INTERVAL})".join(parts), page))
        if len(found) != 1:
            raise PageError(f"{len(found)} places say {self.text!r}; must be one.")
        return [Place(*found[0].span(i + 1), shown) for i, shown in enumerate(self.numbers)]


class Table:
    """The table whose first line begins with `head`: by the first cell of a row its others (None: as it stands)."""

    def __init__(self, head: str, rows: Mapping[str, Sequence[Shown | None]]) -> None:
        self.head, self.rows = head, rows

    def places(self, page: str) -> list[Place]:
        """Where its cells stand.

        Raises:
            PageError: if the page has not one such table, or the table not one such row with as many cells.
        """
        starts = [found.start() for found in re.finditer(rf"^{re.escape(self.head)}", page, re.M)]
        if len(starts) != 1:
            raise PageError(f"{len(starts)} tables begin with {self.head!r}; must be one.")
        body = re.compile(r"(?:\|.*\n?)+").match(page, starts[0])
        lines = re.finditer(r"\|.*", page[: body.end() if body else 0][starts[0] :])
        rows = [_cells(line[0], starts[0] + line.start()) for line in lines]
        return [place for label, numbers in self.rows.items() for place in self._row(page, rows, label, numbers)]

    def _row(
        self, page: str, rows: list[list[tuple[int, int]]], label: str, numbers: Sequence[Shown | None]
    ) -> Iterator[Place]:
        found = [cells for cells in rows if page[slice(*cells[0])] == label]
        if len(found) != 1:
            raise PageError(f"{len(found)} rows of the table {self.head!r} begin with {label!r}; must be one.")
        if len(found[0]) != len(numbers) + 1:
            raise PageError(
                f"the row {label!r} of the table {self.head!r} has {len(found[0])} cells, not {len(numbers) + 1}."
            )
        for (start, end), shown in zip(found[0][1:], numbers, strict=True):
            if shown is not None:
                bold = 2 * (
                    page[start:end].startswith("**") and page[start:end].endswith("**") and "*" not in shown.text
                )
                yield Place(start + bold, end - bold, shown)


def _cells(line: str, at: int) -> list[tuple[int, int]]:
    """Where the cells of a row start and end, without the spaces around them."""
    return [
        (at + cell.start() + len(cell[0]) - len(cell[0].lstrip()), at + cell.start() + len(cell[0].rstrip()))
        for cell in re.finditer(r"(?<=\|)[^|]*(?=\|)", line)
    ]
