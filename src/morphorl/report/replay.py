"""Episodes to look at: one of each agent that a study keeps at three points of its training, step by step."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from morphorl.config import random_streams
from morphorl.environments import registry
from morphorl.environments.base import Environment, EnvState
from morphorl.ppo import task
from morphorl.ppo.agent import Agent, shape_of
from morphorl.ppo.rollout import act, begin
from morphorl.ppo.settings import Settings
from morphorl.studies import stages
from morphorl.studies.batches import programs, stacked
from morphorl.studies.run import Run
from morphorl.studies.stages import STAGES


class Episode(NamedTuple):
    """An episode of CartPole step by step, all arrays led by time; steps after its end repeat the last state.

    States and logits are those of the step's decision: the system has seen the observation, and its readout is blended.
    """

    position: Float[Array, "time 2"]
    """Of the cart (metres), and the pole's angle (radians, positive to the right)."""
    states: dict[str, Float[Array, "time rows columns"]]
    """Of the dynamics, as `Dynamics.picture` gives them."""
    network: Float[Array, "time actions"]
    readout: Float[Array, "time actions"]
    blended: Float[Array, "time actions"]
    action: Int[Array, " time"]
    alive: Bool[Array, " time"]
    """Whether the episode was still going on."""


class Replay(NamedTuple):
    """A run, and an episode of its agent at one stage of training, cut to its length (of NumPy arrays)."""

    run: Run
    stage: str
    updates: int
    episode: Episode


def replays(runs: Iterable[Run], agents: Mapping[str, Agent]) -> Iterator[Replay]:
    """Play one episode with each agent that a study keeps.

    Args:
        runs: of CartPoles; those without agents are left out.
        agents: by the ids of their runs, as `stored_agents.staged_agents` gives them.
    """
    for program in programs(run for run in runs if run.id in agents):
        shown = [run for run in program.runs.values() for _ in STAGES]
        first = shown[0].settings
        together = jax.tree.map(lambda *parts: np.concatenate(parts), *(agents[id] for id in program.runs))
        updates = stages.updates(first) * len(program.runs)
        progress = np.array(updates, np.float32) / first.updates
        settings = stacked(shown, program.mixed).settings
        episodes = jax.tree.map(np.asarray, _play(settings, together, progress, environment=first.environment))
        for i, (run, stage) in enumerate(zip(shown, itertools.cycle(STAGES), strict=False)):
            yield Replay(run, stage, updates[i], _cut(jax.tree.map(lambda u, i=i: u[i], episodes)))


def played(settings: Settings, agent: Agent, progress: float) -> Episode:
    """One episode of a single agent, in the environment and under the settings of a moment of its training.

    Args:
        progress: the share of the training that was over.
    """
    alone = jax.tree.map(lambda u: np.asarray(u)[None], (settings, agent, np.float32(progress)))
    episodes = _play(*alone, environment=settings.environment)
    return _cut(jax.tree.map(lambda u: np.asarray(u)[0], episodes))


def record(settings: Settings, env: Environment, agent: Agent, seed: int) -> Episode:
    """Play one episode, with actions sampled as in training, and keep every step of it.

    The numbers that sample the actions are NumPy's: JAX's would take a third of the time that compiling this takes.
    """
    key_begin, key_steps, key_noise = jax.random.split(jax.random.key(seed), 3)
    rollout_state = begin(settings, env, agent, key_begin, 1)
    gumbel = np.random.default_rng(seed).gumbel(size=(env.time_limit, env.num_actions, 1)).astype(np.float32)
    keys = jax.random.split(key_steps, (env.time_limit, 1))
    shape = shape_of(settings, env.num_features, env.num_actions)
    noise = settings.dynamics.noise(key_noise, shape, (env.time_limit, 1))

    def step(carry, chance):
        rollout_state, alive = carry
        gumbel, keys, noise = chance
        cells, output, action, after = act(settings, env, agent, rollout_state, noise, gumbel, keys)
        now = Episode(
            position=_position(rollout_state.env_state),
            states=settings.dynamics.picture(jax.tree.map(lambda u: u[..., 0], cells)),
            network=output.logits[:, 0],
            readout=output.readout[:, 0],
            blended=output.blended[:, 0],
            action=action[0],
            alive=alive,
        )
        following = rollout_state._replace(
            env_state=after.state, observation=after.observation, cells=cells, memory=output.memory
        )
        return (following, alive & ~(after.terminated | after.truncated)[0]), now

    return jax.lax.scan(step, (rollout_state, jnp.array(True)), (gumbel, keys, noise))[1]


@partial(jax.jit, static_argnames="environment", compiler_options={"xla_backend_optimization_level": 0})
def _play(settings: Settings, agents: Agent, progress: Float[Array, " agents"], *, environment: str) -> Episode:
    """One episode of each agent; that of every agent starts from the same state, with the same chance.

    Compiling takes most of the time, and so is done without the dear passes.
    """
    env = registry.make_env(environment)

    def play(settings: Settings, agent: Agent, progress: Float[Array, ""]) -> Episode:
        now, here = task.at(settings, env, agent.performance, progress)
        return record(now, here, agent, random_streams.EPISODE)

    return jax.vmap(play)(settings, agents, progress)


def _position(env_state: EnvState) -> Float[Array, "2"]:
    """Where cart and pole are. Sticky actions and memories keep CartPole's state beside theirs."""
    cartpole = env_state
    while type(cartpole) is tuple:
        cartpole = cartpole[0]
    return jnp.stack([cartpole.position[0], cartpole.angle[0]])


def _cut(episode: Episode) -> Episode:
    length = int(episode.alive.sum())
    return jax.tree.map(lambda array: np.asarray(array)[:length], episode)
