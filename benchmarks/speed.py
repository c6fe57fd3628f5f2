"""Environment steps per second: morphorl, its cell, and with `--peers` other libraries, at the same work in one run.

Usage: uv run benchmarks/speed.py [--peers] [--out DIR] [--agents 1 16 64] [--repeats 5]
"""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import tyro
from measuring import Row, WorkerError, install, measure
from rich.console import Console

import report
from morphorl.ppo import kernels

PEERS = {
    "rejax": (
        sys.executable,
        # rejax 0.1.3 needs gymnax before 1.0, whose `step` returns one value more; JAX is the same as morphorl's.
        ("rejax==0.1.3", "gymnax==0.0.9", "jax==0.11.2", "flax==0.12.12", "optax==0.2.8", "distrax==0.1.9"),
    ),
    "stable-baselines3": (
        "3.11",
        ("stable-baselines3==2.9.0", "sb3-contrib==2.9.0", "torch==2.13.0", "gymnasium==1.3.0", "numpy==2.4.6"),
    ),
}
"""The Python and the packages of each peer's own environment."""

CORES = len(os.sched_getaffinity(0))
CEILING_AGENTS, CEILING_LOOPS, PEAK_LOOPS = 16, 4000, 300_000_000
"""Enough agents to divide among the cores; few enough for their matrices to stay in the caches."""

console = Console()


@dataclasses.dataclass
class Options:
    """Measure environment steps per second at the same work: 8 environments × 128 steps, 4 epochs, 4 minibatches.

    Writes speed.json, speed.png and speed.svg into OUT. Close everything else: what runs beside this is measured too.
    """

    peers: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Also rejax, PureJaxRL's way, Stable-Baselines3 and sb3-contrib, installed into OUT/environments (2 GB)."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/speed")
    """Where everything is written."""
    agents: tuple[int, ...] = (1, 16, 64)
    """How many agents to train at once."""
    repeats: int = 5
    """Repeats of every row, taken in turn."""
    length: float = 1.0
    """How much work one repeat is, relative to the usual few seconds; less than 1 to try the command out."""

    def __post_init__(self) -> None:
        for name, least in (("agents", min(self.agents, default=0)), ("repeats", self.repeats)):
            if least < 1:
                raise SystemExit(f"error: --{name}: {least} is too few; must be at least 1.")

    def updates(self, usual: float) -> int:
        """PPO updates of one repeat, at least one."""
        return max(1, round(usual * self.length))


def morphorl_rows(options: Options, agents: int) -> list[Row]:
    """Plain PPO, PPO with the cell, with the field as the cell, and the cell where velocities are hidden.

    The first two by the fused kernel too, where this machine can use it.
    """
    updates = options.updates(256 / agents**0.5)
    works = [
        (report.PLAIN, "CartPole-v1", "none", "reaction_diffusion", "xla", 4),
        (report.CELL, "CartPole-v1", "average", "reaction_diffusion", "xla", 4),
        (report.FIELD, "CartPole-v1", "average", "gierer_meinhardt", "xla", 4),
        (report.STATELESS, "StatelessCartPole-v1", "average", "reaction_diffusion", "xla", 2),
    ]
    if kernels.unavailable() is None:
        works += [(f"{name}, fused", *work[:3], "fused", 4) for name, *work in works[:2]]
    return [
        Row(
            name,
            agents,
            "morphorl_ppo",
            (agents, updates, environment, blend, dynamics, kernel),
            sys.executable,
            flop_per_step=report.flop_per_step(features),
        )
        for name, environment, blend, dynamics, kernel, features in works
    ]


def jax_peer_rows(options: Options, agents: int, python: str) -> list[Row]:
    """rejax as its README shows it, PureJaxRL's way, and both divided among the cores where their number allows it."""
    updates, flop = options.updates(256 / agents**0.5), report.flop_per_step(4)
    cores = [1, CORES] if CORES > 1 and agents % CORES == 0 else [1]
    return [
        Row(names[used > 1], agents, worker, (agents, updates, used), python, flop_per_step=flop)
        for worker, names in report.JAX_PEERS.items()
        for used in cores
    ]


def sb3_rows(options: Options, python: str) -> list[Row]:
    """One process, and one per core. Each trains one agent: any number of them one after another, at the same rate.

    A process that has the machine to itself uses the threads that serve it best: PPO one, RecurrentPPO one per core.
    """
    updates, flop = options.updates(16), report.flop_per_step(4)
    rows = [Row(report.SB3, count, "sb3_ppo", (updates, 1), python, count, flop) for count in sorted({1, CORES})]
    updates = options.updates(2)
    return rows + [
        Row(report.RECURRENT, count, "sb3_recurrent", (updates, CORES // count), python, count)
        for count in sorted({1, CORES})
    ]


def ceiling_row(options: Options) -> Row:
    """The machine's rate of matrix products, beside which every row is put."""
    loops = options.updates(CEILING_LOOPS)
    return Row(report.CEILING, CEILING_AGENTS, "ceiling", (CEILING_AGENTS, loops), sys.executable)


def peak_rows(options: Options) -> list[Row]:
    """The processor's rate of multiply-adds in registers, where the kernel's vectors can be had to measure it."""
    if kernels.unavailable() is not None:
        return []
    return [Row(report.PEAK, CORES, "peak", (options.updates(PEAK_LOOPS),), sys.executable)]


def install_peer(name: str, out: Path) -> str:
    """The interpreter of a peer's own environment."""
    python, packages = PEERS[name]
    return install(name, python, packages, out / "environments")


def all_rows(options: Options) -> list[Row]:
    """Everything that is measured, the rows of the table and what stands beside them."""
    rows = [
        *peak_rows(options),
        ceiling_row(options),
        Row(report.COLD, 16, "first_result", ("cold",), sys.executable),
        Row(report.WARM, 16, "first_result", ("warm",), sys.executable),
    ]
    rows += [row for agents in options.agents for row in morphorl_rows(options, agents)]
    if not options.peers:
        return rows
    with console.status("installing the peers"):
        pythons = {name: install_peer(name, options.out) for name in PEERS}
    rows += [row for agents in options.agents for row in jax_peer_rows(options, agents, pythons["rejax"])]
    return rows + sb3_rows(options, pythons["stable-baselines3"])


def main() -> None:
    """Entry point."""
    options = tyro.cli(Options, description=Options.__doc__)
    machine = report.machine()
    try:
        rows = all_rows(options)
        with console.status("") as status:
            measurements = measure(rows, options.repeats, options.out / "logs", status.update)
    except WorkerError as error:
        raise SystemExit(f"error: {error}") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"error: {error}\n{(error.stderr or b'').decode()}") from None
    packages = [package for _, names in PEERS.values() for package in names] if options.peers else []
    report.write(report.summarise(measurements, machine, packages), options.out, console)


if __name__ == "__main__":
    main()
