"""The tables of runs of another program on the terminal."""

import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from morphorl.analysis import curve_statistics
from morphorl.analysis.bootstrap import Estimate
from morphorl.analysis.logs.runs import Runs
from morphorl.analysis.logs.verdicts import Luck
from morphorl.analysis.score_table import measured
from morphorl.report import tables
from morphorl.report.tables import COLUMNS, short_number


def summaries(runs: Runs, environment: str) -> dict[str, dict[str, Estimate]]:
    """The statistics of every arm in one environment over its seeds."""
    here = runs.scores.filter(environment=environment)
    arms = here["arm"].unique(maintain_order=True)
    return {arm: curve_statistics.summarise(measured(here.filter(arm=arm))) for arm in arms}


def scores(runs: Runs, environment: str) -> Table:
    """IQM and interval of every arm, up to the common step."""
    found = summaries(runs, environment)
    horizon, threshold = runs.horizons[environment], runs.thresholds.get(environment)
    of = "" if horizon.kind == "training" else ", returns of evaluations"
    shown = tables.table(f"{environment}: up to {horizon.steps:,.0f} steps{of}. IQM over seeds, 95% interval")
    shown.add_column("arm", overflow="fold")
    names = [name for name in COLUMNS if any(name in row for row in found.values())]
    cells = [[_cell(row[name], horizon.steps) if name in row else "" for name in names] for row in found.values()]
    for i, name in enumerate(names):
        words = COLUMNS[name].format(threshold=threshold.value if threshold else 0)
        tables.add_numbers(shown, words, [row[i] for row in cells])
    for arm, row in zip(found, cells, strict=True):
        shown.add_row(arm, *row)
    return shown


def luck(title: str, rows: Sequence[Luck]) -> Table:
    """For each arm, how often a comparison of few seeds would have had the other one ahead."""
    sizes = list(dict.fromkeys(one.n for row in rows for one in row.shares))
    shown = tables.table(title)
    shown.add_column("arm", overflow="fold")
    shown.add_column("ahead here", overflow="fold")
    for n in sizes:
        shown.add_column(f"other ahead, {n} seeds", justify="right", overflow="fold")
    shown.add_column("p ≤ .05 found", justify="right", overflow="fold")
    for row in rows:
        by_size = {one.n: one for one in row.shares}
        cells = [_share(_less(by_size[n].better)) if n in by_size else "" for n in sizes]
        last = row.shares[-1].significant
        shown.add_row(row.arm, row.leads, *cells, "" if last is None else _share(last))
    return shown


def _less(share: Estimate) -> Estimate:
    return Estimate(1 - share.value, 1 - share.high, 1 - share.low, share.n)


def _share(share: Estimate) -> Text:
    return tables.with_interval(f"{share.value:.0%}", f"{100 * share.low:.0f}–{100 * share.high:.0f}")


def _cell(estimate: Estimate, steps: float) -> str | Text:
    """Value and interval; what was never reached lies beyond the steps."""
    if math.isnan(estimate.value):
        return "unknown"
    value, low, high = (short_number(x) if math.isfinite(x) else f">{short_number(steps)}" for x in estimate[:3])
    if math.isnan(estimate.low):
        return tables.with_interval(value, "no interval")
    return value if value == low == high else tables.with_interval(value, f"{low}–{high}")
