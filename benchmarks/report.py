"""What the benchmark says: rates beside the machine's limit, the ratios that matter, a table and a chart."""

import json
import os
import platform
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import EngFormatter, NullFormatter
from measuring import Measurement
from rich import box
from rich.console import Console
from rich.table import Table
from workers import work

PLAIN, CELL, STATELESS = "morphorl, plain PPO", "morphorl, cell", "morphorl, cell, Stateless"
FIELD = "morphorl, field of 64 sites"
FUSED, FUSED_CELL = f"{PLAIN}, fused", f"{CELL}, fused"
REJAX, REJAX_SPLIT = "rejax", "rejax, one device per core"
PUREJAXRL, PUREJAXRL_SPLIT = "PureJaxRL's way", "PureJaxRL's way, one device per core"
JAX_PEERS = {"rejax_ppo": (REJAX, REJAX_SPLIT), "purejaxrl_ppo": (PUREJAXRL, PUREJAXRL_SPLIT)}
"""The worker of each peer on JAX, its row's name, and that where it is divided among the cores."""
SB3, RECURRENT = "Stable-Baselines3 PPO", "RecurrentPPO, Stateless"
PEAK, CEILING, COLD, WARM = "multiply-adds", "matrix products", "first result, cold", "first result, warm"
NOT_RATES = {PEAK, CEILING, COLD, WARM}
NOTE = (
    "Median and spread of the repeats. Stable-Baselines3 and RecurrentPPO train one agent per process, so that more "
    "agents come one after another, at the rate shown. The limit is reached by an update that does nothing but its "
    "matrix products, at XLA's rate for these shapes; the peak is that of multiply-adds in registers. RecurrentPPO's "
    "LSTMs are other networks and have none. A first result is that of `morphorl train --seeds 16 --steps 5000` in a "
    "fresh process, with an empty or a filled cache."
)


def flop_per_step(features: int, actions: int = 2) -> float:
    """Floating-point operations in matrix products per environment step of training.

    Each weight costs 2 operations per sample and pass: one pass of the actor while acting, one of the critic before the
    update, and in each epoch one forward and two backward passes of both (the gradient by the input is not needed, so
    that the first layer has one backward pass only).
    """
    first = features * work.HIDDEN[0]
    between = sum(a * b for a, b in zip(work.HIDDEN[:-1], work.HIDDEN[1:], strict=True))
    actor, critic = (first + between + work.HIDDEN[-1] * outputs for outputs in (actions, 1))
    return 2.0 * (actor + critic + work.EPOCHS * (3 * (actor + critic) - 2 * first))


