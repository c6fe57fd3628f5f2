"""The field's solver against py-pde's fastest backend: same grid, no larger final error, one interleaved run.

Usage: uv run benchmarks/field.py [--out DIR] [--lengths 16 32 64] [--backends numba jax] [--repeats 5]
"""

import dataclasses
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from measuring import Measurement, Row, WorkerError, install, measure
from rich import box
from rich.console import Console
from rich.table import Table

import report
from morphorl.config.fields import SettingError
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, Grid, simulate

PYPDE = ("py-pde==0.60.0", "numba==0.68.1", "jax==0.11.2")
SIZE, TIME = 128, 2000.0
"""Sites in each direction, and units of time: long enough for spots to form and to settle."""
STABLE = 0.95
"""py-pde's step, relative to the largest at which explicit Euler is stable, dx²/(4 D_h): its error is all in space."""
ORDERS = (2, 3, 4)
STEPS = tuple(sorted({round(10 * 1.08**i) for i in range(60)}))
"""The numbers of steps out of which morphorl takes the smallest that is accurate enough."""

console = Console()


@dataclasses.dataclass
class Options:
    """Simulate the preset `spots` on 128 × 128 sites for 2000 units of time, morphorl and py-pde in turn.

    Errors are relative L2 distances of the activator from a reference (256 × 256 sites, double precision, steps of 1).
    py-pde takes the largest stable step; morphorl the largest whose error is no larger than py-pde's. Writes field.json
    into OUT. Close everything else: what runs beside this is measured too.
    """

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/field-speed")
    """Where everything is written; py-pde is installed into OUT/environments."""
    lengths: tuple[float, ...] = (16.0, 32.0, 64.0)
    """Extents of the domain: on the same sites, the larger it is, the coarser."""
    backends: tuple[str, ...] = ("numba", "jax")
    """py-pde's backends, as it names them."""
    repeats: int = 5
    """Repeats of every row, taken in turn."""

    def __post_init__(self) -> None:
        if self.repeats < 1 or not self.lengths or not self.backends:
            raise SystemExit("error: --repeats, --lengths and --backends must each be at least one.")


def start(size: int, length: float) -> np.ndarray:
    """The steady state under smooth noise of about a tenth: random waves no shorter than 3, the same on every grid."""
    largest = int(length / 3)
    modes = np.arange(-largest, largest + 1)
    generator = np.random.default_rng(0)
    shape = (len(modes), len(modes))
    weights = generator.standard_normal(shape) + 1j * generator.standard_normal(shape)
    waves = np.exp(2j * np.pi * np.outer(np.arange(size) / size, modes))
    noise = (waves @ weights @ waves.T).real / np.sqrt((np.abs(weights) ** 2).sum() / 2)
    return np.stack([1 + 0.1 * noise, np.ones_like(noise)])


def reference(length: float) -> np.ndarray:
    """The activator at the end, on the coarse grid's sites."""
    with jax.enable_x64(True):
        fine = jnp.asarray(start(2 * SIZE, length))
        end, _ = simulate(PRESETS["spots"], Grid(2, 2 * SIZE, length), fine, 1.0, int(TIME))
        return np.asarray(end)[0, ::2, ::2]


def distance(activator: np.ndarray, exact: np.ndarray) -> float:
    """Relative L2 distance, the uniform part left out of what it is relative to."""
    return float(np.linalg.norm(activator - exact) / np.linalg.norm(exact - exact.mean()))


def fewest_steps(order: int, length: float, exact: np.ndarray, error: float) -> int | None:
    """The smallest number of steps in `STEPS` with which this order is at least as accurate; None if none is."""
    fields, grid = jnp.asarray(start(SIZE, length), jnp.float32), Grid(2, SIZE, length)
    for steps in STEPS:
        end, _ = simulate(PRESETS["spots"], grid, fields, TIME / steps, steps, order)
        if distance(np.asarray(end[0], float), exact) <= error:
            return steps
    return None


def compare(options: Options, length: float, python: str) -> dict[str, Any]:
    """All rows of one domain."""
    folder = options.out / f"length {length:g}"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "start.npy", start(SIZE, length))
    exact = reference(length)
    steps = math.ceil(TIME / (STABLE * (length / SIZE) ** 2 / (4 * PRESETS["spots"].inhibitor_diffusion)))
    theirs = [
        row("field_pypde", f"py-pde, {backend}", backend, length, steps, folder, python) for backend in options.backends
    ]
    logs = options.out / "logs"
    with console.status("") as status:
        measure(theirs, 0, logs, status.update)  # each worker's first repeat writes where it ended
        error = min(distance(np.load(str(entry.arguments[-1]))[0], exact) for entry in theirs)
        status.update("looking for the largest steps that are accurate enough")
        needed = {order: fewest_steps(order, length, exact, error) for order in ORDERS}
        ours = [
            row("field_morphorl", f"morphorl, order {order}", order, length, count, folder, sys.executable)
            for order, count in needed.items()
            if count
        ]
        measurements = measure(theirs + ours, options.repeats, logs, status.update)
    rows = [describe(measurement, exact) for measurement in measurements]
    best = {name: min(r["seconds"] for r in rows if r["name"].startswith(name)) for name in ("py-pde", "morphorl")}
    return {"length": length, "rows": rows, "ratio": best["py-pde"] / best["morphorl"]}


def row(worker: str, name: str, how: object, length: float, steps: int, folder: Path, python: str) -> Row:
    """A row whose worker reads the start from, and writes the end into, the domain's folder."""
    arguments = (how, length, TIME, steps, (folder / "start.npy").resolve(), (folder / f"{worker} {how}.npy").resolve())
    return Row(name, steps, worker, arguments, python)


def describe(measurement: Measurement, exact: np.ndarray) -> dict[str, Any]:
    """A row's times, steps and error, as plain values."""
    end = np.load(str(measurement.row.arguments[-1]))[0].astype(float)
    return {
        "name": measurement.row.name,
        "steps": measurement.row.agents,
        "seconds": statistics.median(measurement.seconds),
        "repeats": measurement.seconds,
        "error": distance(end, exact),
        "peak_bytes": measurement.peak_bytes,
    }


def show(comparison: dict[str, Any]) -> None:
    """Print one domain's rows as a table, and the ratio."""
    table = Table(title=f"{SIZE} × {SIZE} sites, length {comparison['length']:g}", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "steps", "median time", "spread", "error"):
        table.add_column(heading, justify="right" if heading else "left")
    for entry in comparison["rows"]:
        spread = f"{min(entry['repeats']):.3g}–{max(entry['repeats']):.3g} s"
        numbers = f"{entry['steps']:,}", f"{entry['seconds']:.3g} s", spread, f"{entry['error']:.2%}"
        table.add_row(entry["name"], *numbers)
    console.print(table)
    console.print(f"py-pde's fastest backend / morphorl: {comparison['ratio']:.3g}", highlight=False)


def main() -> None:
    """Entry point."""
    options = tyro.cli(Options, description=Options.__doc__)
    try:
        with console.status("installing py-pde"):
            python = install("py-pde", sys.executable, PYPDE, options.out / "environments")
        comparisons = []
        for length in options.lengths:
            comparisons.append(compare(options, length, python))
            show(comparisons[-1])
    except (SettingError, WorkerError) as error:
        raise SystemExit(f"error: {error}") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"error: {error}\n{(error.stderr or b'').decode()}") from None
    summary = {"machine": report.machine(), "packages": PYPDE, "comparisons": comparisons}
    (options.out / "field.json").write_text(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
