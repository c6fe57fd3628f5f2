"""The part of a page that a script writes: what stands between two markers, the first of which names the script."""

from pathlib import Path

END = "<!-- end of tables -->\n"


def with_tables(page: Path, tables: str) -> str:
    """A page's text as it stands, with `tables` between its markers; those of `shift.md` are `docs/shift_page.py`'s.

    Raises:
        ValueError: if the page has not one of each marker.
    """
    begin = f"<!-- tables: docs/{page.stem}_page.py -->\n"
    before, rest = page.read_text().split(begin)
    _, after = rest.split(END)
    return f"{before}{begin}\n{tables}\n\n{END}{after}"
