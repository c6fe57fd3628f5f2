"""A study of 100,000 agents on machines that we do not have: a discrete-event simulation from measured parts.

    uv run python benchmarks/simulate.py                           # from the published parts, a minute
    uv run --extra ray python benchmarks/simulate.py --measure     # measures the driver's parts anew first

`cluster_model.py` is the simulation, `driver_parts.py` measures.
"""

import dataclasses
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import driver_parts
import numpy as np
import tyro
from cluster_model import PER_CORE, Cluster, Costs, Engine, Outcome, limit, simulate
from rich.console import Console
from rich.progress import track

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
STEPS, UPDATE = 100_352, 1024
"""Environment steps of a run: 98 updates of 8 × 128."""
SWEPT = (2, 8, 32)
"""Cores of a batch in the sweep."""
ROWS = {"xla": "morphorl, cell", "fused": "morphorl, cell, fused"}
"""Rows of speed.json: the post's system on CartPole-v1, 16 agents on two cores."""
FUSED_COMPILING, FUSED_LOADING = 15.0, 2.0
"""Seconds that the fused kernel adds to a first start on a machine and to any other (docs/speed.md)."""
COLUMNS = (
    *("machines × cores, engine, runs of a batch", "kernel", "wall", "steps/s"),
    *("training", "starting", "waiting for the driver", "no batch left", "driver busy"),
    *("a machine's workers (GB)", "driver", "table at the end", "store", "limit"),
)

console = Console()


@dataclasses.dataclass
class Options:
    """Simulate 100,000 agents of 100,000 steps on one machine and on many; writes simulated.json into OUT."""

    out: Path = RESULTS / "scaling"
    """Where parts.json is read (or written) and simulated.json is written."""
    measure: bool = False
    """Whether to measure the driver's parts on this machine first; close everything else."""
    agents: int = 100_000
    """Runs of the study."""
    memory_bandwidth: float = 0.8
    """Assumed: rate of a core among many, relative to one of the two cores measured."""
    network: float = 1e9
    """Assumed: bytes per second into the driver's machine."""


def costs(cluster: Cluster, parts: dict[str, Any], speed: dict[str, Any], options: Options) -> Costs:
    """The costs of a batch on a cluster, from what was measured and the two assumptions."""
    rows = {(row["name"], row["agents"]): row["repeats"] for row in speed["rows"]}
    cold, warm = (1 / statistics.median(rows[f"first result, {how}", 16]) for how in ("cold", "warm"))
    repeats = rows[ROWS[cluster.kernel], 16]
    per_core = statistics.median(repeats) / 2 * (1.0 if cluster.cores == 2 else options.memory_bandwidth)
    fused = cluster.kernel == "fused"
    several, ray = cluster.engine == "ray", parts["ray"]
    batch = {name: _at(parts["batches"], name, cluster.size) for name in parts["batches"][0]}
    asking = ray["wait_seconds"] + ray["wait_seconds_per_pending"] * cluster.places
    asking += ray["nodes_seconds"] + ray["nodes_seconds_per_machine"] * cluster.machines
    return Costs(
        training=PER_CORE * STEPS / per_core,
        spread=float(np.std(np.log(repeats), ddof=1)),
        compiling=cold + fused * FUSED_COMPILING,
        loading=warm + fused * FUSED_LOADING,
        transfer=several * (cluster.machines > 1) * batch["result_bytes"] / options.network,
        sending=several * (batch["send_seconds"] + ray["submit_seconds"]),
        storing=batch["store_seconds"] + batch["flush_seconds"] + several * (batch["receive_seconds"] + asking),
        status=batch["status_seconds"],
    )


def _at(batches: list[dict[str, float]], name: str, size: int) -> float:
    """A part of a batch of any size: a line through the sizes measured, and never less than of the smallest."""
    small, large = batches
    slope = (large[name] - small[name]) / (large["runs"] - small["runs"])
    least = small[name] * min(1.0, size / small["runs"])
    return max(least, small[name] + slope * (size - small["runs"]))


