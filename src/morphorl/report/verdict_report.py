"""The verdicts of a study as a file and on the terminal."""

import math
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from morphorl.analysis import claims, verdicts
from morphorl.analysis.claims import Verdict
from morphorl.analysis.verdicts import Judged
from morphorl.report import tables
from morphorl.studies.study import Study

COLOURS = {"supported": "green", "contradicted": "red", "undecided": "yellow", "not testable": "magenta"}


def write(study: Study, preset: str, scores: pl.DataFrame, folder: Path, console: Console) -> None:
    """Write `verdicts.json` and print the verdicts; nothing for a study without the arms that the claims compare."""
    with console.status(f"{preset}: judging the claims"):
        judged = verdicts.write(folder, study, preset, scores)
    if not judged:
        return
    unit = "effects in shares of what plain PPO learns"
    told = unit if len(judged) == 1 else f"share of {len(judged)} readings under each verdict"
    console.print(Text(f"The post's claims, {preset}: {told} (docs/claims.md).", "italic"), soft_wrap=True)
    console.print(_verdict_table(judged[0].verdicts) if len(judged) == 1 else _share_table(judged))
    for verdict in judged[0].verdicts if len(judged) == 1 else ():
        console.print(Text.assemble((verdict.claim, "bold"), f" {verdict.reason}"), soft_wrap=True)


def percent(value: float) -> str:
    """A share of what plain PPO learns, with its sign; a dash where there is no number."""
    return f"{value:+.0%}" if math.isfinite(value) else "–"


def _verdict_table(verdicts: list[Verdict]) -> Table:
    table = tables.table()
    for name in ("claim", "metric"):
        table.add_column(name)
    for name in ("effect", "95% interval", "n"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for verdict in verdicts:
        interval = f"{percent(verdict.low)} to {percent(verdict.high)}" if math.isfinite(verdict.low) else "–"
        answer = Text(verdict.verdict, COLOURS[verdict.verdict])
        n = str(verdict.n) if verdict.n else "–"
        table.add_row(verdict.claim, verdict.metric, percent(verdict.effect), interval, n, answer)
    return table


def _share_table(judged: list[Judged]) -> Table:
    table = tables.table()
    for name in ("claim", "metric"):
        table.add_column(name)
    for answer, colour in COLOURS.items():
        table.add_column(Text(answer, colour), justify="right")
    verdicts = [verdict for one in judged for verdict in one.verdicts]
    metrics = {verdict.claim: verdict.metric for verdict in verdicts}
    for claim, shares in claims.shares(verdicts).items():
        table.add_row(claim, metrics[claim], *(f"{shares[answer]:.0%}" for answer in COLOURS))
    return table
