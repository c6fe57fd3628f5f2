"""How morphorl's throughput and memory scale: with agents, parallel environments, network width, and cores.

Usage: uv run benchmarks/scaling.py [--axes agents envs width cores] [--agents 1 4 16 64 256 1024] [--out DIR]
"""

import dataclasses
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import tyro
from matplotlib.ticker import EngFormatter, NullFormatter
from measuring import Measurement, Row, WorkerError, measure
from rich.console import Console
from workers import work

import report

CORES = len(os.sched_getaffinity(0))
AGENTS, ENVS, WIDTH = 16, work.NUM_ENVS, work.HIDDEN[0]
"""Where each curve stands that varies something else."""

console = Console()


@dataclasses.dataclass
class Options:
    """Measure plain PPO's environment steps per second and peak memory along up to four axes, in one interleaved run.

    Writes scaling.json, scaling.png and scaling.svg into OUT. Close everything else: what runs beside this is measured
    too.
    """

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/scaling")
    """Where everything is written."""
    axes: tuple[Literal["agents", "envs", "width", "cores"], ...] = ("agents", "envs", "width", "cores")
    """What to vary; on an accelerator the agents."""
    agents: tuple[int, ...] = (1, 4, 16, 64, 256, 1024)
    """How many agents to train at once."""
    envs: tuple[int, ...] = (1, 4, 8, 16, 64)
    """Parallel environments of each of 16 agents."""
    width: tuple[int, ...] = (16, 32, 64, 128, 256)
    """Width of both hidden layers of each of 16 agents."""
    repeats: int = 5
    """Repeats of every point, taken in turn."""
    length: float = 1.0
    """How much work one repeat is, relative to the usual two seconds or so; less than 1 to try the command out."""


def points(options: Options) -> list[tuple[str, int, Row]]:
    """Every point: the axis that it lies on, its place there, and what to measure."""
    axes = {"agents": options.agents, "envs": options.envs, "width": options.width, "cores": range(1, CORES + 1)}
    return [(axis, value, _row(axis, value, options.length)) for axis in options.axes for value in axes[axis]]


def _row(axis: str, value: int, length: float) -> Row:
    place = {"agents": AGENTS, "envs": ENVS, "width": WIDTH, "cores": CORES} | {axis: value}
    work_per_update = place["agents"] * place["envs"] * (1 + place["width"] / WIDTH) ** 2 / place["cores"]
    updates = max(1, round(length * 2**14 / work_per_update))
    arguments = (
        place["agents"],
        updates,
        "CartPole-v1",
        "none",
        "reaction_diffusion",
        "xla",
        *(place[name] for name in ("envs", "width", "cores")),
    )
    return Row(f"{axis} {value}", place["agents"], "morphorl_ppo", arguments, sys.executable)


def summarise(axis: str, value: int, measurement: Measurement) -> dict[str, Any]:
    """One point: median and spread of the rate, and the process's peak memory."""
    rates = measurement.rates
    return {
        "axis": axis,
        "value": value,
        "rate": statistics.median(rates),
        "slowest": min(rates),
        "fastest": max(rates),
        "peak_bytes": measurement.peak_bytes,
    }


def draw(summary: dict[str, Any], path: Path) -> None:
    """Rate along each axis with its spread, and memory along the first."""
    labels = {
        "agents": "agents at once",
        "envs": "parallel environments per agent",
        "width": "width of the hidden layers",
        "cores": "cores",
    }
    with plt.rc_context({"axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "morphorl"}):
        varied = list(dict.fromkeys(point["axis"] for point in summary["points"]))
        figure, panels = plt.subplots(1, len(varied) + 1, figsize=(2.8 * len(varied) + 2.8, 3), layout="constrained")
        for axes, axis in zip(panels, varied, strict=False):
            rows = [point for point in summary["points"] if point["axis"] == axis]
            spread = [[r["rate"] - r["slowest"] for r in rows], [r["fastest"] - r["rate"] for r in rows]]
            style = {"color": "#21918c", "marker": "o", "markersize": 4, "capsize": 3}
            axes.errorbar([r["value"] for r in rows], [r["rate"] for r in rows], yerr=spread, **style)
            _logarithmic(axes, [r["value"] for r in rows])
            axes.set(xlabel=labels[axis])
            if axis == "width":
                axes.set_yscale("log")  # the work per step grows with the square of the width
            else:
                _from_zero(axes)
            axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        panels[0].set_ylabel("environment steps per second")
        rows = [point for point in summary["points"] if point["axis"] == varied[0]]
        memory = [r["peak_bytes"] / 2**30 for r in rows]
        panels[-1].plot([r["value"] for r in rows], memory, color="#b5651d", marker="o", markersize=4)
        _logarithmic(panels[-1], [r["value"] for r in rows])
        panels[-1].set(xlabel=labels[varied[0]], ylabel="peak memory (GiB)")
        _from_zero(panels[-1])
        figure.savefig(path.with_suffix(".png"), dpi=160)
        figure.savefig(path.with_suffix(".svg"), metadata={"Date": None})
        plt.close(figure)


def _from_zero(axes: Any) -> None:
    axes.set_ylim(0, 1.05 * axes.get_ylim()[1])


def _logarithmic(axes: Any, values: list[int]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(values, [str(value) for value in values])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.25)


def main() -> None:
    """Entry point."""
    options = tyro.cli(Options, description=Options.__doc__)
    all_points = points(options)
    try:
        with console.status("") as status:
            rows = [row for _, _, row in all_points]
            measurements = measure(rows, options.repeats, options.out / "logs", status.update)
    except WorkerError as error:
        raise SystemExit(f"error: {error}") from None
    summarised = [summarise(axis, value, m) for (axis, value, _), m in zip(all_points, measurements, strict=True)]
    summary = {"machine": report.machine(), "points": summarised}
    (options.out / "scaling.json").write_text(json.dumps(summary, indent=2))
    draw(summary, options.out / "scaling")
    for point in summarised:
        memory = f"{point['peak_bytes'] / 2**30:.2f} GiB"
        console.print(
            f"{point['axis']:>7} {point['value']:5}: {point['rate']:12,.0f} steps/s  {memory}", highlight=False
        )


if __name__ == "__main__":
    main()