def memory(agents: int, cluster: Cluster, outcome: Outcome, parts: dict, speed: dict) -> dict[str, float]:
    """Bytes: of a worker process, all workers of a machine, the driver, its table at the end, and the store.

    A worker takes what the measured process of 16 agents took, and `memory_estimate` for the runs beyond. A driver
    takes 0.2 GB and 1 kB a run (docs/scale.md), and the results that wait for it. The table is there twice: its parts,
    and with labels.
    """
    peak = {(row["name"], row["agents"]): row["peak_bytes"] for row in speed["rows"]}[ROWS[cluster.kernel], 16]
    of_batch = {name: _at(parts["batches"], name, cluster.size) for name in parts["batches"][0]}
    worker = peak + of_batch["program_bytes"] * (cluster.size - PER_CORE) / cluster.size
    return {
        "worker": worker,
        "workers_of_a_machine": worker * (cluster.cores // cluster.devices),
        "driver": 0.2e9 + 1e3 * agents + outcome.backlog * of_batch["result_bytes"],
        "table_at_the_end": 2 * of_batch["row_bytes"] * agents * STEPS / UPDATE,
        "store": of_batch["shard_bytes"] * math.ceil(agents / cluster.size),
        "shards": math.ceil(agents / cluster.size),
    }


def row(agents: int, cluster: Cluster, parts: dict, speed: dict, options: Options) -> dict[str, Any]:
    """One cluster: its costs, outcome, rate, memory and limit."""
    cost = costs(cluster, parts, speed, options)
    outcome = simulate(agents, cluster, cost)
    return {
        "agents": agents,
        "cluster": dataclasses.asdict(cluster) | {"size": cluster.size},
        "costs": dataclasses.asdict(cost),
        "outcome": dataclasses.asdict(outcome),
        "steps_per_second": agents * STEPS / outcome.wall,
        "limit": limit(outcome),
        "memory": memory(agents, cluster, outcome, parts, speed),
    }


def checks(parts: dict, speed: dict, scaling: dict, options: Options) -> dict[str, float]:
    """The simulation beside closed forms and beside two studies that were really trained (docs/speed.md, scale.md).

    Raises:
        AssertionError: if a closed form is missed.
    """
    cluster = Cluster(machines=5, cores=32)
    free = Costs(10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    alone = simulate(100_000, cluster, free)
    assert math.isclose(alone.wall, math.ceil(3125 / 80) * 10.0)
    limited = simulate(100_000, cluster, dataclasses.replace(free, storing=1.0))
    assert math.isclose(limited.wall, 10.0 + 3125 * 1.0)  # the driver alone decides, from the first result on
    laptop = Cluster(1, 2, kernel="xla", engine="local")
    here = costs(laptop, parts, speed, options)
    rates = {p["value"]: p["rate"] for p in scaling["points"] if p["axis"] == "agents"}  # that study's processor
    rate = float(np.interp(5, np.log2(list(rates)), list(rates.values())))  # 32 agents, between 16 and 64
    trained = simulate(1024, laptop, dataclasses.replace(here, training=laptop.size * STEPS / rate))
    stored = 14 * here.storing
    return {
        "1,024 agents, seconds": trained.wall,
        "1,024 agents, seconds measured": 178.0,
        "448 agents, driver seconds": stored,
        "448 agents, driver seconds measured": 0.55,
    }


def clusters() -> list[Cluster]:
    """One laptop, one machine of 64 cores in two ways, and 100 machines of 32."""
    kinds: list[tuple[int, int, int, Engine]] = [
        *((1, 2, 2, "local"), (1, 64, 64, "local"), (1, 64, 2, "ray")),
        *((100, 32, 2, "ray"), (100, 32, 32, "ray")),
    ]
    return [Cluster(m, c, d, kernel, engine) for kernel in ("xla", "fused") for m, c, d, engine in kinds]


def sweep() -> list[Cluster]:
    """1 to 1,000 machines of 32 cores, batches of 32, 128 and 512 runs."""
    machines = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
    return [Cluster(m, 32, devices) for m in machines for devices in SWEPT]


def most(devices: int, parts: dict, speed: dict, options: Options) -> dict[str, float]:
    """Machines of 32 cores from which on one driver is the limit of a long study: places · driver > training."""
    for machines in range(1, 10_001):
        cluster = Cluster(machines, 32, devices)
        cost = costs(cluster, parts, speed, options)
        if cluster.places * (cost.storing + cost.sending) > cost.training:
            return {"runs": cluster.size, "machines": machines, "batches_per_second": 1 / (cost.storing + cost.sending)}
    raise ValueError(f"devices = {devices}: no limit up to 10,000 machines.")


def show(rows: list[dict[str, Any]]) -> None:
    """Print clusters as a table of Markdown."""
    _print(COLUMNS)
    _print(["---"] * len(COLUMNS))
    for one in rows:
        c, o, m = one["cluster"], one["outcome"], one["memory"]
        shares = [f"{o[name]:.0%}" for name in ("training", "starting", "waiting", "nothing_left", "driver")]
        sizes = [f"{m[name] / 1e9:.2g}" for name in ("workers_of_a_machine", "driver", "table_at_the_end", "store")]
        name = f"{c['machines']} × {c['cores']}, {c['engine']}, {c['size']}"
        rate = f"{one['steps_per_second'] / 1e6:.3g}M"
        _print([name, c["kernel"], f"{o['wall']:,.0f} s", rate, *shares, *sizes, one["limit"]])


def show_sweep(rows: list[dict[str, Any]]) -> None:
    """Print a sweep as a table of Markdown: wall time, and what limits, for each size of batches."""
    _print(["machines", *(f"batches of {PER_CORE * devices}" for devices in SWEPT)])
    _print(["---"] * (1 + len(SWEPT)))
    for first in range(0, len(rows), len(SWEPT)):
        together = rows[first : first + len(SWEPT)]
        cells = [f"{one['outcome']['wall']:,.0f} s, {one['limit']}" for one in together]
        _print([str(together[0]["cluster"]["machines"]), *cells])


def _print(cells: Sequence[str]) -> None:
    console.print(f"| {' | '.join(cells)} |", soft_wrap=True, highlight=False)


def main() -> None:
    """Measure if asked, simulate, print and write."""
    options = tyro.cli(Options, description=Options.__doc__)
    file = options.out / "parts.json"
    if options.measure:
        with console.status("measuring"):
            file.write_text(json.dumps(_rounded(driver_parts.measure()), indent=1) + "\n")
    parts, scaling = (json.loads((options.out / name).read_text()) for name in ("parts.json", "scaling.json"))
    speed = json.loads((RESULTS / "speed" / "speed.json").read_text())
    checked = checks(parts, speed, scaling, options)
    table = [row(options.agents, c, parts, speed, options) for c in track(clusters(), "clusters", console=console)]
    show(table)
    swept = {}
    for agents in (options.agents, 10 * options.agents):
        swept[agents] = [row(agents, c, parts, speed, options) for c in track(sweep(), f"{agents:,}", console=console)]
        show_sweep(swept[agents])
    limits = [most(devices, parts, speed, options) for devices in SWEPT]
    console.print(limits, checked)
    kept = ("agents", "cluster", "outcome", "limit")
    found = {
        "assumed": {"memory_bandwidth": options.memory_bandwidth, "network": options.network},
        "checks": checked,
        "rows": table,
        "sweep": [{name: one[name] for name in kept} for rows in swept.values() for one in rows],
        "driver_limits": limits,
    }
    (options.out / "simulated.json").write_text(json.dumps(_rounded(found), indent=1) + "\n")


def _rounded(found: Any) -> Any:
    """Four digits are more than such a simulation knows."""
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_rounded(value) for value in found]
    return float(f"{found:.4g}") if isinstance(found, float) else found


if __name__ == "__main__":
    main()
