"""Every number of the paper in words, by name: from docs/results, by the project's own analysis."""

import re

import change_values
import help_values
import post_values
from published import ROOT

PARTS = (
    post_values.protocol,
    post_values.judged,
    post_values.early_returns,
    post_values.patterns,
    post_values.plots,
    post_values.multiverse,
    post_values.luck,
    help_values.memory,
    help_values.guided,
    help_values.rhythm,
    help_values.second_body,
    help_values.held,
    help_values.rewarded,
    help_values.explored,
    change_values.changed,
    change_values.kept,
)


def everything() -> dict[str, str]:
    """All values of the paper by name.

    Raises:
        ValueError: if two have one name.
    """
    named = [about(), *(part() for part in PARTS)]
    found = {name: words for part in named for name, words in part.items()}
    if len(found) != sum(map(len, named)):
        raise ValueError("two values have one name.")
    return found


def about() -> dict[str, str]:
    """The version that the paper belongs to, and its date."""
    cited = (ROOT / "CITATION.cff").read_text()
    fields = {"version": "version", "date": "date-released"}
    return {name: re.findall(rf"^{field}: (.+)$", cited, re.M)[0] for name, field in fields.items()}
