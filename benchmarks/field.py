"""The field's solver against py-pde's ways to solve the same equation: no larger final error, one interleaved run.

Usage: uv run benchmarks/field.py [--out DIR] [--lengths 16 32 64] [--backends numba jax] [--repeats 5]
"""

import dataclasses
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jaxtyping import Array, Float
from measuring import Measurement, Row, WorkerError, install, measure
from rich import box
from rich.console import Console
from rich.table import Table

import report
from morphorl.config.fields import SettingError
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, Grid, advance, resample, simulate, solver

PYPDE = ("py-pde==0.60.0", "numba==0.68.1", "jax==0.11.2", "rocket-fft==0.4.1")
SIZE, TIME = 128, 2000.0
"""Sites in each direction, and units of time: long enough for spots to form and to settle."""
SIZES = (16, 20, 24, 28, 32, 36, 40, 45, 48, 50, 54, 60, 64, 72, 80, 96, 128)
"""The grids out of which who is exact in space takes the coarsest that is accurate enough."""
STABLE = 0.95
"""py-pde's step, relative to the largest at which explicit Euler is stable: its error is nearly all in space."""
TOLERANCES = (1e-2, 1e-3)
"""Of py-pde's adaptive solver: it takes the first that is accurate enough. Its default, 1e-4, takes shorter steps."""
SLACK = 1.02
"""By so much may the errors of py-pde's other ways exceed that of its fixed steps; ours may not."""
ORDERS = (2, 3, 4)
STEPS = tuple(sorted({round(10 * 1.08**i) for i in range(60)}))
"""The numbers of steps out of which morphorl takes the smallest that is accurate enough."""

console = Console()


@dataclasses.dataclass
class Options:
    """Simulate the preset `spots` for 2000 units of time from a start on 128 × 128 sites, morphorl and py-pde in turn.

    Errors are relative L2 distances of the activator on these sites from a reference (256 × 256 sites, double
    precision, steps of 1). The error to reach is that of py-pde on these sites with its largest stable step. py-pde
    also solves with adaptive steps, and with its spectral Laplacian on the coarsest grid that is accurate enough;
    morphorl takes its largest steps on the two coarsest grids. Writes field.json into OUT.
    """

    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/field-speed")
    """Where everything is written; py-pde is installed into OUT/environments."""
    lengths: tuple[float, ...] = (16.0, 32.0, 64.0)
    """Extents of the domain: on the same sites, the larger it is, the coarser."""
    backends: tuple[str, ...] = ("numba", "jax")
    """py-pde's backends, as it names them."""
    adaptive: tuple[str, ...] = ("numba",)
    """Those whose adaptive solver is measured too."""
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


def reference(length: float, file: Path) -> np.ndarray:
    """The activator at the end, on the sites of the start; kept in a file, since it takes minutes."""
    if file.exists():
        return np.load(file)
    with jax.enable_x64(True):
        fine = jnp.asarray(start(2 * SIZE, length))
        end, _ = simulate(PRESETS["spots"], Grid(2, 2 * SIZE, length), fine, 1.0, int(TIME))
    np.save(file, np.asarray(end)[0, ::2, ::2])
    return np.load(file)


def distance(fields: np.ndarray, exact: np.ndarray) -> float:
    """Relative L2 distance of the activator, the uniform part left out of what it is relative to.

    Fields on a coarser grid are resampled first.
    """
    with jax.enable_x64(True):
        activator = np.asarray(resample(jnp.asarray(fields, float), SIZE))[0]
    return float(np.linalg.norm(activator - exact) / np.linalg.norm(exact - exact.mean()))


def error_in(order: int, size: int, length: float, exact: np.ndarray) -> Callable[[int], float]:
    """The error as a function of the number of steps, by one compiled program for all of them."""
    grid = Grid(2, size, length)
    field = resample(jnp.asarray(start(SIZE, length), jnp.float32), size)

    @jax.jit
    def end(steps: int) -> Float[Array, "2 *grid"]:
        prepared = solver(PRESETS["spots"], grid, TIME / jnp.asarray(steps), order)
        return jax.lax.fori_loop(0, steps, lambda _, field: advance(prepared, field, 1)[0], field)

    return lambda steps: distance(np.asarray(end(steps)), exact)


def our_rows(length: float, exact: np.ndarray, error: float, folder: Path, sizes: list[int]) -> list[Row]:
    """Every order on the two coarsest grids, with the smallest number of steps that is accurate enough."""
    rows = []
    for size in sizes[:2]:
        for order in ORDERS:
            errors = error_in(order, size, length, exact)
            steps = next((steps for steps in STEPS if errors(steps) <= error), None)
            name = f"morphorl, order {order}, {size} × {size}"
            how = (order, size, steps, length, TIME)
            if steps:
                rows.append(row("field_morphorl", name, steps, how, SIZE, folder, sys.executable))
    return rows


def their_row(
    folder: Path,
    python: str,
    length: float,
    backend: str,
    size: int = SIZE,
    spectral: bool = False,
    tolerance: float = 0,
) -> Row:
    """One way of py-pde: steps as long as its largest wavenumber lets explicit Euler be stable, dt ≤ 2/(D_h k²)."""
    between = length / size
    square = 2 * (math.pi / between) ** 2 if spectral else 8 / between**2
    steps = math.ceil(TIME * PRESETS["spots"].inhibitor_diffusion * square / (2 * STABLE))
    laplacian = "spectral" if spectral else "differences"
    name = f"py-pde, {backend}, {laplacian}, {size} × {size}" + (f", adaptive {tolerance:g}" if tolerance else "")
    how = (backend, laplacian, steps, tolerance, length, TIME)
    return row("field_pypde", name, steps, how, size, folder, python)


