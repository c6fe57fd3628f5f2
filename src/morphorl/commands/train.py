"""`morphorl train`."""

import dataclasses
import sys
from typing import Annotated

import tyro
from rich.markup import escape

from morphorl.commands.shared import Folder, Preset, console, early_preset
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.control import Control
from morphorl.dynamics.gierer_meinhardt import FieldCell
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.memory import Memory
from morphorl.dynamics.reaction_diffusion import Cell
from morphorl.integrations import trackers
from morphorl.integrations.trackers import Tracker
from morphorl.ppo import checkpoints
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.report import summary
from morphorl.studies.runner import run
from morphorl.studies.store import Store
from morphorl.studies.study import Study


@dataclasses.dataclass
class Train:
    """Train a batch of agents with one setting; write their curves, and the agents themselves, into OUT.

    Without further options these are agents with the post's cell, blended in and unguided. `--guidance.strength 0.1`
    guides it, `--blend.kind none` trains plain PPO.
    """

    env: Annotated[str, tyro.conf.arg(metavar="ID")]
    """CartPole-v1, StatelessCartPole-v1, CartPoleNoVel-v1, a gymnax environment with discrete actions, or any of
    Gymnasium's as gym:ID."""
    out: Folder
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
    track: Tracker = "none"
    """Also send the curves to a tracker when they are written (extras of these names)."""
    guidance: Guidance = dataclasses.field(default_factory=Guidance)
    blend: Blend = dataclasses.field(default_factory=Blend)
    cell: Cell = dataclasses.field(default_factory=Cell)
    control: Control = dataclasses.field(default_factory=Control)
    field: FieldCell = dataclasses.field(default_factory=FieldCell)
    learned: Learned = dataclasses.field(default_factory=Learned)
    memory: Memory = dataclasses.field(default_factory=Memory)
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
            control=self.control,
            field=self.field,
            learned=self.learned,
            memory=self.memory,
        )
        study = Study("train", (self.env,), {"agent": settings}, self.seeds, self.first_seed, presets=(self.preset,))
        store = Store(self.out)
        trackers.check(self.track)
        if run(study, store, console, resume=self.resume, with_agents=True):
            sys.exit(1)
        checkpoints.save(store.agents(study), self.out)
        summary.write(study, store, console)
        trackers.send(self.track, study, store.curves(study), self.out)
        console.print(f"Evaluate the agents: morphorl eval {escape(str(self.out))}", soft_wrap=True)


def default() -> Train:
    """The options before the command line is read; `--preset` on it decides the defaults of the others."""
    ppo = PRESETS.get(early_preset() or "", PRESETS["standard"])
    return Train(env=tyro.MISSING, out=tyro.MISSING, ppo=ppo)
