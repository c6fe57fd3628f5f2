"""The table of agents that were played where they were not trained."""

import numpy as np
import polars as pl
from rich.console import Console
from rich.text import Text

from morphorl.analysis.bootstrap import bootstrap
from morphorl.report import tables


def show(played: pl.DataFrame, console: Console) -> None:
    """Print what `studies.elsewhere.play` found: an arm a row, an environment a column, a table for each training."""
    for (preset, environment), rows in played.partition_by(
        "preset", "environment", as_dict=True, maintain_order=True
    ).items():
        arms, places = (rows[name].unique(maintain_order=True).to_list() for name in ("arm", "played_in"))
        table = tables.table(f"Trained in {environment}, preset {preset}: mean return, 95% interval over seeds")
        table.add_column("arm")
        cells = {place: [_cell(rows.filter(arm=arm, played_in=place)) for arm in arms] for place in places}
        for place in places:
            tables.add_numbers(table, place, cells[place])
        for i, arm in enumerate(arms):
            table.add_row(Text(arm), *(cells[place][i] for place in places))
        console.print(table)


def _cell(rows: pl.DataFrame) -> Text:
    """Mean and interval; runs that diverged are counted beside them."""
    returns = rows["return"].drop_nulls().to_numpy()
    diverged = f", {len(rows) - len(returns)} diverged" if len(returns) < len(rows) else ""
    if not len(returns):
        return Text(f"–{diverged}")
    mean, low, high = map(tables.short_number, bootstrap(np.mean, returns))
    return tables.with_interval(mean, f"({low} to {high}){diverged}")
