"""`morphorl eval`."""

import dataclasses
from typing import Annotated

import tyro

from morphorl.commands.shared import PositionalFolder, console, trust_module
from morphorl.config.errors import SettingError
from morphorl.environments.base import module_of
from morphorl.ppo import checkpoints, evaluation
from morphorl.report import summary

_either = tyro.conf.create_mutex_group(required=False)


@dataclasses.dataclass
class Eval:
    """Evaluate trained agents: load what `morphorl train` wrote, and play whole episodes."""

    dir: PositionalFolder
    """The folder that `morphorl train --out` wrote."""
    episodes: int = 100
    """Episodes of each agent."""
    greedy: Annotated[bool, _either, tyro.conf.FlagCreatePairsOff] = False
    """Take the most probable action (the default)."""
    stochastic: Annotated[bool, _either, tyro.conf.FlagCreatePairsOff] = False
    """Sample actions, as in training."""
    env: Annotated[str | None, tyro.conf.arg(metavar="ID")] = None
    """Where to play, if not where they were trained: agents of TMaze-10 can be tested in TMaze-100."""

    def __call__(self) -> None:
        if self.episodes < 1:
            raise SettingError(f"episodes = {self.episodes}: must be a whole number of at least 1.")
        if self.env is not None and (module := module_of(self.env)) is not None:  # to type its name is to trust it
            trust_module(module)
        batch = checkpoints.load_agents(self.dir)
        with console.status(f"evaluating {len(batch.seeds)} agents"):
            returns = evaluation.evaluate(batch, self.episodes, greedy=not self.stochastic, environment=self.env)
        summary.write_evaluation(batch, returns, self.dir, console, greedy=not self.stochastic, environment=self.env)
