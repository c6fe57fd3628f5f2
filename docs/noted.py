"""Notes what no other check holds: numbers that were typed into pages, and the bytes of every result file.

Usage: uv run docs/noted.py [--check]

A page's numbers that follow from results are computed (docs/page_numbers.py). Those that were typed by hand stand in
docs/numbers_of/noted.toml as they were when somebody last looked at them, and so does a digest of each file in
docs/results. So a digit that changes by accident is told; whoever changes one on purpose notes it anew.
"""

import dataclasses
import hashlib
import itertools
import sys
import tomllib

import tyro
from page_numbers import DOCS, SOURCES, Page, pages, read
from result_files import Results

RESULTS = DOCS / "results"
NOTED = SOURCES / "noted.toml"
INDEX = "index.toml"
"""Of the results; it says where they are from, and is read by people."""
HEAD = "# Written by docs/noted.py: the numbers of pages that were typed by hand, and digests of the result files.\n"


def typed(page: Page) -> list[str]:
    """The numbers of a page that look like results and are on no list, in order."""
    return [found[0] for found in page.uncovered()]


def digests() -> dict[str, str]:
    """The first half of each result file's SHA-256, by its path below docs/results."""
    files = sorted(file for file in RESULTS.rglob("*") if file.is_file() and file.name != INDEX)
    return {str(file.relative_to(RESULTS)): hashlib.sha256(file.read_bytes()).hexdigest()[:32] for file in files}


def written(read_pages: list[Page]) -> str:
    """What noted.toml should say."""
    numbers = [f"{page.path.name!r} = {shown}" for page in read_pages if (shown := typed(page))]
    files = [f"{name!r} = {digest!r}" for name, digest in digests().items()]
    return "\n".join([HEAD, "[typed]", *numbers, "", "[results]", *files, ""])


def remembered() -> dict[str, dict]:
    """What noted.toml says: `typed`, a list of numbers for each page, and `results`, a digest for each file."""
    return tomllib.loads(NOTED.read_text())


def in_page(page: Page, noted: dict[str, list[str]]) -> list[str]:
    """A sentence for the first typed number of a page that is not as noted."""
    for found, before in itertools.zip_longest(page.uncovered(), noted.get(page.path.name, [])):
        if found is None:
            return [f"{page.path.name}: {before!r} was noted, and stands there no more."]
        if found[0] != before:
            return [f"{page.path.name}:{page.line(found.start())}: {found[0]!r} stands where {before!r} was noted."]
    return []


def in_results(noted: dict[str, str]) -> list[str]:
    """A sentence for each result file that is not as noted."""
    now = digests()
    return [
        f"docs/results/{name}: is not as it was noted."
        for name in sorted(now.keys() | noted.keys())
        if now.get(name) != noted.get(name)
    ]


@dataclasses.dataclass
class Note:
    """Note the typed numbers of the pages, and the digests of the result files."""

    check: bool = False
    """Change nothing; tell what is not as noted."""

    def __call__(self) -> int:
        results = Results()
        everything = [read(path, results) for path in pages()]
        if not self.check:
            NOTED.write_text(written(everything))
            return 0
        noted = remembered()
        said = [sentence for page in everything for sentence in in_page(page, noted["typed"])]
        said += in_results(noted["results"])
        print(*said, sep="\n", end="\n" * bool(said))
        return int(bool(said))


if __name__ == "__main__":
    sys.exit(tyro.cli(Note)())
