"""Training on any Gymnasium environment: a loop in Python around the compiled agent, update and advantages.

Steps run on the host, one vector environment for all runs of a batch; acting and learning are the functions of the
pure path (`rollout.decide`, `training.improve`).
"""

import functools
from collections.abc import Callable
from contextlib import closing
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from jaxtyping import Array, Float, Key

from morphorl.config import random_streams
from morphorl.config.errors import SettingError
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import Environment
from morphorl.environments.gymnasium_envs import actions_of, autoreset_mode, vector, vector_space
from morphorl.environments.gymnasium_wrappers import VectorCellObservation
from morphorl.environments.wrappers import memory_of
from morphorl.ppo import reward_signals, schedules, training
from morphorl.ppo.agent import Agent, init_agent, spread
from morphorl.ppo.compatibility import check_host
from morphorl.ppo.rollout import Experience, RolloutState, chosen, decide, diagnosis, known_now
from morphorl.ppo.rollout_randomness import draw_pattern
from morphorl.ppo.settings import Settings


class Rollout(NamedTuple):
    """What a rollout on the host leads to: runs first, then time, then rows, then environments."""

    experience: Experience
    weight: np.ndarray
    """0 for rows in which an environment did nothing but reset (NEXT_STEP)."""


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


class Programs:
    """The compiled parts, each for all runs of a batch at once."""

    def __init__(self, env: Environment):
        def init(settings, seed, cell_seed):
            key = jax.random.fold_in(jax.random.key(random_streams.LEARNER), seed)
            cell_key = jax.random.fold_in(jax.random.key(random_streams.CELL), cell_seed)
            key_agent, _, key_updates = jax.random.split(key, 3)
            agent = init_agent(
                settings, env.num_features, env.num_actions, key_agent, cell_key, continuous=env.continuous
            )
            return training.untrained(settings, agent, None, key_updates)

        def act(settings, agent, rollout_state, key, greedy):
            known = known_now(settings, agent, rollout_state)
            seen = rollout_state.cells, rollout_state.observation, None
            cells, output, action = decide(settings, agent, *seen, key, greedy, known)
            return cells, action, output, diagnosis(settings, cells), known

        def remember(settings, agent, rollout_state, value, *step_taken):
            before = rollout_state.trace_state, rollout_state.observation, value
            return reward_signals.remember(settings, agent, *before, *step_taken)

        def reset(settings, agent, cells, done, episode_return, key):
            """Cells at the start of the next step, as a rollout within the program has them."""
            if settings.blend.kind == "none" or settings.dynamics.reset == "never":
                return cells
            fresh = jax.tree.map(lambda u: u[..., None], agent.pattern)
            if settings.dynamics.reset == "redraw":
                keys = jax.random.split(jax.random.fold_in(key, 2), done.size)  # `decide` has split this key in two
                fresh = jax.vmap(lambda key: draw_pattern(settings, env, key), out_axes=-1)(keys)
            if settings.guidance.decides:
                ended = done, episode_return, agent.performance, settings.dynamics.bounded
                return settings.guidance.at_end(cells, fresh, *ended)
            return chosen(done, fresh, cells)

        def improve(settings, state, rollout_state, experience, key, index, weight):
            return training.improve(settings, env, state, rollout_state, experience, key, index, weight=weight)

        def note(state, experience, greedy, index):
            return state._replace(curve=training.note(state.curve, index, experience, greedy))

        self.init = jax.jit(jax.vmap(init))
        self.no_traces = jax.jit(
            jax.vmap(lambda s, envs: reward_signals.begin(s, env.num_features, env.num_actions, envs), (0, None)),
            static_argnums=1,
        )
        self.scheduled = jax.jit(jax.vmap(schedules.scheduled, in_axes=(0, 0, None)))
        self.act = jax.jit(jax.vmap(act, in_axes=(0, 0, 0, 0, None)))
        self.remember = jax.jit(jax.vmap(remember))
        self.reset = jax.jit(jax.vmap(reset))
        self.chosen = jax.jit(jax.vmap(chosen))
        self.improve = jax.jit(jax.vmap(improve, in_axes=(0, 0, 0, 0, 0, None, 0)))
        self.note = jax.jit(jax.vmap(note, in_axes=(0, 0, 0, None)))
        self.keys = jax.jit(jax.vmap(lambda key, index: jax.random.split(jax.random.fold_in(key, index)), (0, None), 1))
        self.step_key = jax.jit(jax.vmap(jax.random.fold_in, (0, None)))
        self.spread = jax.jit(jax.vmap(spread, in_axes=(0, None)), static_argnums=1)