def machine() -> dict[str, Any]:
    """Processor, cores and Python, as far as the system tells."""
    names = [line.split(":")[1].strip() for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    return {"processor": (names or [platform.machine()])[0], "cores": cores, "python": platform.python_version()}


def summarise(measurements: list[Measurement], machine: dict[str, Any], packages: list[str]) -> dict[str, Any]:
    """Medians and spreads of all rows, each row's share of the arithmetic limit, and the ratios between rows."""
    ceiling = statistics.median(next(m.rates for m in measurements if m.row.name == CEILING))
    peak = next((statistics.median(m.rates) for m in measurements if m.row.name == PEAK), None)
    rows = [_row(m, ceiling, peak) for m in measurements]
    ratios = {name: ratio for name, ratio in _ratios(rows) if ratio is not None}
    return {
        "machine": machine,
        "packages": packages,
        "ceiling_flop_per_second": ceiling,
        "peak_flop_per_second": peak,
        "rows": rows,
        "ratios": ratios,
    }


def write(summary: dict[str, Any], out: Path, console: Console) -> None:
    """Write `speed.json`, `speed.png` and `speed.svg`, and print the same as tables."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "speed.json").write_text(json.dumps(summary, indent=2))
    _chart(summary, out / "speed")
    console.print(_table(summary))
    console.print(NOTE, highlight=False)
    for name, ratio in summary["ratios"].items():
        console.print(f"{name}: {ratio:.3g}", highlight=False)


def _row(measurement: Measurement, ceiling: float, peak: float | None) -> dict[str, Any]:
    row, rates = measurement.row, measurement.rates
    median = statistics.median(rates)
    flop = row.flop_per_step and row.flop_per_step * median
    return {
        "name": row.name,
        "agents": row.agents,
        "processes": row.processes,
        "rate": median,
        "slowest": min(rates),
        "fastest": max(rates),
        "repeats": rates,
        "share_of_limit": flop and flop / ceiling,
        "share_of_peak": flop and peak and flop / peak,
        "peak_bytes": measurement.peak_bytes,
    }


def _ratios(rows: list[dict[str, Any]]) -> Iterable[tuple[str, float | None]]:
    """The ratios of medians that the documents quote; None where a row was not measured."""

    def rate(name: str, agents: int | None = None) -> float | None:
        found = [row["rate"] for row in rows if row["name"] == name and agents in (None, row["agents"])]
        return max(found, default=None)

    def over(numerator: float | None, denominator: float | None) -> float | None:
        return numerator / denominator if numerator and denominator else None

    for agents in (1, 16):
        yield f"{agents} agents: fused / xla", over(rate(FUSED, agents), rate(PLAIN, agents))
        for own, split in JAX_PEERS.values():
            faster = max((r for r in (rate(own, agents), rate(split, agents)) if r), default=None)
            for ours, name in ((PLAIN, "morphorl"), (FUSED, "morphorl, fused")):
                yield f"{agents} agents: {name} / {own} (its faster way)", over(rate(ours, agents), faster)
                yield f"{agents} agents: {name} / {own} (its own way)", over(rate(ours, agents), rate(own, agents))
    yield "16 agents: time with the cell / time without, fused", over(rate(FUSED, 16), rate(FUSED_CELL, 16))
    yield "16 agents: morphorl / Stable-Baselines3, one process", over(rate(PLAIN, 16), rate(SB3, 1))
    yield "16 agents: morphorl / Stable-Baselines3, one per core", over(rate(PLAIN, 16), rate(SB3))
    yield "Stateless: morphorl with the cell / RecurrentPPO, one process", over(rate(STATELESS, 16), rate(RECURRENT, 1))
    yield "Stateless: morphorl with the cell / RecurrentPPO, one per core", over(rate(STATELESS, 16), rate(RECURRENT))
    yield "16 agents: time with the cell / time without", over(rate(PLAIN, 16), rate(CELL, 16))
    yield "16 agents: time with the field / time without", over(rate(PLAIN, 16), rate(FIELD, 16))
    sixteen_over_sixty_four = over(rate(PLAIN, 16), rate(PLAIN, 64))
    yield "time of 64 agents / time of 16", 4 * sixteen_over_sixty_four if sixteen_over_sixty_four else None


def _table(summary: dict[str, Any]) -> Table:
    title = f"{summary['machine']['processor']}, {summary['machine']['cores']} cores"
    table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("")
    for heading in ("agents", "env steps/s", "spread", "limit", "peak", "memory"):
        table.add_column(heading, justify="right")
    for row in summary["rows"]:
        table.add_row(row["name"], str(row["agents"]), *_values(row))
    return table


def _short(rate: float) -> str:
    if rate < 10_000:
        return f"{rate:,.0f}"
    return f"{rate / 1000:.1f}k" if rate < 100_000 else f"{rate / 1000:,.0f}k"


def _values(row: dict[str, Any]) -> tuple[str, ...]:
    memory = f"{row['peak_bytes'] / 2**30:.2f} GiB"
    if row["name"] in (PEAK, CEILING):
        spread = f"{row['slowest'] / 1e9:.0f}–{row['fastest'] / 1e9:.0f}"
        return f"{row['rate'] / 1e9:.0f} GFLOP/s", spread, "", "", memory
    if row["name"] in NOT_RATES:
        return f"{1 / row['rate']:.1f} s", f"{1 / row['fastest']:.1f}–{1 / row['slowest']:.1f}", "", "", ""
    shares = (f"{row[name]:.0%}" if row[name] else "" for name in ("share_of_limit", "share_of_peak"))
    return _short(row["rate"]), f"{_short(row['slowest'])}–{_short(row['fastest'])}", *shares, memory


def _chart(summary: dict[str, Any], path: Path) -> None:
    rows = [row for row in summary["rows"] if row["name"] not in NOT_RATES][::-1]
    labels = [f"{row['name']}: {row['agents']} at a time" for row in rows]
    limit = summary["ceiling_flop_per_second"] / flop_per_step(features=4)
    spread = [[row["rate"] - row["slowest"] for row in rows], [row["fastest"] - row["rate"] for row in rows]]
    colours = ["#21918c" if row["name"].startswith("morphorl") else "#8a8a8a" for row in rows]
    with plt.rc_context({"axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "morphorl"}):
        figure, axes = plt.subplots(figsize=(8, 1 + 0.32 * len(rows)), layout="constrained")
        style = {"color": colours, "error_kw": {"elinewidth": 1, "ecolor": "#1a1a1a"}}
        bars = axes.barh(labels, [row["rate"] for row in rows], xerr=spread, **style)
        plate = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axes.bar_label(bars, [_short(row["rate"]) for row in rows], padding=6, fontsize=8, bbox=plate)
        axes.axvline(limit, color="#b5651d", linestyle="--", linewidth=1, zorder=0)
        axes.set_title(f"agents trained at a time; dashed: arithmetic limit, {_short(limit)} steps/s", fontsize=9)
        axes.set(xscale="log", xlabel="environment steps per second (log scale)")
        axes.margins(y=0.01)
        axes.set_xlim(100, 4 * limit)  # a fixed left end: on a log scale it decides how long bars look
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))
        axes.xaxis.set_minor_formatter(NullFormatter())
        figure.savefig(path.with_suffix(".png"), dpi=160)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        plt.close(figure)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
