"""`morphorl report`."""

import dataclasses
from pathlib import Path
from typing import Literal

from morphorl.commands.logs import LogOptions, Paths, one_study
from morphorl.commands.shared import Folder
from morphorl.config.errors import SettingError
from morphorl.config.jax_environment import refusing_wrong_variables


@dataclasses.dataclass
class Report(LogOptions):
    """Write report.html: verdicts, interactive charts and replays in one file that opens without a network.

    Of a study of morphorl's, into its folder; or of runs of another program, with figures for a paper beside it.
    """

    paths: Paths = ()
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote; or files and folders with the logs of another
    program."""
    replay: bool = True
    """Show what early, middle and final agents of a study do: those that the run kept of the first seed of each arm.
    Nothing is trained. --no-replay leaves them out."""
    against: str | None = None
    """For logs: the label of the arm that the others are compared with; the first one if not given."""
    statistic: Literal[
        "area_under_curve", "early_return", "early_greedy_return", "final_return", "final_greedy_return"
    ] = "area_under_curve"
    """For logs: which return arms are compared by, as in `morphorl compare`."""
    figures: bool = True
    """For logs: draw figures for a paper, PNG and SVG, beside the page. --no-figures leaves them out."""
    out: Folder = Path("morphorl-report")
    """For logs: the folder that is written. A study's report is written into its folder."""

    def __call__(self) -> None:
        study = one_study(self.paths)
        if study is None:
            from morphorl.commands import logs_report

            logs_report.write(self.load(self.paths), self.against, self.statistic, self.out, with_figures=self.figures)
            return
        self.refuse_for_a_study()
        if self.against is not None:
            raise SettingError("against: is for logs of other programs, and the path is a study of morphorl's.")
        with refusing_wrong_variables():  # JAX, which logs of others do without
            from morphorl.config.devices import start, use_all_cores

            use_all_cores()
            start()  # before gymnax is imported, which computes
            from morphorl.commands import study_report
        study_report.write(study, with_replays=self.replay)
