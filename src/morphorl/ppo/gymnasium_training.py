"""Training on any Gymnasium environment: a loop in Python around the compiled agent, update and advantages.

Steps run on the host, one vector environment for all runs of a batch; acting and learning are the functions of the
pure path (`rollout.decide`, `training.improve`).
"""

from collections.abc import Callable
from contextlib import closing

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import VectorEnv
from jaxtyping import Float

from morphorl.config import random_streams
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.environments.gymnasium_envs import actions_of, vector, vector_space
from morphorl.environments.gymnasium_wrappers import VectorCellObservation
from morphorl.environments.wrappers import memory_of
from morphorl.ppo import training
from morphorl.ppo.agent import Agent
from morphorl.ppo.compatibility import check_host
from morphorl.ppo.gymnasium_player import Player
from morphorl.ppo.gymnasium_programs import programs_for
from morphorl.ppo.settings import Settings


def train(
    settings: Settings,
    seeds: np.ndarray,
    cell_seeds: np.ndarray,
    envs: VectorEnv,
    evaluate: Callable[[Settings, Agent, int], np.ndarray] | None = None,
    advanced: Callable[[int, np.ndarray], None] = lambda updates, returns: None,
) -> training.TrainState:
    """Train a batch of runs in one vector environment, under whichever autoreset mode it has.

    Args:
        settings: of all runs, array-valued ones with a leading axis of runs (`settings.stack`).
        envs: the runs' environments, those of the first run first.
        evaluate: gives the greedy return of each run's agent under the settings of the moment; called as often as
            `evaluate_every` says.
        advanced: called after every update with its number and each run's latest episode return.

    Raises:
        SettingError: for settings that this loop lacks, or an autoreset mode in which nobody can train.
    """
    check_host(settings)
    envs = with_memory(settings, envs)
    runs, copies = len(seeds), settings.ppo.num_envs
    assert envs.num_envs == runs * copies, "one environment for each run and parallel copy"
    sizes = vector_space(envs.single_observation_space).shape[0], actions_of("envs", envs.single_action_space)
    programs = programs_for(sizes[0], *sizes[1])
    player = Player(envs, programs, runs)
    state = programs.init(settings, jnp.asarray(seeds), jnp.asarray(cell_seeds))
    state = state._replace(rollout_state=player.begin(settings, state.agent, seeds, learns=True))
    latest = np.full(runs, np.nan)
    interval = settings.evaluation_interval
    for index in range(settings.updates):
        keys = programs.keys(state.key, index)
        now = programs.scheduled(settings, state.agent.performance, index / settings.updates)
        rollout_state, rollout = player.collect(now, state.agent, state.rollout_state, keys[0])
        state = programs.improve(now, state, rollout_state, rollout.experience, keys[1], index, rollout.weight)
        greedy = np.full(runs, np.nan)
        if evaluate is not None and interval and (index + 1) % interval == 0:
            greedy = evaluate(now, state.agent, index)
        state = programs.note(state, rollout.experience, jnp.asarray(greedy, jnp.float32), index)
        returns = np.asarray(state.curve.episode_return[:, index])
        latest = np.where(np.isnan(returns), latest, returns)
        advanced(index + 1, latest)
    return state


def evaluate(
    settings: Settings, agents: Agent, environment: str, episodes: int, seed: int, *, greedy: bool
) -> np.ndarray:
    """Play whole episodes with the agents of a batch.

    Args:
        settings: those of the moment, array-valued ones with a leading axis of runs.

    Returns:
        Returns of shape (runs, episodes), each of the first episode of an environment of its own. Patterns are drawn
        afresh for each where training draws them so.
    """
    runs = agents.actor.biases[-1].shape[0]
    with closing(with_memory(settings, vector(environment, runs * episodes))) as envs:
        actions, action_range = actions_of(environment, envs.single_action_space)
        features = vector_space(envs.single_observation_space).shape[0]
        player = Player(envs, programs_for(features, actions, action_range), runs)
        return _played(settings, agents, player, episodes, seed, greedy=greedy)


def _played(
    settings: Settings, agents: Agent, player: Player, episodes: int, seed: int, *, greedy: bool
) -> Float[np.ndarray, "runs episodes"]:
    runs, programs = player.runs, player.programs
    rollout_state = player.begin(settings, agents, np.full(runs, 1_000_003 + seed), learns=False)
    alive, returns = np.ones((runs, episodes), bool), np.zeros((runs, episodes))
    key_start = jax.random.split(jax.random.fold_in(jax.random.key(random_streams.CELL), seed), runs)
    keys = jax.random.split(jax.random.fold_in(jax.random.key(random_streams.ACTING), seed), runs)
    if settings.dynamics.reset == "redraw" and not settings.guidance.decides:
        cells = programs.reset(settings, agents, rollout_state.cells, alive, returns, key_start)
        rollout_state = rollout_state._replace(cells=cells)
    time = 0
    while alive.any():
        rollout_state, row, _ = player.step(settings, agents, rollout_state, programs.step_key(keys, time), greedy)
        returns += alive * row.reward
        alive &= ~(row.terminated | row.truncated)
        time += 1
    return returns


def with_memory(settings: Settings, envs: VectorEnv) -> VectorEnv:
    """The environments as the agent sees them: with the memory of their observations, if `memory.kind` says so."""
    if settings.memory.kind == "none":
        return envs
    # A rule that knows more than a state is beside a memory that it does not guide.
    rule = NoGuidance(strength=settings.guidance.strength) if settings.guidance.needs else settings.guidance
    numbers = settings.memory, rule
    first = jax.tree.map(lambda u: float(u[0]), numbers)
    remembering = VectorCellObservation(envs, first[0], append="memory", guidance=first[1])
    # Every environment remembers with the numbers of its run.
    runs = np.size(settings.guidance.strength)
    shape = vector_space(envs.single_observation_space).shape[0], actions_of("envs", envs.single_action_space)[0]
    memories = jax.vmap(lambda memory, guidance: memory_of(memory, guidance, shape))(*numbers)
    copies = envs.num_envs // runs
    remembering.systems.start_from(jax.tree.map(lambda u: np.repeat(np.asarray(u), copies, axis=0), memories))
    return remembering
