"""Episodes to look at: agents trained again, stopped at three points, and one episode of each, step by step."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.config import devices, random_streams
from morphorl.environments import registry
from morphorl.environments.base import CARTPOLES, Environment, EnvState
from morphorl.ppo import task
from morphorl.ppo.agent import Agent, shape_of
from morphorl.ppo.rollout import act, begin
from morphorl.ppo.settings import Settings
from morphorl.studies import batch_training, time_estimate
from morphorl.studies.batches import Stacked, batches, programs, stacked
from morphorl.studies.study import Run

STAGES = {"early": 0.05, "middle": 0.5, "final": 1.0}
"""The agents shown: those after this share of the training."""


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


def drawable(runs: list[Run]) -> list[Run]:
    """The runs of which a replay can be made: only CartPoles can be drawn."""
    return [run for run in runs if run.settings.environment in CARTPOLES]


def announcement(runs: list[Run]) -> str:
    """What making the replays of runs will take, in a sentence; empty if none of them can be drawn."""
    found = programs(drawable(runs))
    distinct = [run.settings for program in found for run in program.runs.values()]
    if not distinct:
        return ""
    left: dict[str, int] = defaultdict(int)
    for settings in distinct:
        left[time_estimate.kind(settings)] += time_estimate.work(settings)
    seconds = time_estimate.seconds(left, time_estimate.known_speeds()) + time_estimate.COMPILING * len(found)
    steps = sum(settings.updates * settings.ppo.batch for settings in distinct)
    agents = "1 agent is" if len(distinct) == 1 else f"{len(distinct)} agents are"
    return (
        f"{agents} trained again to be shown: {steps:,} environment steps, about {time_estimate.duration(seconds)}. "
        "--no-replay leaves them out."
    )


def replays(runs: list[Run], tell: Callable[[str], object] = lambda text: None) -> Iterator[Replay]:
    """Train runs again, and play one episode with each agent at each of `STAGES`.

    The programs are not those of the study (other numbers of runs), and so the bits may differ; the seeds are its own.
    """
    for batch in batches(drawable(runs), set(), *devices.batch_sizes()):
        first = batch.runs[0].settings
        tell(f"training {len(batch.runs)} agents of {first.environment} again, to show them")
        told = stacked(batch.runs, batch.mixed, batch.size)
        for stage, updates, agents in train_in_stages(first, told):
            played = _play(told.settings, agents, updates / first.updates, environment=first.environment)
            episodes = jax.tree.map(np.asarray, played)
            for i, run in enumerate(batch.runs):
                yield Replay(run, stage, updates, _cut(jax.tree.map(lambda u, i=i: u[i], episodes)))


def record(settings: Settings, env: Environment, agent: Agent, key: PRNGKeyArray) -> Episode:
    """Play one episode, with actions sampled as in training, and keep every step of it."""
    key_begin, key_action, key_steps, key_noise = jax.random.split(key, 4)
    rollout_state = begin(settings, env, agent, key_begin, 1)
    gumbel = jax.random.gumbel(key_action, (env.time_limit, env.num_actions, 1))
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


def train_in_stages(first: Settings, runs: Stacked) -> Iterator[tuple[str, int, Agent]]:
    """Train runs of one program as `batch_training.train_batch` does, and stop at every stage.

    Args:
        first: the settings of one of the runs.
    """
    program = batch_training.compile_program(jax.tree.structure(runs.settings), first.environment, len(runs.seeds))
    state, done = program.init(*runs), 0
    for stage, share in STAGES.items():
        stop = max(1, round(share * first.updates))
        state = program.advance(runs.settings, state, jnp.array(done), jnp.array(stop))
        done = stop
        yield stage, stop, state.agent


@partial(jax.jit, static_argnames="environment")
def _play(settings: Settings, agents: Agent, progress: float | Float[Array, ""], *, environment: str) -> Episode:
    """One episode of each agent; that of every agent starts from the same state, with the same chance."""
    env = registry.make_env(environment)

    def play(settings: Settings, agent: Agent) -> Episode:
        now, here = task.at(settings, env, agent.performance, progress)
        return record(now, here, agent, jax.random.key(random_streams.EPISODE))

    return jax.vmap(play)(settings, agents)


def _position(env_state: EnvState) -> Float[Array, "2"]:
    """Where cart and pole are. Sticky actions and memories keep CartPole's state beside theirs."""
    cartpole = env_state
    while type(cartpole) is tuple:
        cartpole = cartpole[0]
    return jnp.stack([cartpole.position[0], cartpole.angle[0]])


def _cut(episode: Episode) -> Episode:
    length = int(episode.alive.sum())
    return jax.tree.map(lambda array: np.asarray(array)[:length], episode)
