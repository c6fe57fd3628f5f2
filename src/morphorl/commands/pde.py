"""`morphorl pde`: the Gierer-Meinhardt field alone, one run or the map of where patterns form."""

import dataclasses
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import equinox as eqx
import jax
import numpy as np
import tyro
from rich.progress import Progress

from morphorl.commands.shared import console, early
from morphorl.config.errors import SettingError
from morphorl.config.fields import FINITE, NOT_NEGATIVE, setting
from morphorl.config.fields import check as check_settings
from morphorl.config.files import finite_or_none, write_atomically, write_json
from morphorl.config.plain import to_dict
from morphorl.dynamics.pde import linear_theory
from morphorl.dynamics.pde import summary as pde_summary
from morphorl.dynamics.pde import sweep as pde_sweep
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, GiererMeinhardtEquation, Grid, advance, perturbed, solver
from morphorl.report.figures import field_figures
from morphorl.studies import memory_estimate

DT = 2.0
"""Largest time step of a run; its relative error at T = 2000 is below 1e-5."""
FRAMES = 100
"""Frames of the film, and in fields.npz, besides the start."""
GROWTHS = 25.0
"""Default length of a run: so many times the time in which the fastest mode grows e-fold."""
UNGUIDED_TIME = 5000.0
"""Default length of a run in which nothing grows."""


class FieldGuidance(eqx.Module):
    """The post's guidance of a field."""

    strength: float = setting(0.0, FINITE)
    """The post's γ, on both fields, per unit of time; --equation.activator-guidance or -inhibitor-guidance for one."""

    def __check_init__(self) -> None:
        check_settings(self, "guidance")


