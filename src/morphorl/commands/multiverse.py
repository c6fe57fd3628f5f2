"""`morphorl multiverse`."""

import dataclasses
from pathlib import Path

import polars as pl

from morphorl.analysis import coverage
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.multiverse import effects as multiverse_effects
from morphorl.analysis.multiverse.effects import Effects
from morphorl.analysis.scores import load_scores
from morphorl.commands.shared import PositionalFolder, console
from morphorl.config.errors import SettingError
from morphorl.config.files import finite_or_none, write_json
from morphorl.report import multiverse_report, tables
from morphorl.report.figures import canvas, multiverse_figure
from morphorl.report.multiverse_report import SHOWN, Regressions
from morphorl.studies.study import Study


@dataclasses.dataclass
class Multiverse:
    """Which of the post's open choices carry the effect of guidance? A regression over the readings of `multiverse`.

    For each reading: what its strongest γ, and its best one, gain on γ = 0, on plain PPO and on a readout of zeros.
    Then, of every axis of the multiverse, the share of the variance over readings that it explains, a permutation test,
    and how far each level lies from the mean. Writes multiverse.json, and figures/multiverse_….png and .svg.
    """

    dir: PositionalFolder
    """A folder that `morphorl run multiverse` wrote."""

    def __call__(self) -> None:
        study, scores = load_scores(self.dir)
        if len(study.presets) * len(study.environments) > 1:
            raise SettingError("presets, environments: must be one of each; PPO is an axis of the multiverse.")
        try:
            with console.status("resampling and permuting"):
                effects, found = _analyse(study, scores)
        except EvidenceError as error:
            raise SettingError(f"dir = {str(self.dir)!r}: {error}") from error
        missing = coverage.shortfalls(study, scores)
        content = multiverse_report.to_plain(effects, found) | coverage.to_plain(missing)
        write_json(self.dir / "multiverse.json", finite_or_none(content))
        told = coverage.sentences(missing)
        with console.status("drawing figures"), canvas.with_footnote(told):
            _draw(effects, found, self.dir / "figures")
        for choice, rival in effects.outcomes:
            told = multiverse_report.sentence(effects, choice, rival)
            console.print(told, soft_wrap=True)
        for note in effects.notes:
            console.print(f"{note}.", soft_wrap=True)
        console.print(multiverse_report.axis_table(found), multiverse_report.level_table(found))
        tables.say(console, told)
        console.print(f"Results: {self.dir}", soft_wrap=True)


def _analyse(study: Study, scores: pl.DataFrame) -> tuple[Effects, Regressions]:
    effects = multiverse_effects.effects(study.expand(study.presets[0]), scores, study.environments[0])
    return effects, multiverse_report.regressions(effects)


def _draw(effects: Effects, found: Regressions, folder: Path) -> None:
    levels = [one.levels for one in effects.members]
    words = {}
    for name, (choice, rival) in SHOWN.items():
        words[name] = f"{choice} γ against {multiverse_report.AGAINST[rival]}"
        outcome, path = effects.outcomes[choice, rival], folder / f"multiverse_{name}"
        multiverse_figure.specification(levels, outcome.effects, words[name], path)
    shown = {words[name]: found[key] for name, key in SHOWN.items()}
    multiverse_figure.variance(shown, "What the choices of a reading explain", folder / "multiverse_variance")
