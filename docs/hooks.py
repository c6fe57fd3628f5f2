"""For the site alone: links that lead out of it become names of files, and its start page gets the playground."""

import re
from pathlib import Path

BESIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace links that lead out of the site by their text."""
    return BESIDE.sub(r"`\1`", markdown)


def on_post_build(config: dict, **_: object) -> None:
    """Write `playground.html`, which the start page embeds."""
    from morphorl.report.playground import playground_data, playground_page

    page = playground_page.page(playground_data.shipped_agents(), "morphorl play")
    (Path(config["site_dir"]) / "playground.html").write_text(page, encoding="utf-8")
