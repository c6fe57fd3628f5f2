"""Environment steps per second in other tasks than CartPole, beside CartPole, beside rejax and beside Gymnasium.

Usage: uv run --extra mujoco benchmarks/tasks.py [--out DIR] [--agents 16] [--repeats 5]
"""

import dataclasses
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import speed
import tyro
from measuring import Measurement, Row, WorkerError, measure
from rich import box
from rich.console import Console
from rich.table import Table

import report
from morphorl.ppo import kernels

OURS, REJAX = "morphorl", "rejax"
HOST = "morphorl, stepping Gymnasium's"
UPDATES = 64
"""Of one repeat, for one agent; 16 agents take a quarter of them."""

console = Console()


@dataclasses.dataclass
class Options:
    """Plain PPO with 8 environments × 128 steps, 4 epochs, 4 minibatches, 64-64, on one task after another in turn.

    CartPole and Pendulum by each kernel, rejax's Pendulum as it is and divided among the cores, the swimmer in JAX, and
    Gymnasium's own Pendulum and Swimmer, which the host steps. Writes tasks.json into OUT.
    """

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/tasks-speed")
    """Where everything is written; rejax is installed into OUT/environments."""
    agents: int = 16
    """How many agents train at once."""
    repeats: int = 5
    """Repeats of every row, taken in turn."""


def own_row(environment: str, kernel: str, agents: int, updates: int) -> Row:
    """Plain PPO of ours in an environment."""
    name = HOST if environment.startswith("gym:") else f"{OURS}, {kernel}"
    arguments = (agents, updates, environment, "none", "reaction_diffusion", kernel)
    return Row(f"{name}: {environment}", agents, "morphorl_ppo", arguments, sys.executable)


def all_rows(options: Options) -> list[Row]:
    """Everything that is measured."""
    agents, updates = options.agents, max(1, round(UPDATES * 4 / options.agents**0.5))
    kinds = ["xla"] if kernels.unavailable() else ["xla", "fused"]
    rows = [
        own_row(environment, kernel, agents, updates)
        for environment in ("CartPole-v1", "Pendulum-v1", "Swimmer-v5")
        for kernel in kinds
    ]
    rows += [own_row(f"gym:{name}", kinds[-1], 1, 2) for name in ("CartPole-v1", "Pendulum-v1", "Swimmer-v5")]
    with console.status("installing rejax"):
        python = speed.install_peer("rejax", options.out)
    cores = [1, speed.CORES] if speed.CORES > 1 and agents % speed.CORES == 0 else [1]
    return rows + [
        Row(
            f"{REJAX}{', divided among the cores' if used > 1 else ''}: Pendulum-v1",
            agents,
            "rejax_ppo",
            (agents, updates, used, "Pendulum-v1"),
            python,
        )
        for used in cores
    ]


def summarise(measurements: list[Measurement]) -> list[dict[str, float | str]]:
    """Each row's median rate, by the clock and by the processors' time."""
    return [
        {
            "row": one.row.name,
            "agents": one.row.agents,
            "steps_per_second": statistics.median(one.rates),
            "steps_per_processor_second": statistics.median(
                amount / seconds for amount, seconds in zip(one.amounts, one.processor_seconds, strict=True)
            ),
        }
        for one in measurements
    ]


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
    rates = summarise(measurements)
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "repeats": options.repeats, "rows": rates}, indent=1)
    (options.out / "tasks.json").write_text(text + "\n")
    console.print(table(rates))


def table(rates: list[dict[str, float | str]]) -> Table:
    """What is printed."""
    shown = Table(box=box.SIMPLE)
    for name in ("row", "agents", "steps/s", "steps per processor second"):
        shown.add_column(name, justify="left" if name == "row" else "right")
    for one in rates:
        row, agents, *values = one.values()
        shown.add_row(str(row), str(agents), *(f"{value:,.0f}" for value in values))
    return shown


if __name__ == "__main__":
    main()
