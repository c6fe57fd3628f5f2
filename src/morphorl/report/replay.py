"""Episodes to look at: agents trained again, stopped at three points, and one episode of each, step by step."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.config import random_streams
from morphorl.config.choices import mix
from morphorl.environments import registry
from morphorl.environments.base import CARTPOLES, Environment
from morphorl.ppo import task
from morphorl.ppo.agent import Agent, policy_step, shape_of
from morphorl.ppo.rollout import ENV_AXES, begin
from morphorl.ppo.schedules import scheduled
from morphorl.ppo.settings import Settings, stack
from morphorl.studies import batch_training
from morphorl.studies.study import Run, batches

STAGES = {"early": 0.05, "middle": 0.5, "final": 1.0}
"""The agents shown: those after this share of the training."""


class Episode(NamedTuple):
    """An episode of CartPole step by step, all arrays led by time; steps after its end repeat the last state.

    States and logits are those of the step's decision: the cell has seen the observation, and its readout is blended.
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


def replays(runs: list[Run], tell: Callable[[str], Any] = lambda text: None) -> Iterator[Replay]:
    """Train runs again, and play one episode with each agent at each of `STAGES`. Only CartPoles can be drawn.

    The programs are not those of the study (other numbers of runs), and so the bits may differ; the seeds are its own.
    """
    drawable = [run for run in runs if run.settings.environment in CARTPOLES]
    for batch in batches(drawable, set(), *batch_training.batch_sizes()):
        env = registry.make(batch.runs[0].settings.environment)
        tell(f"training {len(batch.runs)} agents of {env.id} again, to show them")
        padded = batch.runs + [batch.runs[-1]] * (batch.size - len(batch.runs))
        settings = stack([mix(run.settings, batch.mixed) for run in padded])
        play = jax.jit(jax.vmap(partial(_play, env), in_axes=(None, 0, 0)))
        for stage, updates, agents in train_in_stages(padded, settings):
            episodes = jax.tree.map(np.asarray, play(updates / batch.runs[0].settings.updates, settings, agents))
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
        cells, output = policy_step(
            settings, agent, rollout_state.cells, rollout_state.observation, rollout_state.memory, noise
        )
        action = jnp.argmax(output.blended + gumbel, axis=0)
        after = jax.vmap(env.step, out_axes=ENV_AXES)(keys, rollout_state.env_state, action)
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


def train_in_stages(runs: list[Run], settings: Settings) -> Iterator[tuple[str, int, Agent]]:
    """Train runs of one program as `batch_training.train_batch` does, and stop at every stage."""
    seeds, cell_seeds = (jnp.array([getattr(run, name) for run in runs]) for name in ("seed", "cell_seed"))
    first = runs[0].settings
    program = batch_training.compile_program(jax.tree.structure(settings), first.environment, len(runs))
    state, done = program.init(settings, seeds, cell_seeds), 0
    for stage, share in STAGES.items():
        stop = max(1, round(share * first.updates))
        state = program.advance(settings, state, jnp.array(done), jnp.array(stop))
        done = stop
        yield stage, stop, state.agent


def _play(env: Environment, progress: Any, settings: Settings, agent: Agent) -> Episode:
    """One episode; that of every agent starts from the same state, with the same chance."""
    settings = scheduled(settings, agent.performance, progress)
    return record(settings, task.around(settings, env), agent, jax.random.key(random_streams.EPISODE))


def _position(env_state: Any) -> Float[Array, "2"]:
    """Where cart and pole are. Sticky actions and memories keep CartPole's state beside theirs."""
    cartpole = env_state
    while type(cartpole) is tuple:
        cartpole = cartpole[0]
    return jnp.stack([cartpole.x[0], cartpole.theta[0]])


def _cut(episode: Episode) -> Episode:
    length = int(episode.alive.sum())
    return jax.tree.map(lambda array: np.asarray(array)[:length], episode)
