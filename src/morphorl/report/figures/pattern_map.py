"""Where the cell harms, over diffusion and guidance, beside where linear theory says that patterns form."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import PercentFormatter

from morphorl.analysis.bootstrap import Effect, combine, resample
from morphorl.analysis.interpretations import is_plain
from morphorl.analysis.paired_arms import gather, learned
from morphorl.dynamics.kinetics.theory import critical_strength
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import registry
from morphorl.ppo.settings import Settings
from morphorl.report.figures import canvas


class Map(NamedTuple):
    """Arms over D_h/D_a (rows, ascending) and γ (columns, ascending)."""

    ratios: list[float]
    strengths: list[float]
    labels: list[list[str]]
    plain: str
    critical: list[float]
    """The strength at which linear theory ends the patterns, for each ratio; 0 where none form."""


def find(labelled: Mapping[str, Settings], environment: str) -> Map | None:
    """The map among a study's arms: plain PPO, and all others differing in D_h and γ alone, every pair of them once.

    None for a study that is no map, or has fewer than three values of either.
    """
    plain = next((label for label, settings in labelled.items() if is_plain(settings)), None)
    others = {label: settings for label, settings in labelled.items() if not is_plain(settings)}
    systems = {label: one.dynamics for label, one in others.items() if type(one.dynamics) is ReactionDiffusion}
    if plain is None or len(systems) < len(others) or len({_rest(settings) for settings in others.values()}) != 1:
        return None
    places = {(systems[label].inhibitor_diffusion, one.guidance.strength): label for label, one in others.items()}
    diffusions, strengths = (sorted({place[axis] for place in places}) for axis in (0, 1))
    if min(len(diffusions), len(strengths)) < 3 or len(places) != len(diffusions) * len(strengths):
        return None
    env = registry.make_env(environment)
    shape = (env.num_features, env.num_actions)
    cells = [systems[places[diffusion, strengths[0]]] for diffusion in diffusions]
    return Map(
        ratios=[cell.inhibitor_diffusion / cell.activator_diffusion for cell in cells],
        strengths=strengths,
        labels=[[places[diffusion, strength] for strength in strengths] for diffusion in diffusions],
        plain=plain,
        critical=[critical_strength(cell, shape) for cell in cells],
    )


def lag(found: Map, scores: pl.DataFrame, environment: str) -> list[list[Effect]]:
    """How far each arm's mean return lies from plain PPO's, as a share of what plain PPO learns, paired by seed.

    (IQM(y) − IQM(y_plain)) / (IQM(y_plain) − IQM(untrained)), rows by D_h/D_a and columns by γ.

    Args:
        scores: under one preset, as `scores.table` makes them.

    Raises:
        EvidenceError: as `paired_arms.gather`, and if plain PPO learns too little to measure by.
    """
    labels = [label for row in found.labels for label in row]
    arms = gather(scores, environment, [found.plain, *labels]).arms
    gain, plain = learned(arms[found.plain], "mean", found.plain), resample(arms[found.plain].mean)

    def of(label: str) -> Effect:
        return combine(lambda a, b, scale: (a - b) / scale, resample(arms[label].mean), plain, gain)

    return [[of(label) for label in row] for row in found.labels]


def draw(found: Map, panels: Mapping[str, pl.DataFrame], environment: str, path: Path) -> None:
    """One panel for each preset: colour for the lag, a line for the strength at which theory ends the patterns.

    Args:
        panels: the scores under each preset, by its name.
        path: without suffix; `.png` and `.svg` are written.
    """
    lags = {preset: lag(found, scores, environment) for preset, scores in panels.items()}
    reach = max(0.1, *(abs(effect.value) for rows in lags.values() for row in rows for effect in row))
    with canvas.in_style():
        figure, row = canvas.subplots(1, len(lags), figsize=(1.5 + 4.2 * len(lags), 4), sharey=True, squeeze=False)
        for axes, (preset, effects) in zip(row[0], lags.items(), strict=True):
            values = np.array([[effect.value for effect in effects_of_row] for effects_of_row in effects])
            axes.imshow(values, origin="lower", aspect="auto", cmap="RdBu", vmin=-reach, vmax=reach)
            axes.plot(*_boundary(found), color="black", marker="o", markersize=3)
            for (i, j), value in np.ndenumerate(values):
                sure = effects[i][j].low > 0 or effects[i][j].high < 0
                shown = {"fontsize": 7.5, "color": _ink(value, reach), "fontweight": "bold" if sure else "normal"}
                axes.text(j, i + 0.28, f"{value:+.0%}", ha="center", va="center", **shown)
            axes.set_xticks(range(len(found.strengths)), [f"{strength:g}" for strength in found.strengths])
            axes.set_yticks(range(len(found.ratios)), [f"{ratio:g}" for ratio in found.ratios])
            axes.set(xlabel="guidance strength γ (per step)", title=f"{preset}, {effects[0][0].n} seeds")
        row[0, 0].set_ylabel("D_h / D_a")
        words = "left of the line patterns form (linear theory); bold: the 95% interval excludes 0"
        figure.legend([words], loc="outside lower center", frameon=False, fontsize="small")
        colours = ScalarMappable(Normalize(-reach, reach), "RdBu")
        beside = "mean return beside plain PPO's\n(share of what plain PPO learns)"
        figure.colorbar(colours, ax=list(row[0]), label=beside, format=PercentFormatter(1.0))
        canvas.save(figure, path)


def _rest(settings: Settings) -> str:
    """What arms of a map have in common."""
    dynamics = settings.dynamics
    if type(dynamics) is ReactionDiffusion:
        dynamics = replace(dynamics, inhibitor_diffusion=0.0)
    return replace(settings, dynamics=dynamics, guidance=replace(settings.guidance, strength=0.0)).digest


def _boundary(found: Map) -> tuple[list[float], list[float]]:
    """The critical strengths as places between the columns, and the rows that they belong to."""
    columns = np.interp(found.critical, found.strengths, range(len(found.strengths)))
    return columns.tolist(), [float(row) for row in range(len(found.ratios))]


def _ink(value: float, reach: float) -> str:
    return "white" if abs(value) > 0.6 * reach else "black"
