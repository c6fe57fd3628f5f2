"""Keeps the numbers of the pages as the files in docs/results say: mends the pages, or (--check) tells what is wrong.

Usage: uv run docs/page_numbers.py [PAGE …] [--check] [--uncovered]

docs/numbers_of/PAGE.py lists the numbers of a page: phrases and tables that stand in it, with {} or a cell for each
number, and what it is computed from. A number that looks like a result and is in no such list must be allowed for, with
a reason, in docs/numbers_of/uncovered.toml.
"""

import dataclasses
import itertools
import os
import re
import runpy
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import tyro
from places import NUMBER, PageError, Phrase, Place, Table
from result_files import Results

DOCS = Path(__file__).parent
SOURCES = DOCS / "numbers_of"
UNCOVERED = SOURCES / "uncovered.toml"

RESULT = re.compile(
    rf"(?<![\w.,])(?:{NUMBER}%? \({NUMBER} to {NUMBER}|{NUMBER}%?, {NUMBER} to {NUMBER}"  # with an interval
    rf"|[+−]?\d*\.\d+[kM%]?|[+−]?\d+[kM%]|(?<=\| )[+−]?\d+(?:,\d{3})*(?= \|))(?![\w])"  # decimals, %, k, cells
)
"""A number that looks like a result."""
SHOWN_AS_IS = re.compile(
    r"^```.*?^```$|^(?: {4}[^\n]*\n)+|`[^`\n]+`|\]\([^)]*\)|<!-- tables.*?<!-- end of tables -->", re.S | re.M
)
"""Code, targets of links, and tables that another script writes: no result is looked for in them."""


@dataclasses.dataclass(frozen=True)
class Page:
    """A page with the numbers that it should hold."""

    path: Path
    text: str
    places: tuple[Place, ...]

    def wrong(self) -> list[str]:
        """A sentence for each number that is not what its file says."""
        return [
            f"{self.path.name}:{self.line(place.start)}: the page says {self.text[place.start : place.end]!r}, "
            f"{os.path.normpath(f'docs/results/{place.shown.file}')} says {place.shown.text!r}."
            for place in self.places
            if self.text[place.start : place.end] != place.shown.text
        ]

    def mended(self) -> str:
        """The text with every number as its file says."""
        text = self.text
        for place in reversed(self.places):
            text = text[: place.start] + place.shown.text + text[place.end :]
        return text

    def uncovered(self) -> list[re.Match[str]]:
        """The numbers that look like results and are on no list."""
        hidden = SHOWN_AS_IS.sub(lambda found: re.sub(r"[^\n]", "¤", found[0]), self.text)
        known = {i for place in self.places for i in range(place.start, place.end)}
        return [found for found in RESULT.finditer(hidden) if known.isdisjoint(range(*found.span()))]

    def line(self, at: int) -> int:
        """The number of the line of a character."""
        return self.text.count("\n", 0, at) + 1


class Allowed(NamedTuple):
    """Numbers that no list covers, and why not."""

    reason: str
    pattern: str = ""
    """Those within what matches; else the whole of `section`."""
    section: str = ""
    """Those from this heading to the next of its level; else the whole page."""
    number: int | None = None
    """How many; None, for patterns of all pages: any number."""


def pages() -> list[Path]:
    """All pages of the documentation, the README first."""
    return [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]


def read(path: Path, results: Results) -> Page:
    """A page with the numbers that its list gives it. Raises: as `fitted`."""
    return fitted(path, listed(path, results))


def listed(path: Path, results: Results) -> tuple[Phrase | Table, ...]:
    """What docs/numbers_of lists for a page; nothing if there is no list."""
    source = _source(path)
    return tuple(runpy.run_path(str(source))["numbers"](results)) if source.exists() else ()


def fitted(path: Path, numbers: Iterable[Phrase | Table]) -> Page:
    """A page and where its numbers stand, in order.

    Raises:
        PageError: if the list of its numbers does not fit, or two of its places overlap.
    """
    text, lists = path.read_text(), f"docs/numbers_of/{_source(path).name}"
    try:
        places = sorted(place for one in numbers for place in one.places(text))
    except PageError as error:
        raise PageError(f"{path.name}: {error} Its numbers are listed in {lists}.") from error
    for one, other in itertools.pairwise(places):
        if other.start < one.end:
            raise PageError(f"{path.name}: {text[one.start : one.end]!r} is listed twice in {lists}.")
    return Page(path, text, tuple(places))


def left(page: Page) -> list[str]:
    """A sentence for each number that is neither listed nor allowed for, and for each count that is not right."""
    rest = page.uncovered()
    said = []
    for one in allowed(page.path.name):
        taken = [found for found in rest if _is_within(found, one, page.text)]
        rest = [found for found in rest if found not in taken]
        if one.number not in (None, len(taken)):
            said.append(
                f"{page.path.name}: {len(taken)} numbers are allowed for by {one.reason!r} "
                f"({one.pattern or one.section or 'the rest'}), not {one.number} (docs/numbers_of/{UNCOVERED.name})."
            )
    return said + [
        f"{page.path.name}:{page.line(found.start())}: {found[0]!r} looks like a result and is on no list."
        for found in rest
    ]


def allowed(name: str) -> list[Allowed]:
    """What uncovered.toml allows for in a page: what is allowed in all, then what in this one."""
    table = tomllib.loads(UNCOVERED.read_text())
    return [Allowed(**one) for one in (*table["everywhere"], *table.get(name, ()))]


def _is_within(found: re.Match[str], one: Allowed, text: str) -> bool:
    if one.pattern:
        return any(m.start() <= found.start() and found.end() <= m.end() for m in re.finditer(one.pattern, text, re.M))
    if not one.section:
        return True
    start = text.index(f"{one.section}\n")
    level = one.section.partition(" ")[0]
    later = re.compile(rf"^#{{1,{len(level)}}} ", re.M).search(text, start + len(one.section))
    return start <= found.start() < (later.start() if later else len(text))


def _source(path: Path) -> Path:
    return SOURCES / f"{path.stem.lower()}.py"


@dataclasses.dataclass
class PageNumbers:
    """Write the numbers of the pages as the files in docs/results say."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Pages, such as answer.md; all of them if none is named."""
    check: bool = False
    """Change nothing; tell page and line of each number that is wrong, or on no list."""
    uncovered: bool = False
    """Change nothing; list the numbers that are on no list, allowed for or not."""

    def __call__(self) -> int:
        chosen = [path for path in pages() if path.name in self.names or not self.names]
        if unknown := set(self.names) - {path.name for path in chosen}:
            print(f"{', '.join(sorted(unknown))}: must be of {', '.join(path.name for path in pages())}.")
            return 2
        results = Results()
        try:
            return max([self._page(read(path, results)) for path in chosen])
        except PageError as error:
            print(error)
            return 2

    def _page(self, page: Page) -> int:
        if self.uncovered:
            print(*(f"{page.path.name}:{page.line(one.start())}: {one[0]}" for one in page.uncovered()), sep="\n")
            return 0
        if self.check:
            said = page.wrong() + left(page)
            print(*said, sep="\n", end="\n" * bool(said))
            return int(bool(said))
        print(*page.wrong(), sep="\n", end="\n" * bool(page.wrong()))
        page.path.write_text(page.mended())
        return 0


if __name__ == "__main__":
    sys.exit(tyro.cli(PageNumbers)())
