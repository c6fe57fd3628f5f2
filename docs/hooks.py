"""For the site alone: links from these pages to files beside `docs/` become the files' names, for the site has none."""

import re

BESIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace links that lead out of the site by their text."""
    return BESIDE.sub(r"`\1`", markdown)