class Player:
    """A vector environment and the cells beside it: who resets when."""

    def __init__(self, envs: VectorEnv, programs: Programs, runs: int):
        self.envs, self.programs, self.runs = envs, programs, runs
        self.copies, self.mode = envs.num_envs // runs, autoreset_mode(envs)
        if self.mode == AutoresetMode.DISABLED:
            raise SettingError("autoreset_mode = DISABLED: must be NEXT_STEP or SAME_STEP to train in.")
        self.resetting = np.zeros((runs, self.copies), bool)
        self.dtype = envs.single_action_space.dtype
        self.range = actions_of("envs", envs.single_action_space)[1]

    def begin(self, settings: Settings, agent: Agent, seeds: np.ndarray, *, learns: bool) -> RolloutState:
        """Reset everything: each environment from a seed of its run and its place.

        Args:
            learns: whether there is a learning signal, as in training; an evaluation has none.
        """
        places = [np.random.SeedSequence([int(seed), i]) for seed in seeds for i in range(self.copies)]
        seed: Any = [int(place.generate_state(1)[0]) for place in places]
        observation, _ = self.envs.reset(seed=seed)
        cells = self.programs.spread(agent.pattern, self.copies)
        none_yet: Any = np.zeros((self.runs, self.copies), np.float32)
        traces = self.programs.no_traces(settings, self.copies) if learns else None
        sums = none_yet if settings.ppo.normalise_rewards else None
        return RolloutState(None, self._columns(observation), cells, none_yet, None, traces, sums)

    def collect(
        self, settings: Settings, agent: Agent, rollout_state: RolloutState, key: Key[Array, " runs"]
    ) -> tuple[RolloutState, Rollout]:
        """One rollout of every run."""
        rows, weights = [], []
        for time in range(settings.ppo.rollout_steps):
            rollout_state, row, weight = self.step(settings, agent, rollout_state, self.programs.step_key(key, time))
            rows.append(row)
            weights.append(weight)
        experience = jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *rows)
        return rollout_state, Rollout(experience, np.stack(weights, axis=1))

    def step(
        self,
        settings: Settings,
        agent: Agent,
        rollout_state: RolloutState,
        key: Key[Array, " runs"],
        greedy: bool = False,
    ) -> tuple[RolloutState, Experience, Float[np.ndarray, "runs copies"]]:
        """Act once in every environment.

        Under NEXT_STEP an environment whose episode has ended does nothing in its next step but reset. Neither the cell
        nor what guidance knows may see that step: both stay as they were.

        Returns:
            Where the environments stand now; what was seen and done, the runs on the first axis of every array and the
            copies on the last; and 0 for environments that did nothing but reset, else 1.
        """
        resetting, traces = self.resetting, rollout_state.trace_state
        if traces is not None and resetting.any():
            unknown = traces._replace(truncated=traces.truncated | resetting)
            shown = rollout_state._replace(trace_state=unknown)
        else:
            shown = rollout_state
        cells, action, output, at_bound, known = self.programs.act(settings, agent, shown, key, greedy)
        action = np.asarray(action)
        observation, reward, terminated, truncated, info = self.envs.step(self._executed(settings, action))
        final = self._final(observation, terminated | truncated, info)
        terminated, truncated = (self._rows(u).astype(bool) & ~resetting for u in (terminated, truncated))
        reward = np.where(resetting, 0.0, self._rows(reward)).astype(np.float32)
        episode_return = rollout_state.episode_return + reward
        if known is not None:
            step_taken = output, action, reward, terminated, truncated, episode_return
            traces = self.programs.remember(settings, agent, rollout_state, known.value, *step_taken)
        if resetting.any():
            before = rollout_state.cells, rollout_state.trace_state
            cells, traces = self.programs.chosen(resetting, before, (cells, traces))
        row: dict[str, Any] = {
            "observation": rollout_state.observation,
            "final_observation": self._columns(final),
            "logits": np.asarray(output.logits),
            "readout": np.asarray(output.readout),
            "action": action,
            "reward": reward,
            "terminated": terminated,
            "truncated": truncated,
            "episode_return": episode_return,
            "at_bound": np.asarray(at_bound),
            "td_error": None if known is None else np.asarray(known.td_error),
        }
        done = terminated | truncated
        if done.any():
            cells = self.programs.reset(settings, agent, cells, done, episode_return, key)
        self.resetting = done if self.mode == AutoresetMode.NEXT_STEP else np.zeros_like(done)
        after = RolloutState(
            env_state=None,
            observation=self._columns(observation),
            cells=cells,
            episode_return=np.where(done, 0.0, episode_return).astype(np.float32),  # pyright: ignore[reportArgumentType]
            trace_state=traces,
            discounted_sum=rollout_state.discounted_sum,
        )
        return after, Experience(**row), (~resetting).astype(np.float32)

    def _executed(self, settings: Settings, action: np.ndarray) -> np.ndarray:
        """Actions as the environments take them."""
        if self.range is None:
            return action.reshape(-1)
        flat = action.transpose(0, 2, 1).reshape(self.envs.num_envs, -1)
        return self.range.executed(np.tanh(flat) if settings.ppo.squash else flat).astype(self.dtype)

    def _final(self, observation: np.ndarray, done: np.ndarray, info: dict[str, Any]) -> np.ndarray:
        """What each action led to, before any reset."""
        if self.mode != AutoresetMode.SAME_STEP or not done.any():
            return observation
        final = np.array(observation, np.float32)
        for i in np.flatnonzero(done):
            final[i] = info["final_obs"][i]
        return final

    def _rows(self, values: Any) -> np.ndarray:
        return np.asarray(values).reshape(self.runs, self.copies)

    def _columns(self, observation: np.ndarray) -> Any:
        cut = np.asarray(observation, np.float32).reshape(self.runs, self.copies, -1)
        return np.ascontiguousarray(cut.transpose(0, 2, 1))


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


@functools.cache
def programs_for(features: int, actions: int, action_range: ActionRange | None) -> "Programs":
    """The compiled parts for agents of these sizes, made once a process."""
    # A time limit of 1 says that any step may be cut off: the value of what it led to is computed for each.
    return Programs(Environment("host", features, actions, 1, None, nothing, nothing, action_range))


def nothing(*_: Any) -> Any:
    raise AssertionError("a host environment is not stepped inside a program")
