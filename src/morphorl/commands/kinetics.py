"""`morphorl kinetics`: where the states of the post's system end, and whether it forms patterns."""

import dataclasses
import math

from rich.table import Table

from morphorl.commands.shared import Folder, console
from morphorl.config.errors import SettingError
from morphorl.config.fields import COUNT, COUNT_OR_ZERO
from morphorl.config.files import finite_or_none, write_json
from morphorl.config.plain import to_dict
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.kinetics import theory
from morphorl.dynamics.kinetics.ends import Ends, Spread, Trajectories, ends, trajectories
from morphorl.dynamics.kinetics.theory import FixedPoint, Linear
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.report import tables
from morphorl.report.figures import kinetics_figures

STRENGTHS = (0.0, 0.01, 0.05, 0.1, 0.3)
"""The post's γ, as `reproduce` runs them."""
STEPS = (200, 500)
"""Environment steps after which the ends are summarised."""


@dataclasses.dataclass
class Kinetics:
    """Say where the states of the post's system end, and whether it forms patterns, by theory and by simulation.

    Without an environment: fixed points of a uniform state, the ends of many drawn patterns after 200 and 500 steps,
    and the growth of the fastest disturbance. Writes kinetics.json, trajectories.png and trajectories.svg into OUT.
    """

    out: Folder
    """Where everything is written; what an earlier run wrote there is replaced."""
    shape: tuple[int, int] = (4, 2)
    """Observation features and actions; CartPole's by default."""
    patterns: int = 512
    """How many initial patterns are drawn."""
    seed: int = 0
    """Of these patterns."""
    guidance: Blind = dataclasses.field(default_factory=Blind)
    """A strength given here is looked at beside 0; without one, 0 and the strengths of `reproduce` are."""
    dynamics: ReactionDiffusion = dataclasses.field(default_factory=ReactionDiffusion)

    def __call__(self) -> None:
        self._check()
        strengths = (0.0, self.guidance.strength) if self.guidance.strength else STRENGTHS
        points = [theory.fixed_points(self.dynamics, strength) for strength in strengths]
        told = [theory.linear(self.dynamics, strength, self.shape) for strength in strengths]
        critical = theory.critical_strength(self.dynamics, self.shape)
        with console.status(f"{self.patterns} patterns, {max(STEPS)} steps"):
            found = trajectories(self.dynamics, strengths, self.shape, self.patterns, max(STEPS), self.seed)
        summary = [
            ends(found.activator[i, :, steps], strength, steps, float(self.dynamics.bound))
            for i, strength in enumerate(strengths)
            for steps in STEPS
        ]
        self._write(strengths, points, told, critical, summary, found)
        for table in (_of_points(strengths, points), _of_ends(summary), _of_growth(strengths, told)):
            console.print(table)
        console.print(_verdict(told[0], critical), soft_wrap=True)
        console.print(f"Wrote {self.out / 'trajectories.png'!s}", soft_wrap=True)

    def _check(self) -> None:
        for name, allowed in (("patterns", COUNT), ("seed", COUNT_OR_ZERO)):
            value = getattr(self, name)
            if not allowed.holds(value):
                raise SettingError(f"{name} = {value}: must be {allowed.words}.")
        if not all(map(COUNT.holds, self.shape)):
            raise SettingError(f"shape = {self.shape}: must be two numbers, each {COUNT.words}.")
        if self.out.exists() and not self.out.is_dir():
            raise SettingError(f"out = {str(self.out)!r}: is a file; must be a folder, or a name for a new one.")

    def _write(
        self,
        strengths: tuple[float, ...],
        points: list[list[FixedPoint]],
        told: list[Linear | None],
        critical: float,
        summary: list[Ends],
        found: Trajectories,
    ) -> None:
        content = {
            "dynamics": to_dict(self.dynamics),
            "shape": self.shape,
            "patterns": self.patterns,
            "seed": self.seed,
            "fixed_points": [
                {"strength": strength} | point._asdict() | {"stable": point.stable}
                for strength, here in zip(strengths, points, strict=True)
                for point in here
            ],
            "ends": [
                one._asdict() | {"positive": one.positive._asdict(), "negative": one.negative._asdict()}
                for one in summary
            ],
            "growth": [
                {"strength": strength, "uniform": one and one.uniform, "fastest": one and one.fastest}
                for strength, one in zip(strengths, told, strict=True)
            ],
            "critical_strength": critical,
        }
        self.out.mkdir(parents=True, exist_ok=True)
        write_json(self.out / "kinetics.json", finite_or_none(content))
        rows, columns = self.shape
        title = f"{rows} × {columns} entries, coupling {self.dynamics.coupling}, initial {self.dynamics.initial}"
        kinetics_figures.trajectories(found, strengths, points, title, self.out / "trajectories")


def _of_points(strengths: tuple[float, ...], points: list[list[FixedPoint]]) -> Table:
    table = _table(
        "Fixed points of a uniform state", "γ", "activator", "inhibitor", "growth per step", "stable", "at the bound"
    )
    for strength, here in zip(strengths, points, strict=True):
        for i, point in enumerate(here):
            told = "yes" if point.stable else "no"
            row = (f"{point.activator:.4g}", f"{point.inhibitor:.4g}", f"{point.growth:.3f}", told, point.held)
            table.add_row(f"{strength:g}" if not i else "", *row, end_section=i == len(here) - 1)
    return table


def _of_ends(summary: list[Ends]) -> Table:
    table = _table(
        "Where activators end (median, middle 80%)",
        *("γ", "steps", "positive entries", "negative entries", "share positive", "at the bound", "all actions alike"),
    )
    for one in summary:
        shares = (f"{share:.0%}" for share in (one.share_positive, one.at_bound, one.same_rows))
        table.add_row(f"{one.strength:g}", str(one.steps), _spread(one.positive), _spread(one.negative), *shares)
    return table


def _of_growth(strengths: tuple[float, ...], told: list[Linear | None]) -> Table:
    table = _table("Growth per step around the positive steady state", "γ", "a*", "h*", "uniform", "fastest pattern")
    for strength, one in zip(strengths, told, strict=True):
        numbers = ("none within the bound",) if one is None else _numbers(one)
        table.add_row(f"{strength:g}", *numbers)
    return table


def _numbers(one: Linear) -> tuple[str, ...]:
    state = (f"{one.state.activator:.4g}", f"{one.state.inhibitor:.4g}")
    return *state, f"{one.uniform:.4f}", f"{one.fastest:.4f}"


def _spread(spread: Spread) -> str:
    numbers = (0.0 if abs(value) < 1e-6 else value for value in spread)
    return "–" if math.isnan(spread.median) else "{:.3g} ({:.3g} to {:.3g})".format(*numbers)


def _verdict(unguided: Linear | None, critical: float) -> str:
    if unguided is None:
        return "Without guidance there is no positive steady state within the bound, and so no pattern around it."
    if not critical:
        fastest = f"{unguided.fastest:.4f} of itself a step"
        return f"No pattern forms: without guidance even the most persistent disturbance shrinks to {fastest}."
    end = "at no strength that was looked at" if math.isnan(critical) else f"at γ = {critical:.4g}"
    growth = f"the fastest grows to {unguided.fastest:.4f} of itself a step"
    return f"Patterns form without guidance ({growth}); guidance ends them {end}."


def _table(title: str, *columns: str) -> Table:
    table = tables.table(title)
    for column in columns:
        table.add_column(column, justify="right")
    return table
