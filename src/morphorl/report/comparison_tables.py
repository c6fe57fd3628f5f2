"""How comparisons look on the terminal, whoever made the runs."""

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from morphorl.analysis.bootstrap import Effect, Estimate
from morphorl.analysis.comparisons import Comparison
from morphorl.report import tables

COLUMNS = ("difference", "p", "better in", "median steps", "ratio", "log-rank p")


def table(title: str, rows: Sequence[Comparison]) -> Table:
    """A row for each arm; a column that has nothing to say of any arm is left out."""
    shown = tables.table(title)
    shown.add_column("arm", overflow="fold")
    cells = [_cells(one) for one in rows]
    kept = [i for i in range(len(COLUMNS)) if any(row[i] for row in cells)]
    for i in kept:
        tables.add_numbers(shown, COLUMNS[i], [row[i] for row in cells])
    for one, row in zip(rows, cells, strict=True):
        shown.add_row(one.arm, *(row[i] for i in kept))
    return shown


def _cells(one: Comparison) -> list[str | Text]:
    effect, better, median = one.effect, one.better, one.median
    return [
        "unknown" if effect is None else _effect(effect),
        "" if effect is None else f"{effect.p:.2g}",
        "" if better is None else f"{better.value:.0%}",
        "" if median is None else ("never" if median.value == float("inf") else f"{median.value:,.0f}"),
        "" if one.ratio is None else _ratio(one.ratio),
        "" if one.log_rank is None else f"{one.log_rank:.2g}",
    ]


def _effect(effect: Effect) -> Text:
    return tables.with_interval(f"{effect.value:+.3g}", f"{effect.low:+.3g}…{effect.high:+.3g}")


def _ratio(ratio: Estimate) -> str | Text:
    """A ratio of medians, none where the arm has no median; an open interval has no upper end."""
    if math.isinf(ratio.value):
        return "none"
    high = "∞" if math.isinf(ratio.high) else f"{ratio.high:.2f}"
    return tables.with_interval(f"{ratio.value:.2f}", f"{ratio.low:.2f}–{high}")


def plain(one: Comparison) -> dict[str, object]:
    """A comparison by the names of its numbers."""
    fields = one._asdict().items()
    return {name: value._asdict() if isinstance(value, Estimate | Effect) else value for name, value in fields}
