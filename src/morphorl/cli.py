"""Put a dynamical system beside a policy, train hundreds of agents at once, and see whether it helps."""

import argparse
import dataclasses
import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.markup import escape

from morphorl import agents, engines, results
from morphorl.agents import AgentsError
from morphorl.blend import Blend
from morphorl.cell import Cell
from morphorl.checks import SettingError
from morphorl.commands import pde
from morphorl.guidance import Guidance
from morphorl.run import run
from morphorl.settings import PPO, PRESETS, Settings
from morphorl.store import Store, StoreError
from morphorl.study import Study, blind_dynamics

Preset = Literal["standard", "tuned"]
Out = Annotated[Path, tyro.conf.arg(metavar="DIR")]
_either = tyro.conf.create_mutex_group(required=False)

console = Console()
errors = Console(stderr=True)


@dataclasses.dataclass
class Reproduce:
    """Run the post's whole experiment and show what comes out.

    Plain PPO, a scale-matched zero readout, and blind guidance of five strengths, on CartPole-v1 and
    StatelessCartPole-v1, with common seeds. Writes curves.parquet, figures/, summary.json and study.json into OUT.
    """

    seeds: int = 32
    """Runs per arm and environment."""
    steps: int = 100_000
    """Environment steps of each run."""
    preset: Preset = "standard"
    """PPO's settings: `standard` are widely published ones, `tuned` those that we found on other seeds."""
    out: Out = Path("runs/reproduce")
    """Where everything is written. A folder that holds the same study goes on where it stopped."""
    resume: bool = True
    """Keep the finished runs that OUT holds; with --no-resume they are done again."""

    def __call__(self) -> None:
        study = blind_dynamics(self.seeds, self.steps, PRESETS[self.preset])
        store = Store(self.out)
        run(study, store, console, resume=self.resume)
        results.write(study, store, console)


@dataclasses.dataclass
class Train:
    """Train a batch of agents with one setting; write their curves, and the agents themselves, into OUT.

    Without further options these are agents with the post's cell, blended in and unguided. `--guidance.strength 0.1`
    guides it, `--blend.kind none` trains plain PPO.
    """

    env: Annotated[str, tyro.conf.arg(metavar="ID")]
    """CartPole-v1, StatelessCartPole-v1, CartPoleNoVel-v1, or a gymnax environment with discrete actions."""
    out: Out
    """Where everything is written. A folder that holds the same training goes on where it stopped."""
    seeds: int = 16
    """Number of agents."""
    first_seed: int = 0
    """Seed of the first agent, counting up from there: tune on other seeds than you report."""
    steps: int = 100_000
    """Environment steps of each agent's training."""
    preset: Preset = "standard"
    """PPO's settings, to start from; --ppo.… options change them one by one."""
    evaluate_every: int = 2_000
    """Environment steps between two greedy evaluations during training (0: never)."""
    evaluation_episodes: int = 8
    """Episodes of each such evaluation."""
    resume: bool = True
    """Keep the finished runs that OUT holds; with --no-resume they are done again."""
    guidance: Guidance = dataclasses.field(default_factory=Guidance)
    blend: Blend = dataclasses.field(default_factory=Blend)
    cell: Cell = dataclasses.field(default_factory=Cell)
    ppo: PPO = dataclasses.field(default_factory=PPO)

    def __call__(self) -> None:
        settings = Settings(
            environment=self.env,
            steps=self.steps,
            evaluate_every=self.evaluate_every,
            evaluation_episodes=self.evaluation_episodes,
            ppo=self.ppo,
            cell=self.cell,
            guidance=self.guidance,
            blend=self.blend,
        )
        study = Study("train", (self.env,), {"agent": settings}, self.seeds, self.first_seed)
        store = Store(self.out)
        run(study, store, console, resume=self.resume, with_agents=True)
        agents.save(store.agents(study), self.out)
        results.write(study, store, console)
        console.print(f"Evaluate the agents: morphorl eval {escape(str(self.out))}", soft_wrap=True)


@dataclasses.dataclass
class Eval:
    """Evaluate trained agents: load what `morphorl train` wrote, and play whole episodes."""

    dir: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
    """The folder that `morphorl train --out` wrote."""
    episodes: int = 100
    """Episodes of each agent."""
    greedy: Annotated[bool, _either, tyro.conf.FlagCreatePairsOff] = False
    """Take the most probable action (the default)."""
    stochastic: Annotated[bool, _either, tyro.conf.FlagCreatePairsOff] = False
    """Sample actions, as in training."""

    def __call__(self) -> None:
        if self.episodes < 1:
            raise SettingError(f"episodes = {self.episodes}: must be a whole number of at least 1.")
        batch = agents.load(self.dir)
        with console.status(f"evaluating {len(batch.seeds)} agents"):
            returns = engines.evaluate_agents(batch.settings, batch.arrays, self.episodes, greedy=not self.stochastic)
        results.write_evaluation(batch, returns, self.dir, console, greedy=not self.stochastic)


def main() -> None:
    """Entry point: parse, run, and turn what can go wrong into one sentence and an exit code."""
    try:
        _parse()()
    except (SettingError, StoreError, AgentsError) as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print("Stopped. Finished batches are kept; go on with:", highlight=False)
        console.print(f"  morphorl {escape(shlex.join(sys.argv[1:]))}", soft_wrap=True, highlight=False)
        sys.exit(130)


def _parse() -> Reproduce | Train | Eval | pde.Pde:
    """The command on the command line. `--preset` is read first, for it decides the defaults of the other options."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--preset")
    preset = early.parse_known_args()[0].preset
    ppo = PRESETS.get(preset, PRESETS["standard"])
    commands = {
        "reproduce": Reproduce(),
        "train": Train(env=tyro.MISSING, out=tyro.MISSING, ppo=ppo),
        "eval": Eval(dir=tyro.MISSING),
        "pde": pde.default(preset),
    }
    name, arguments = (sys.argv[1:2] or [""])[0], sys.argv[2:]
    if name in commands:  # parsed on its own, for errors that name the option and not the way to it
        return tyro.cli(type(commands[name]), default=commands[name], args=arguments, prog=f"morphorl {name}")
    return tyro.cli(tyro.extras.subcommand_type_from_defaults(commands), prog="morphorl", description=__doc__)
