"""Fail if morphorl has become much slower beside others than the published measurement says.

Ratios of rates within one interleaved run, never times: they hold on any machine. A ratio fails below 0.7 of the
published one, so that noise does not.

Usage: uv run benchmarks/guard.py [--peers]
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import speed
import tyro
from measuring import WorkerError, measure
from rich.console import Console

import report

PUBLISHED = Path(__file__).parents[1] / "docs" / "results" / "speed" / "speed.json"
TOLERANCE = 0.7
LENGTH, REPEATS = 0.3, 3

console = Console()


@dataclasses.dataclass
class Options:
    """Compare the ratios of a short benchmark with the published ones (docs/results/speed/speed.json)."""

    peers: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also against rejax, installed into OUT/environments."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/guard")
    """Where logs and environments go."""


def rows(options: Options) -> list[speed.Row]:
    """The fewest rows from which the ratios of morphorl with itself, and with rejax, can be had."""
    sizes = speed.Options(out=options.out, agents=(16, 64), length=LENGTH)
    ours = [row for agents in sizes.agents for row in speed.morphorl_rows(sizes, agents)]
    chosen = [speed.ceiling_row(sizes), *(row for row in ours if row.name not in (report.STATELESS, report.FIELD))]
    if options.peers:
        chosen += speed.rejax_rows(sizes, 16, speed.install_peer("rejax", options.out))
    return chosen


def main() -> None:
    """Entry point."""
    options = tyro.cli(Options, description=Options.__doc__)
    published = json.loads(PUBLISHED.read_text())["ratios"]
    try:
        with console.status("") as status:
            measurements = measure(rows(options), REPEATS, options.out / "logs", status.update)
    except WorkerError as error:
        raise SystemExit(f"error: {error}") from None
    failures = 0
    for name, ratio in report.summarise(measurements, report.machine(), [])["ratios"].items():
        cost = "time" in name  # a ratio of times is better when it is smaller
        kept = published[name] / ratio if cost else ratio / published[name]
        failures += kept < TOLERANCE
        verdict = "too slow" if kept < TOLERANCE else "ok"
        console.print(f"{verdict:8} {name}: {ratio:.3g}, published {published[name]:.3g}", highlight=False)
    if failures:
        sys.exit(f"{failures} ratios are below {TOLERANCE} of the published ones.")


if __name__ == "__main__":
    main()
