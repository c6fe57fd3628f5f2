"""Fail if morphorl has become much slower beside others than the published measurement says.

Ratios of rates within one interleaved run, never times. A ratio fails below 0.7 of the published one, so that noise
does not; where one does, all rows are measured again, and what counts are the medians of all rounds.

Against a peer the ratio to its faster way is guarded. That to its own way depends on how well the *peer* uses the
machine's cores without being told to, which differs between machines, and says nothing of our speed that the other
does not.

Usage: uv run benchmarks/guard.py [--peers]
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated

import speed
import tyro
from measuring import Measurement, WorkerError, measure
from rich.console import Console

import report

PUBLISHED = Path(__file__).parents[1] / "docs" / "results" / "speed" / "speed.json"
TOLERANCE = 0.7
LENGTH, REPEATS, ATTEMPTS = 0.3, 3, 3
PEERS_OWN_WAY = "(its own way)"

console = Console()


@dataclasses.dataclass
class Options:
    """Compare the ratios of a short benchmark with the published ones (docs/results/speed/speed.json)."""

    peers: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also against rejax and PureJaxRL's way, with what they need installed into OUT/environments."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/guard")
    """Where logs and environments go."""


def rows(options: Options) -> list[speed.Row]:
    """The fewest rows from which the ratios of morphorl with itself, and with its peers on JAX, can be had."""
    sizes = speed.Options(out=options.out, agents=(16, 64), length=LENGTH)
    ours = [row for agents in sizes.agents for row in speed.morphorl_rows(sizes, agents)]
    chosen = [speed.ceiling_row(sizes), *(row for row in ours if row.name not in (report.STATELESS, report.FIELD))]
    if options.peers:
        chosen += speed.jax_peer_rows(sizes, 16, speed.install_peer("rejax", options.out))
    return chosen


def main() -> None:
    """Entry point."""
    options = tyro.cli(Options, description=Options.__doc__)
    published = json.loads(PUBLISHED.read_text())["ratios"]
    measurements: list[Measurement] = []
    slow: list[str] = []
    for _ in range(ATTEMPTS):
        try:
            with console.status("") as status:
                latest = measure(rows(options), REPEATS, options.out / "logs", status.update)
        except WorkerError as error:
            raise SystemExit(f"error: {error}") from None
        measurements = list(map(pooled, measurements, latest)) if measurements else latest
        slow = compare(report.summarise(measurements, report.machine(), [])["ratios"], published)
        if not slow:
            return
    sys.exit(f"{len(slow)} ratios are below {TOLERANCE} of the published ones.")


def pooled(known: Measurement, new: Measurement) -> Measurement:
    """The rounds of two measurements of one row."""
    known.amounts += new.amounts
    known.seconds += new.seconds
    return known


def compare(ratios: dict[str, float], published: dict[str, float]) -> list[str]:
    """Print every guarded ratio beside the published one; return the names of those that are too slow."""
    slow = []
    for name, ratio in ratios.items():
        if PEERS_OWN_WAY in name:
            continue
        cost = "time" in name  # a ratio of times is better when it is smaller
        kept = published[name] / ratio if cost else ratio / published[name]
        if kept < TOLERANCE:
            slow.append(name)
        verdict = "too slow" if kept < TOLERANCE else "ok"
        console.print(f"{verdict:8} {name}: {ratio:.3g}, published {published[name]:.3g}", highlight=False)
    return slow


if __name__ == "__main__":
    main()
