"""`morphorl figures`."""

import dataclasses
import re
from pathlib import Path

import polars as pl

from morphorl.analysis import coverage, interpretations, scores, verdicts
from morphorl.analysis.learning_curves import attempt
from morphorl.commands.shared import PositionalFolder, console
from morphorl.environments import registry
from morphorl.report import summary, tables
from morphorl.report.figures import canvas, pattern_map, specification_figure, study_figures
from morphorl.studies import results
from morphorl.studies.study import Study


@dataclasses.dataclass
class Figures:
    """Draw a study's figures, each as PNG and SVG fit for a paper, into DIR/figures.

    Learning curves, survival until the threshold, early return against γ, the luck of few seeds, and for several
    readings of the post a specification curve for each claim. A study that sweeps diffusion and guidance gets a map of
    where the cell harms beside the linear theory. Each preset of a study of several has its own folder.
    """

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote."""

    def __call__(self) -> None:
        (study, _), curves = results.curves(self.dir)
        table = scores.table(curves)
        for preset in study.presets:
            folder = verdicts.folder_of(self.dir, study, preset) / "figures"
            with console.status(f"{preset}: computing intervals and drawing figures"):
                told = _draw(study, preset, curves.filter(preset=preset), table, folder)
            for name, why in told.items():
                what = str(folder / f"{name}.png") if why is None else f"{name}: not drawn: {why}"
                console.print(what, soft_wrap=True)
        self._draw_maps(study, table)
        tables.say(console, coverage.sentences(coverage.shortfalls(study, table)))

    def _draw_maps(self, study: Study, table: pl.DataFrame) -> None:
        """The map of a study that sweeps diffusion and guidance, one figure for each environment."""
        for environment in table["environment"].unique(maintain_order=True):
            found = pattern_map.find(study.expand(study.presets[0]), environment)
            if found is None:
                continue
            panels = {preset: table.filter(preset=preset, environment=environment) for preset in study.presets}
            path = self.dir / "figures" / f"{summary.file_name(environment)}_map"
            missing = coverage.shortfalls(study, table, environment=environment)
            with canvas.with_footnote(coverage.sentences(missing)):
                why = attempt(pattern_map.draw, found, panels, environment, path)
            what = f"{path}.png" if why is None else f"{path.name}: not drawn: {why}"
            console.print(what, soft_wrap=True)


def _draw(study: Study, preset: str, curves: pl.DataFrame, table: pl.DataFrame, folder: Path) -> dict[str, str | None]:
    """Every figure of one preset, by name: None where it was drawn, or why it was not.

    Args:
        curves: rows of this preset.
        table: the scores of all of the study's runs.
    """
    labelled = study.expand(preset)
    strengths, rival = interpretations.strengths(labelled), interpretations.rival(labelled)
    judged = verdicts.load(folder.parent, study, preset, table)
    told: dict[str, str | None] = {}
    if len(labelled) <= summary.MOST_LINES:
        for environment in curves["environment"].unique(maintain_order=True):
            rows, path = curves.filter(environment=environment), folder / summary.file_name(environment)
            threshold = registry.make_env(environment).threshold
            missing = coverage.shortfalls(study, table, preset, environment)
            with canvas.with_footnote(coverage.sentences(missing)):
                told |= study_figures.draw_all(rows, f"{environment}, {preset}", path, strengths, rival, threshold)
    else:
        told["learning curves and the like"] = f"{len(labelled)} arms are too many for one figure."
    metrics = {verdict.claim: verdict.metric for one in judged for verdict in one.verdicts}
    for claim, metric in metrics.items() if len(judged) > 1 else ():
        words = re.sub(r"\W+", "_", claim.replace("γ = 0", "unguided").lower()).strip("_")
        name, title = f"readings_{words}", f"{claim}, {preset}: {metric}"
        with canvas.with_footnote(coverage.sentences(coverage.shortfalls(study, table, preset))):
            told[name] = attempt(specification_figure.specification, judged, claim, title, folder / name)
    return told
