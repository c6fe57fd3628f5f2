"""Training agents of one setting, here and in memory: `train`, for a script, a notebook or a test."""

from contextlib import closing
from typing import NamedTuple

import jax
import numpy as np
import polars as pl

from morphorl.config import devices
from morphorl.config.errors import SettingError, did_you_mean, quoted
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.none import NoDynamics
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.wrappers import Task
from morphorl.ppo import kernels
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.kernels import Kernel
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.studies import batch_training, memory_estimate, time_estimate
from morphorl.studies.batch_training import BatchResult
from morphorl.studies.batches import batches, programs
from morphorl.studies.progress import Progress
from morphorl.studies.run import Run
from morphorl.studies.runner import console_for
from morphorl.studies.store import tabulate
from morphorl.studies.study import Study


class TrainingResult(NamedTuple):
    """What `train` gives back."""

    agents: Agents
    """The trained agents, in the order of their seeds: what `evaluate` and `save_agents` take."""
    curves: pl.DataFrame
    """A row for each agent and update: `seed`, `env_steps`, `episode_return`, `greedy_return`, and more."""


def train(
    environment: str,
    *,
    dynamics: Dynamics | None = None,
    guidance: Guidance | None = None,
    blend: Blend | None = None,
    memory: Dynamics | None = None,
    task: Task | None = None,
    learned: Learned | None = None,
    kernel: Kernel = "xla",
    ppo: PPO | str = "standard",
    steps: int = 100_000,
    seeds: int = 16,
    first_seed: int = 0,
    evaluate_every: int = 2_000,
    evaluation_episodes: int = 8,
    progress: bool = True,
) -> TrainingResult:
    """Train a batch of agents with one setting, all at once.

    The agents and their curves are kept in memory alone. `run_study` keeps them in a folder, and can be stopped.

    Args:
        environment: an id, as `make_env` takes it.
        dynamics: the system beside the policy, one of ours or an instance of a class of your own. Without one, nothing
            is blended: plain PPO.
        guidance: the rule by which dynamics and memory are guided; without one they are not.
        blend: how the readout of the dynamics joins the logits; the post's weighted average if not given.
        memory: the system that shows the networks what it holds of the past; none if not given.
        task: what is put around the environment; nothing if not given.
        learned: which parameters of the dynamics PPO learns as well; none if not given.
        kernel: what computes the learning phase: `xla`, or the faster `fused` of the extra `fast`.
        ppo: PPO's settings, or the name of a preset of `PRESETS`.
        steps: environment steps of each agent's training.
        seeds: number of agents.
        first_seed: seed of the first agent, counting up from there: tune on other seeds than you report.
        evaluate_every: environment steps between two greedy evaluations during training (0: never).
        evaluation_episodes: episodes of each such evaluation.
        progress: whether to show how the training stands.

    Raises:
        SettingError: for a value that is not allowed, or a kernel that cannot be used here.

    Example:
        >>> trained = train("CartPole-v1", dynamics=ReactionDiffusion(), seeds=16)
        >>> trained.curves.group_by("env_steps").agg(pl.col("episode_return").mean())
    """
    preset = ppo if isinstance(ppo, str) else "standard"
    settings = Settings(
        environment=environment,
        steps=steps,
        evaluate_every=evaluate_every,
        evaluation_episodes=evaluation_episodes,
        ppo=_preset(ppo) if isinstance(ppo, str) else ppo,
        dynamics=ReactionDiffusion() if dynamics is None else dynamics,
        guidance=Blind() if guidance is None else guidance,
        blend=_blend(blend, dynamics),
        memory=NoDynamics() if memory is None else memory,
        task=Task() if task is None else task,
        learned=Learned() if learned is None else learned,
        kernel=kernel,
    )
    runs = as_study(settings, seeds, first_seed, preset).runs()
    return _collect(_train(runs, progress))


def as_study(settings: Settings, seeds: int, first_seed: int, preset: str) -> Study:
    """The study whose only arm has these settings; `preset` is a label."""
    arms = {"agent": settings}
    return Study("train", (settings.environment,), arms, seeds, first_seed, presets=(preset,), kernel=settings.kernel)


def _preset(name: str) -> PPO:
    if name not in PRESETS:
        hint = did_you_mean(name, list(PRESETS))
        raise SettingError(f"ppo = {quoted(name)}: must be PPO(…), or one of {', '.join(map(repr, PRESETS))}.{hint}")
    return PRESETS[name]


def _blend(blend: Blend | None, dynamics: Dynamics | None) -> Blend:
    if blend is None:
        return Blend(kind="none") if dynamics is None else Blend()
    if dynamics is None and blend.kind != "none":
        raise SettingError("dynamics = None: must be a system where `blend` is given, whose readout is blended.")
    return blend


def _train(runs: list[Run], progress: bool) -> list[tuple[list[Run], BatchResult]]:
    """Train all runs. What goes wrong is raised as it is: the fault may lie in dynamics of the user's own."""
    kernels.refuse_unavailable(runs[0].settings.kernel)
    memory_estimate.refuse_too_large(programs(runs), devices.batch_sizes()[0])
    pending = batches(runs, set(), *devices.batch_sizes())
    trained = []
    with (
        Progress(console_for(progress), runs, set()) as shown,
        closing(batch_training.local(pending, shown)) as outcomes,
    ):
        for batch, outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
            shown.finished(batch.runs)
            trained.append((batch.runs, outcome))
    time_estimate.remember(shown.speeds())
    return trained


def _collect(trained: list[tuple[list[Run], BatchResult]]) -> TrainingResult:
    runs = [run for of_batch, _ in trained for run in of_batch]
    arrays = jax.tree.map(lambda *parts: np.concatenate(parts), *(result.agents for _, result in trained))
    agents = Agents([run.settings for run in runs], [run.seed for run in runs], arrays)
    curves = pl.concat([tabulate(of_batch, result) for of_batch, result in trained])
    labels = {"preset": runs[0].preset, "environment": runs[0].settings.environment, "arm": runs[0].arm}
    return TrainingResult(
        agents, curves.select("run", *(pl.lit(value).alias(name) for name, value in labels.items()), pl.exclude("run"))
    )
