"""`morphorl train`."""

import dataclasses
import sys
from typing import Annotated

import tyro

from morphorl.commands.shared import Folder, Preset, console, early, trust_module
from morphorl.config import kinds
from morphorl.config.errors import SettingError
from morphorl.config.kinds import Kind
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.none import NoDynamics
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.base import module_of
from morphorl.environments.wrappers import Task
from morphorl.integrations import trackers
from morphorl.integrations.trackers import Tracker
from morphorl.ppo import checkpoints
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.report import summary
from morphorl.studies import one_setting, results, stored_agents
from morphorl.studies.kernel_choice import KernelOption, with_kernel
from morphorl.studies.runner import run_study
from morphorl.studies.store import Store


@dataclasses.dataclass
class Train:
    """Train a batch of agents with one setting; write their curves, and the agents themselves, into OUT.

    Without further options these are agents with the post's dynamics, blended in and unguided. `--guidance.strength
    0.1` guides them, `--blend.kind none` trains plain PPO. `--dynamics.kind NAME`, `--guidance.kind NAME` and
    `--memory.kind NAME` choose others; with one of them this help lists its settings.
    """

    env: Annotated[str, tyro.conf.arg(metavar="ID")]
    """CartPole-v1, StatelessCartPole-v1, CartPoleNoVel-v1, another of ours (such as TMaze-10 or
    popgym-RepeatFirstEasy-v0), any of gymnax, MODULE:NAME for one in JAX of your own, or any of Gymnasium's as
    gym:ID."""
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
    kernel: KernelOption = "auto"
    """What computes the learning phase: `xla` anywhere, `fused` faster on processors with AVX2 (extra `fast`). `auto`
    keeps the one that OUT was begun with; in a new OUT it is `fused` from three million environment steps on."""
    resume: bool = True
    """Keep the finished runs that OUT holds; with --no-resume they are done again."""
    track: Tracker = "none"
    """Also send the curves to a tracker when they are written (extras of these names)."""
    dynamics_kind: Annotated[str, tyro.conf.arg(name="dynamics.kind", metavar="NAME")] = "reaction_diffusion"
    """The system beside the policy: one of ours (`morphorl check` lists them), or MODULE:CLASS for one of your own."""
    guidance_kind: Annotated[str, tyro.conf.arg(name="guidance.kind", metavar="NAME")] = "blind"
    """The rule of guidance: one of ours, or MODULE:CLASS."""
    memory_kind: Annotated[str, tyro.conf.arg(name="memory.kind", metavar="NAME")] = "none"
    """The system that shows the networks what it holds of the past: one of ours, or MODULE:CLASS."""
    dynamics: Dynamics = dataclasses.field(default_factory=ReactionDiffusion)
    guidance: Guidance = dataclasses.field(default_factory=Blind)
    memory: Dynamics = dataclasses.field(default_factory=NoDynamics)
    blend: Blend = dataclasses.field(default_factory=Blend)
    task: Task = dataclasses.field(default_factory=Task)
    learned: Learned = dataclasses.field(default_factory=Learned)
    ppo: PPO = dataclasses.field(default_factory=PPO)

    def __call__(self) -> None:
        if (module := module_of(self.env)) is not None:  # to type a module's name is to trust it
            trust_module(module)
        settings = Settings(
            environment=self.env,
            steps=self.steps,
            evaluate_every=self.evaluate_every,
            evaluation_episodes=self.evaluation_episodes,
            ppo=self.ppo,
            dynamics=self.dynamics,
            guidance=self.guidance,
            memory=self.memory,
            blend=self.blend,
            task=self.task,
            learned=self.learned,
        )
        study = one_setting.as_study(settings, self.seeds, self.first_seed, self.preset)
        study = with_kernel(study, self.out, self.kernel)
        trackers.check(self.track)
        if run_study(study, self.out, resume=self.resume, with_agents=True):
            sys.exit(1)
        store = Store(self.out)
        checkpoints.save_agents(stored_agents.trained_agents(store, study.runs()), self.out)
        summary.write(study, store, console)
        trackers.send(self.track, study, store.curves(study), self.out)
        told = f"Evaluate the agents: morphorl eval {self.out!s}{results.trusting(study)}"
        console.print(told, soft_wrap=True)


def default(arguments: list[str]) -> Train:
    """The options before the command line is read; `--preset` and the kinds on it decide the defaults of the others."""
    ppo = PRESETS.get(early(arguments, "--preset") or "", PRESETS["standard"])
    return Train(
        env=tyro.MISSING,
        out=tyro.MISSING,
        ppo=ppo,
        dynamics=_chosen(arguments, Dynamics, "dynamics", ReactionDiffusion),
        guidance=_chosen(arguments, Guidance, "guidance", Blind),
        memory=_chosen(arguments, Dynamics, "memory", NoDynamics),
    )


def _chosen[K: Kind](arguments: list[str], base: type[K], table: str, usual: type[K]) -> K:
    """What `--TABLE.kind` names, with its settings as they are by default. Typing a module's name is to trust it."""
    name = early(arguments, f"--{table}.kind")
    if name is None:
        return usual()
    if kinds.is_foreign(name):
        trust_module(name.partition(":")[0])
    try:
        return kinds.resolve(base, name)()
    except SettingError as error:
        raise SettingError(f"{table}.{error}") from error