@dataclasses.dataclass
class Pde:
    """Simulate the Gierer-Meinhardt field, and compare it with its linear theory.

    Writes pattern.png, film.webp, fields.npz and summary.json into OUT; with --sweep, sweep.png, sweep.npz and
    summary.json: where patterns form, over guidance strength and D_h/D_a, with the boundary that theory draws.
    """

    preset: Literal["spots", "stripes"] = "spots"
    """Which published parameters to start from; --equation.… options change them one by one."""
    dims: Literal[1, 2] = 2
    """Dimensions of space (a sweep has one)."""
    size: int = 128
    """Sites in each direction."""
    length: float = 64.0
    """Extent in each direction, periodic, in units of length."""
    time: float | None = None
    """How long to simulate, in units of time. By default 25 times what the fastest mode needs to grow e-fold, 5000 if
    none grows, and 40000 for a sweep, since growth is slow near the boundary."""
    noise: float = 0.01
    """Standard deviation of the noise on the steady state from which a run starts, relative to it."""
    seed: int = 0
    """Of that noise."""
    sweep: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Many runs in one dimension instead: the map of patterns. `--guidance.strength` is then the largest strength."""
    out: Annotated[Path, tyro.conf.arg(metavar="DIR")] = Path("runs/pde")
    """Where everything is written; what an earlier run wrote there is replaced."""
    guidance: FieldGuidance = dataclasses.field(default_factory=FieldGuidance)
    equation: GiererMeinhardtEquation = dataclasses.field(default_factory=GiererMeinhardtEquation)

    def __call__(self) -> None:
        for name in ("time", "noise"):
            value = getattr(self, name)
            if value is not None and not NOT_NEGATIVE.holds(value):
                raise SettingError(f"{name} = {value}: must be {NOT_NEGATIVE.words}.")
        if self.out.exists() and not self.out.is_dir():
            raise SettingError(f"out = {str(self.out)!r}: is a file; must be a folder, or a name for a new one.")
        grid = Grid(1 if self.sweep else self.dims, self.size, self.length)
        needed, there = 8 * (FRAMES + 1) * math.prod(grid.shape), memory_estimate.of_machine()  # two fields, 4 bytes
        if needed > there:
            raise SettingError(
                f"size = {self.size}: calls for {memory_estimate.words(needed)} of memory; must be at most the "
                f"{memory_estimate.words(there)} that this machine has."
            )
        if self.sweep:
            self._sweep(grid)
        else:
            self._run(grid)

    def _run(self, grid: Grid) -> None:
        equation = self._guided_equation()
        prediction = pde_summary.predict(equation, grid)
        growth = prediction["growth_rate"]
        default = GROWTHS / growth if prediction["pattern"] and growth > 0 else UNGUIDED_TIME
        time = default if self.time is None else self.time
        uniform = linear_theory.steady_state(equation)
        start = perturbed(uniform, grid, jax.random.key(self.seed), self.noise)
        times, frames, counts = film(equation, grid, start, time)
        measurement = pde_summary.measure(grid, times, frames, prediction)
        notes = pde_summary.remarks(equation, grid, prediction, counts, times, time)
        summary = {
            "preset": self.preset,
            "equation": to_dict(equation),
            "grid": to_dict(grid),
            "time": time,
            "noise": self.noise,
            "seed": self.seed,
            "predicted": prediction,
            "measured": measurement,
            "watch": counts,
            "notes": notes,
        }
        self.out.mkdir(parents=True, exist_ok=True)
        title = f"{self.preset}, γ = {equation.activator_guidance:g}"
        if equation.activator_guidance != equation.inhibitor_guidance:
            title += f" and {equation.inhibitor_guidance:g}"
        write_atomically(self.out / "pattern.png", partial(field_figures.pattern, times, frames, grid, title))
        with console.status("drawing the film"):
            write_atomically(self.out / "film.webp", partial(field_figures.film, times, frames, grid, title))
        _write_arrays(self.out / "fields.npz", times=times, activator=frames[:, 0], inhibitor=frames[:, 1])
        write_json(self.out / "summary.json", finite_or_none(summary))
        self._say(prediction, measurement, notes)

    def _guided_equation(self) -> GiererMeinhardtEquation:
        if not self.guidance.strength:
            return self.equation
        for name in ("activator_guidance", "inhibitor_guidance"):
            if getattr(self.equation, name):
                raise SettingError(
                    f"equation.{name} = {getattr(self.equation, name)} and guidance.strength = "
                    f"{self.guidance.strength}: must not both be set; guidance.strength sets it for both fields."
                )
        return linear_theory.guided(self.equation, self.guidance.strength)

    def _sweep(self, grid: Grid) -> None:
        if self.equation.activator_guidance or self.equation.inhibitor_guidance:
            raise SettingError("sweep: sets the guidance of both fields; must go without equation.…_guidance.")
        if self.guidance.strength < 0:
            raise SettingError(f"guidance.strength = {self.guidance.strength}: must be at least 0 for a sweep.")
        time = pde_sweep.TIME if self.time is None else self.time
        plan = pde_sweep.plan(self.equation, self.guidance.strength or None)
        with Progress(console=console) as progress:
            task = progress.add_task(f"{plan.strengths.size * plan.ratios.size} fields", total=1.0)
            report = partial(progress.update, task)
            amplitudes = pde_sweep.amplitudes(self.equation, plan, grid, time, self.noise, self.seed, report)
        summary = {
            "preset": self.preset,
            "equation": to_dict(self.equation),
            "grid": to_dict(grid),
            "time": time,
            "noise": self.noise,
            "seed": self.seed,
            "boundary": pde_sweep.boundary(plan, amplitudes),
        }
        self.out.mkdir(parents=True, exist_ok=True)
        title = f"{self.preset} in one dimension, time {time:g}, from noise of {self.noise:.0%}"
        write_atomically(self.out / "sweep.png", partial(field_figures.sweep, plan, amplitudes, title))
        _write_arrays(self.out / "sweep.npz", amplitude=amplitudes, **plan._asdict())
        write_json(self.out / "summary.json", finite_or_none(summary))
        for row in summary["boundary"]:
            console.print(
                f"D_h/D_a = {row['ratio']:.3g}: patterns end at γ = {pde_summary.number(row['simulated'])}, "
                f"theory {pde_summary.number(row['theory'])}",
            )
        console.print(f"Wrote {self.out / 'sweep.png'!s}", soft_wrap=True)

    def _say(self, prediction: dict[str, Any], measurement: dict[str, Any], notes: list[str]) -> None:
        for name, unit in (("growth_rate", "per unit of time"), ("wavelength", "units of length")):
            console.print(
                f"{name.replace('_', ' ')}: predicted {pde_summary.number(prediction[name])}, measured "
                f"{pde_summary.number(measurement[name])} {unit}",
            )
        expected = "expected" if prediction["pattern"] else "not expected"
        found = "no pattern" if measurement["kind"] == "none" else f"a pattern of {measurement['kind']}"
        if measurement["kind"] is None:
            found = "nothing to measure"
        console.print(f"pattern: {expected} by linear theory; found: {found}")
        for note in notes:
            console.print(f"note: {note}", soft_wrap=True)
        console.print(f"Wrote {self.out / 'pattern.png'!s}", soft_wrap=True)


def film(
    equation: GiererMeinhardtEquation, grid: Grid, start: jax.Array, time: float
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Simulate with a progress bar, up to the end or to the first frame that is not finite.

    Returns:
        Times, the finite frames of shape (frames, 2, *grid), and what was watched over all steps.
    """
    steps = max(1, math.ceil(time / (FRAMES * DT)))
    dt = time / (FRAMES * steps)
    frames, counts = [np.asarray(start)], {"floored": 0, "negative": 0, "steps": 0, "dt": dt, "blew_up_at": None}
    if time == 0:
        return np.zeros(1), np.stack(frames), counts
    with Progress(console=console) as progress:
        task = progress.add_task(f"{'×'.join(map(str, grid.shape))} sites", total=time)
        for field, watch in _frames(equation, grid, start, dt, steps):
            counts["floored"] += int(watch.floored)
            counts["negative"] += int(watch.negative)
            counts["steps"] += int(watch.finite_steps)
            if not np.isfinite(field).all():
                counts["blew_up_at"] = (counts["steps"] + 1) * dt
                break
            frames.append(field)
            progress.update(task, completed=len(frames[1:]) * steps * dt)
    return np.arange(len(frames)) * steps * dt, np.stack(frames), counts


def _frames(equation: GiererMeinhardtEquation, grid: Grid, field: jax.Array, dt: float, steps: int) -> Iterator[tuple]:
    compiled = jax.jit(partial(advance, steps=steps))
    prepared = jax.jit(solver)(equation, grid, dt)
    for _ in range(FRAMES):
        field, watch = compiled(prepared, field)
        yield np.asarray(field), watch


def _write_arrays(path: Path, **arrays: np.ndarray) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    write_atomically(path, write)


def default(arguments: list[str]) -> Pde:
    """The options before the command line is read; `--preset` on it decides the equation's."""
    return Pde(equation=PRESETS.get(early(arguments, "--preset") or "", PRESETS["spots"]))
