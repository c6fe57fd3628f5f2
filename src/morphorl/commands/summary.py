"""`morphorl summary`."""

import dataclasses

from morphorl.analysis import coverage
from morphorl.analysis.scores import load_scores
from morphorl.analysis.verdicts import folder_of
from morphorl.commands.shared import PositionalFolder, console
from morphorl.report import summary, tables


@dataclasses.dataclass
class Summary:
    """Compute a study's tables and verdicts again, from one row of scores for each run.

    Reads scores.parquet, which every published study keeps, or the runs themselves. Writes summary.json and
    verdicts.json where `morphorl run` did: the same scores give the same bytes.
    """

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote, or one of docs/results with scores.parquet."""

    def __call__(self) -> None:
        study, scores = load_scores(self.dir)
        tables.say(console, coverage.sentences(coverage.shortfalls(study, scores)))
        presets = [preset for preset in study.presets if len(scores.filter(preset=preset))]
        for preset in presets:
            folder = folder_of(self.dir, study, preset)
            folder.mkdir(exist_ok=True)
            summary.summarise(study, preset, scores, folder, console)
