"""`morphorl compare`."""

import dataclasses
from typing import Literal

from morphorl.commands.logs import LogOptions, Paths, one_study
from morphorl.commands.shared import Folder
from morphorl.config.errors import SettingError
from morphorl.config.jax_environment import refusing_wrong_variables


@dataclasses.dataclass
class Compare(LogOptions):
    """Compare every arm with one of them: differences, probabilities, steps, and what chance would do.

    Of a study of morphorl's, or of runs of another program: folders with logs of Stable-Baselines3, TensorBoard,
    Ray Tune, Weights & Biases and others, or tables. How those were read is printed first.

    For a return: the difference of the arms' IQMs (paired by seed) with its 95% interval, and the probability that a
    run of the arm beats one of the other. For the steps to the threshold: the median, its ratio to the other arm's with
    its interval, and the log-rank test. p-values are adjusted for the number of comparisons; fewer than 8 seeds tell
    nothing. Says in which settings two arms of a study differ. Writes comparisons.json.
    """

    paths: Paths = ()
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote, or one of docs/results with scores.parquet; or
    files and folders with the logs of another program."""
    against: str | None = None
    """The label of the arm that the others are compared with; plain PPO, or the first one, if not given."""
    statistic: Literal[
        "area_under_curve", "early_return", "early_greedy_return", "final_return", "final_greedy_return"
    ] = "area_under_curve"
    """Which return: the mean over the training, its first fifth (sampled, or of greedy evaluations), its last tenth, or
    the last greedy evaluation's."""
    power: bool = False
    """For logs: say how many seeds would be needed to find the effect that is seen, by simulation from the runs."""
    out: Folder | None = None
    """For logs: where comparisons.json is written; nowhere, if not given. A study's is written into its folder."""

    def __call__(self) -> None:
        study = one_study(self.paths)
        if study is None:
            from morphorl.commands import logs_comparison

            logs_comparison.show(
                self.load(self.paths), self.against, self.statistic, self.paths, power=self.power, out=self.out
            )
            return
        self.refuse_for_a_study()
        if self.power or self.out is not None:
            raise SettingError("power, out: are for logs of other programs, and the path is a study of morphorl's.")
        with refusing_wrong_variables():
            from morphorl.commands import study_comparison  # JAX, which logs of others do without
        study_comparison.show(study, self.against, self.statistic)
