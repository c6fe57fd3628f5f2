"""`morphorl eval`."""

import dataclasses
from typing import Annotated

import tyro

from morphorl.commands.shared import PositionalFolder, console, following, trust_module
from morphorl.config.errors import SettingError
from morphorl.config.sealed import write_sealed_table
from morphorl.environments.base import module_of
from morphorl.ppo import checkpoints, evaluation
from morphorl.report import elsewhere_table, summary
from morphorl.studies import elsewhere, results
from morphorl.studies.store import Store

_either = tyro.conf.create_mutex_group(required=False)


@dataclasses.dataclass
class Eval:
    """Evaluate trained agents: load what `morphorl train` or `morphorl run --agents` wrote, and play whole episodes."""

    dir: PositionalFolder
    """The folder that `morphorl train --out` or `morphorl run --agents` wrote."""
    episodes: int = 100
    """Episodes of each agent."""
    greedy: Annotated[bool, _either, tyro.conf.FlagCreatePairsOff] = False
    """Take the most probable action (the default)."""
    stochastic: Annotated[bool, _either, tyro.conf.FlagCreatePairsOff] = False
    """Sample actions, as in training."""
    env: Annotated[tuple[str, ...], tyro.conf.arg(metavar="ID …")] = ()
    """Where to play, if not where they were trained: agents of TMaze-10 can be tested in TMaze-100."""

    def __call__(self) -> None:
        if self.episodes < 1:
            raise SettingError(f"episodes = {self.episodes}: must be a whole number of at least 1.")
        for name in self.env:
            if (module := module_of(name)) is not None:  # to type its name is to trust it
                trust_module(module)
        of_a_study = (self.dir / "study.json").exists() and not (self.dir / "agents.json").exists()
        (self._play_study if of_a_study else self._play_batch)()

    def _play_batch(self) -> None:
        """The agents of `morphorl train`, which are all of one kind."""
        batch = checkpoints.load_agents(self.dir)
        for environment in self.env or (None,):
            with console.status(f"evaluating {len(batch.seeds)} agents"):
                returns = evaluation.evaluate(batch, self.episodes, greedy=not self.stochastic, environment=environment)
            told = {"greedy": not self.stochastic, "environment": environment}
            summary.write_evaluation(batch, returns, self.dir, console, **told)

    def _play_study(self) -> None:
        """The agents of a study, arm by arm."""
        study = results.load(self.dir).study
        with following() as follow:
            played = elsewhere.play(
                Store(self.dir),
                study,
                self.env or study.environments,
                self.episodes,
                greedy=not self.stochastic,
                follow=follow,
            )
        write_sealed_table(self.dir / elsewhere.FILE, played)
        elsewhere_table.show(played, console)
        console.print(f"Scores of every seed: {self.dir / elsewhere.FILE}", soft_wrap=True)