def row(worker: str, name: str, steps: int, how: tuple[object, ...], size: int, folder: Path, python: str) -> Row:
    """A row whose worker reads the start from, and writes the end into, the domain's folder."""
    files = (folder / f"start {size}.npy").resolve(), (folder / f"{name}.npy").resolve()
    return Row(name, steps, worker, (*how, *files), python)


def compare(options: Options, length: float, python: str) -> dict[str, Any]:
    """All rows of one domain."""
    folder, logs = options.out / f"length {length:g}", options.out / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        field = resample(jnp.asarray(start(SIZE, length)), size)
        np.save(folder / f"start {size}.npy", np.asarray(field, float))
    np.save(folder / f"start {SIZE}.npy", start(SIZE, length))
    exact = reference(length, folder / "reference.npy")
    with console.status("") as status:

        def accurate(rows: list[Row], error: float) -> list[Row]:
            """Those whose end, which each worker's first repeat writes, is near enough."""
            measure(rows, 0, logs, status.update)
            return [entry for entry in rows if final_error(entry, exact) <= SLACK * error]

        way = partial(their_row, folder, python, length)
        theirs = [way(backend) for backend in options.backends]
        error = min(final_error(entry, exact) for entry in accurate(theirs, math.inf))
        status.update("looking for the coarsest grids that are accurate enough")
        sizes = [size for size in SIZES if error_in(4, size, length, exact)(400) <= error]
        ways = [partial(way, backend) for backend in options.adaptive]
        if "numba" in options.backends:
            coarser = SIZES[max(SIZES.index(sizes[0]) - 1, 0)]  # whose error Euler's own may cancel
            spectral = ((size, way("numba", size, True)) for size in (coarser, *sizes))
            size, fixed = next((size, entry) for size, entry in spectral if accurate([entry], error))
            theirs.append(fixed)
            ways.append(partial(way, "numba", size, True))
        for adaptive in ways:
            tried = (adaptive(tolerance=tolerance) for tolerance in TOLERANCES)
            theirs += next(([entry] for entry in tried if accurate([entry], error)), [])
        status.update("looking for the largest steps that are accurate enough")
        ours = our_rows(length, exact, error, folder, sizes)
        measurements = measure(theirs + ours, options.repeats, logs, status.update)
    rows = [describe(measurement, exact) for measurement in measurements]
    return {"length": length, "error": error, "rows": rows, **ratios(rows)}


def final_error(row: Row, exact: np.ndarray) -> float:
    """The error of what the row's worker wrote."""
    return distance(np.load(str(row.arguments[-1])), exact)


def describe(measurement: Measurement, exact: np.ndarray) -> dict[str, Any]:
    """A row's times for one simulation, its steps and its error, as plain values."""
    simulations = [amount / TIME for amount in measurement.amounts]
    times = {
        name: [seconds / n for seconds, n in zip(repeats, simulations, strict=True)]
        for name, repeats in (("wall", measurement.seconds), ("processor", measurement.processor_seconds))
    }
    return {
        "name": measurement.row.name,
        "steps": measurement.row.agents,
        "error": final_error(measurement.row, exact),
        "peak_bytes": measurement.peak_bytes,
        **{f"{name}_seconds": statistics.median(repeats) for name, repeats in times.items()},
        **{f"{name}_repeats": repeats for name, repeats in times.items()},
    }


def ratios(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Times of each way of py-pde over morphorl's smallest, wall and processor: repeat by repeat, and their median."""
    ours = [entry for entry in rows if entry["name"].startswith("morphorl")]
    result: dict[str, Any] = {}
    for clock in ("wall", "processor"):
        best = min(ours, key=lambda entry: entry[f"{clock}_seconds"])
        repeats = {
            entry["name"]: [a / b for a, b in zip(entry[f"{clock}_repeats"], best[f"{clock}_repeats"], strict=True)]
            for entry in rows
            if entry not in ours
        }
        result[f"{clock}_ratios"] = {
            name: {"median": statistics.median(of_each), "repeats": of_each} for name, of_each in repeats.items()
        }
    return result


def show(comparison: dict[str, Any]) -> None:
    """Print one domain's rows as a table, and the smallest ratios."""
    title = f"length {comparison['length']:g}, error to reach {comparison['error']:.2%}"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "steps", "median time", "spread", "processor time", "error"):
        table.add_column(heading, justify="right" if heading else "left")
    for entry in comparison["rows"]:
        wall = entry["wall_repeats"]
        times = (
            f"{entry['wall_seconds']:.3g} s",
            f"{min(wall):.3g}–{max(wall):.3g} s",
            f"{entry['processor_seconds']:.3g} s",
        )
        table.add_row(entry["name"], f"{entry['steps']:,}", *times, f"{entry['error']:.2%}")
    console.print(table)
    for clock in ("wall", "processor"):
        name, ratio = min(comparison[f"{clock}_ratios"].items(), key=lambda item: item[1]["median"])
        spread = f"{min(ratio['repeats']):.3g} to {max(ratio['repeats']):.3g} by repeat"
        console.print(f"{clock} time, {name} / morphorl: {ratio['median']:.3g} ({spread})", highlight=False)


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
            summary = {"machine": report.machine(), "packages": PYPDE, "comparisons": comparisons}
            (options.out / "field.json").write_text(json.dumps(summary, indent=2))
    except (SettingError, WorkerError) as error:
        raise SystemExit(f"error: {error}") from None
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"error: {error}\n{(error.stderr or b'').decode()}") from None


if __name__ == "__main__":
    main()
