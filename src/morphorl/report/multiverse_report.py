"""What `morphorl multiverse` writes and prints: every reading's effects, and which axes carry them."""

from statistics import median
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from morphorl.analysis.bootstrap import Effect
from morphorl.analysis.multiverse.effects import Effects
from morphorl.analysis.multiverse.main_effects import Interval, MainEffects, main_effects
from morphorl.analysis.multiverse.readings import AXES, COUNTS
from morphorl.report import tables
from morphorl.report.figures.multiverse_figure import side

AGAINST = {"unguided": "γ = 0", "plain": "plain PPO", "zero": "zero readout"}
SHOWN = {"guidance": ("strongest", "unguided"), "system": ("strongest", "plain")}
"""The effects whose regressions are printed and drawn: that of guidance alone, and that of the whole system."""

Regressions = dict[tuple[str, str], MainEffects]
"""Main effects by choice of γ and rival."""


def regressions(effects: Effects) -> Regressions:
    """The main effects of all axes on every effect.

    Raises:
        EvidenceError: as `main_effects`.
    """
    places = [[list(axis.levels).index(one.levels[axis.name]) for axis in AXES] for one in effects.members]
    return {
        key: main_effects(np.array(places), COUNTS, outcome.values, outcome.replicates)
        for key, outcome in effects.outcomes.items()
    }


def to_plain(effects: Effects, found: Regressions) -> dict[str, Any]:
    """What `multiverse.json` holds: the readings with their effects, and the regressions."""
    readings = [
        {
            "levels": one.levels,
            "best_strength": effects.best[place],
            "effects": _nested({key: outcome.effects[place]._asdict() for key, outcome in effects.outcomes.items()}),
        }
        for place, one in enumerate(effects.members)
    ]
    gains = {label: gain._asdict() for label, gain in effects.gains.items()}
    summaries = _nested({key: summary(outcome.effects) for key, outcome in effects.outcomes.items()})
    return {
        "unit": "what plain PPO learns with the same settings of PPO: mean return less untrained return",
        "seeds": effects.n,
        "notes": list(effects.notes),
        "plain_ppo_learns": gains,
        "summaries": summaries,
        "regressions": _nested({key: _plain(one) for key, one in found.items()}),
        "readings": readings,
    }


def summary(effects: list[Effect]) -> dict[str, float | int]:
    """The effects of all readings in a few numbers: their middle, their ends, and how many intervals lie where."""
    values = [effect.value for effect in effects]
    sides = [side(effect) for effect in effects]
    counts = {words.replace(" ", "_"): sides.count(words) for words in ("above 0", "below 0", "holds 0")}
    return {"median": median(values), "lowest": min(values), "highest": max(values), **counts}


def sentence(effects: Effects, choice: str, rival: str) -> str:
    """The summary of one effect in words."""
    told = summary(effects.outcomes[choice, rival].effects)
    return (
        f"{choice.capitalize()} γ against {AGAINST[rival]}: median {told['median']:+.0%}, from {told['lowest']:+.0%} "
        f"to {told['highest']:+.0%}; intervals above 0: {told['above_0']}, below 0: {told['below_0']}."
    )


def axis_table(found: Regressions) -> Table:
    """Which axes carry the effects: the share of the variance that each explains, and its adjusted p-value."""
    title = "Share of the variance that an axis explains (by chance), and its adjusted p."
    table = tables.table(title)
    table.add_column("axis")
    for choice, rival in SHOWN.values():
        table.add_column(f"{choice} γ against {AGAINST[rival]}", justify="right")
        table.add_column("p", justify="right")
    shown = [found[key] for key in SHOWN.values()]
    for place, axis in enumerate(AXES):
        cells = [_explained(one.axes[place].share, one.axes[place].chance, one.axes[place].p_adjusted) for one in shown]
        table.add_row(axis.name, *(cell for pair in cells for cell in pair))
    table.add_section()
    table.add_row("all axes", *(cell for one in shown for cell in (f"{one.explained:.0%}", "")))
    table.add_row("noise of the seeds", *(cell for one in shown for cell in (f"{one.noise:.0%}", "")))
    return table


def level_table(found: Regressions) -> Table:
    """How far each level lies from the mean over all levels; bold where the axis passes its test."""
    title = "How far a level lies from the mean, in what plain PPO learns; 95% over seeds."
    table = tables.table(title)
    table.add_column("level")
    shown = [found[key] for key in SHOWN.values()]
    for choice, rival in SHOWN.values():
        table.add_column(f"{choice} γ against {AGAINST[rival]}", justify="right")
    table.add_row("mean", *(_interval(one.mean, p=1.0) for one in shown))
    for place, axis in enumerate(AXES):
        table.add_section()
        for number, level in enumerate(axis.levels):
            effects = [one.axes[place] for one in shown]
            table.add_row(f"{axis.name} {level}", *(_interval(one.levels[number], one.p_adjusted) for one in effects))
    return table


def _explained(share: float, chance: float, p: float) -> tuple[Text, Text]:
    strength = Text(f"{p:.3f}" if p >= 0.001 else "<.001", _style(p))
    return tables.with_interval(f"{share:.0%}", f"({chance:.0%})", _style(p)), strength


def _interval(one: Interval, p: float) -> Text:
    return tables.with_interval(f"{one.value:+.0%}", f"{one.low:+.0%} to {one.high:+.0%}", _style(p))


def _style(p: float) -> str:
    return "bold" if p <= 0.05 else ""


def _plain(one: MainEffects) -> dict[str, Any]:
    axes = {}
    for axis, effect in zip(AXES, one.axes, strict=True):
        levels = {name: level._asdict() for name, level in zip(axis.levels, effect.levels, strict=True)}
        axes[axis.name] = effect._asdict() | {"levels": levels}
    return one._asdict() | {"mean": one.mean._asdict(), "axes": axes}


def _nested(by_key: dict[tuple[str, str], Any]) -> dict[str, dict[str, Any]]:
    nested: dict[str, dict[str, Any]] = {}
    for (choice, rival), value in by_key.items():
        nested.setdefault(choice, {})[rival] = value
    return nested
