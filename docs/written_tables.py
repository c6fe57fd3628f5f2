"""The part of a page that a script writes: what stands between two markers, the first of which names the script."""

from pathlib import Path

from places import PageError

END = "<!-- end of tables -->\n"


def with_tables(page: Path, tables: str) -> str:
    """A page's text as it stands, with `tables` between its markers. The first one of NAME.md is docs/NAME_page.py's.

    Raises:
        PageError: if the page has not one of each marker.
    """
    begin = f"<!-- tables: docs/{page.stem}_page.py -->\n"
    text = page.read_text()
    for marker in (begin, END):
        if text.count(marker) != 1:
            raise PageError(f"{page.name}: {text.count(marker)} lines are {marker.strip()!r}; must be one.")
    before, after = text.split(begin)[0], text.split(END)[1]
    return f"{before}{begin}\n{tables}\n\n{END}{after}"
