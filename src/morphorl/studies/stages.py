"""The agents that a study keeps for the replays of its report: one seed of each arm, at three points of training."""

from morphorl.environments.base import CARTPOLES
from morphorl.ppo.settings import Settings
from morphorl.studies.run import Run
from morphorl.studies.study import Study

STAGES = {"early": 0.05, "middle": 0.5, "final": 1.0}
"""The agents kept: those after this share of the training."""

MOST_RUNS = 50
"""Runs of a study whose agents are kept: 5 MB for networks of 64-64 units, and 150 episodes in the report."""


def first_runs(study: Study) -> list[Run]:
    """The runs whose agents are kept: the first seed of every arm, of the first arms as many as fit.

    Only CartPoles can be drawn: a study of other environments keeps no agents.
    """
    drawn = [environment for environment in study.environments if environment in CARTPOLES]
    arms = MOST_RUNS // (len(study.presets) * len(drawn)) if drawn else 0
    labels = set(list(study.expand(study.presets[0]))[: max(1, arms)])
    seed = study.first_seed
    return [
        run
        for run in study.iterate()
        if run.seed == run.cell_seed == seed and run.arm in labels and run.settings.environment in drawn
    ]


def updates(settings: Settings) -> list[int]:
    """The updates after which the agents of a run are kept, in the order of `STAGES`."""
    return [max(1, round(share * settings.updates)) for share in STAGES.values()]
