"""Every figure of the paper as SVG: from docs/results, by the project's own code for figures."""

import json
from pathlib import Path

from post_values import the_map
from published import FULL, MEMORIES, NOISY, RESULTS, ROOT, Published, published

from morphorl.analysis.multiverse.readings import AXES
from morphorl.analysis.survival import Survival, censor, kaplan_meier
from morphorl.report.figures import multiverse_figure, pattern_map, study_figures
from morphorl.report.figures.specification_figure import Specified, specification_curve

SHOWN = ("rates", "PPO")
"""The axes of the multiverse below its curve."""


def everything(folder: Path) -> dict[str, str]:
    """The SVG of each figure by its name.

    Args:
        folder: where those are drawn that are not in docs already.
    """
    there = {
        "diagram": ROOT / "docs" / "diagram.svg",
        "arms": RESULTS / "rhythm" / "arms.svg",
        "delays": RESULTS / "horizon" / "delays.svg",
    }
    drawn = {"map": pattern_map_, "curve": curve, "survival": survival}
    for name, draw in drawn.items():
        draw(folder / name)
        there[name] = folder / f"{name}.svg"
    return {name: path.read_text() for name, path in there.items()}


def pattern_map_(path: Path) -> None:
    """Where the system harms under `standard`, over diffusion and guidance."""
    panels = {"standard": published("turing/map").scores.filter(preset="standard")}
    pattern_map.draw(the_map(), panels, FULL, path)


def curve(path: Path) -> None:
    """The effect of the strongest γ against γ = 0 in each reading of the post."""
    readings = json.loads((RESULTS / "multiverse" / "multiverse.json").read_text())["readings"]
    effects = [multiverse_figure.Effect(**one["effects"]["strongest"]["unguided"]) for one in readings]
    sides = [multiverse_figure.side(effect) for effect in effects]
    specified = [
        Specified(one["levels"], effect.value, effect.low, effect.high, multiverse_figure.COLOURS[side])
        for one, effect, side in zip(readings, effects, sides, strict=True)
    ]
    choices = [(axis.name, level) for axis in AXES if axis.name in SHOWN for level in axis.levels]
    legend = {f"interval {words}: {sides.count(words)}": colour for words, colour in multiverse_figure.COLOURS.items()}
    specification_curve(specified, choices, legend, "", path)


def survival(path: Path) -> None:
    """The share of runs not yet there, with five memories through noise."""
    study = published("memory/noisy")
    found = {arm: _followed(study, arm) for arm in MEMORIES.values()}
    study_figures.survival_curves(found, "", path, {}, "475")


def _followed(study: Published, arm: str) -> Survival:
    runs = study.runs(arm, "tuned", NOISY)
    return kaplan_meier(*censor(runs["steps_to_threshold"], float(study.study.steps)))
