"""Training on any Gymnasium environment: a loop in Python around the compiled agent, update and advantages.

An environment id that begins with `gym:` names Gymnasium's own environment. Its steps run on the host, one vector
environment for all runs of a batch; acting and learning are the functions of the pure path (`think`, `ppo.improve`).
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from morphorl import companion, distribution, ppo
from morphorl.agent import Agent, init_agent, spread, think
from morphorl.envs import Environment
from morphorl.errors import SettingError, did_you_mean
from morphorl.extras import missing
from morphorl.gym import VectorCellObservation, autoreset_mode, vector_space
from morphorl.rollout import Acting, Experience
from morphorl.settings import Settings

PREFIX = "gym:"
UNLIMITED = 1_000_000_000
"""Time limit of an environment that names none."""
ACTING_STREAM = 5


class Rollout(NamedTuple):
    """What a rollout on the host leads to: runs first, then time, then rows, then environments."""

    experience: Experience
    weight: np.ndarray
    """0 for rows in which an environment did nothing but reset (NEXT_STEP)."""


# --- The environment --------------------------------------------------------------------------------------------------


def is_host(env_id: str) -> bool:
    """Whether an id names an environment of Gymnasium's."""
    return env_id.startswith(PREFIX)


@functools.cache
def describe(env_id: str) -> Environment:
    """Sizes of a Gymnasium environment; its `reset` and `step` cannot be compiled, and refuse.

    Raises:
        SettingError: for an unknown id, an environment whose package is not installed, or spaces that no policy of
            ours has; the message says what to wrap or install.
    """
    env = _make(env_id)
    try:
        features = vector_space(env.observation_space, f"environment = {env_id!r}: its observation space").shape[0]
        actions, continuous = _actions(env_id, env.action_space)
        spec = env.spec
    finally:
        env.close()

    def refuse(*_):
        raise SettingError(f"environment = {env_id!r}: runs on the host; must be one in JAX here (without 'gym:').")

    limit = (spec and spec.max_episode_steps) or UNLIMITED
    threshold = spec.reward_threshold if spec else None
    return Environment(env_id, features, actions, limit, threshold, refuse, refuse, continuous)


def _make(env_id: str) -> gymnasium.Env:
    name = env_id.removeprefix(PREFIX)
    try:
        return gymnasium.make(name)
    except gymnasium.error.DependencyNotInstalled as error:
        extra = "box2d" if "ox2" in str(error) else None
        told = missing(extra, f"environment = {env_id!r}") if extra else f"environment = {env_id!r}: {error}."
        raise SettingError(told) from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        hint = did_you_mean(name, list(gymnasium.registry))
        raise SettingError(f"environment = {env_id!r}: must be an id registered with Gymnasium.{hint}") from error


def _actions(env_id: str, space: spaces.Space) -> tuple[int, bool]:
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return int(space.n), False
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return space.shape[0], True
    raise SettingError(
        f"environment = {env_id!r}: its action space is {space}; must be Discrete from 0, or a Box of one dimension. "
        "Wrap it (gymnasium.wrappers.TransformAction) and register the wrapped one."
    )


def check(settings: Settings) -> None:
    """Raise `SettingError` for settings that need what the host's loop does not have."""
    needs = {
        "ppo.network": (settings.ppo.network, ("mlp",)),
        "guidance.kind": (settings.guidance.kind, ("none", "blind")),
        "control.kind": (settings.control.kind, ("none", "sign", "noise", "reservoir")),
    }
    for name, (value, allowed) in needs.items():
        if value not in allowed:
            told = ", ".join(map(repr, allowed))
            raise SettingError(f"{name} = {value!r}: must be one of {told} for environments of Gymnasium's ('gym:').")


def vector(env_id: str, count: int, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> VectorEnv:
    """`count` copies of a Gymnasium environment, stepped one after the other in this process."""
    name = env_id.removeprefix(PREFIX)
    return gymnasium.make_vec(name, count, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})


def _with_memory(settings: Settings, envs: VectorEnv) -> VectorEnv:
    if settings.memory.kind == "none":
        return envs
    return VectorCellObservation(envs, settings.memory, guidance=settings.guidance)


# --- Training ---------------------------------------------------------------------------------------------------------


def train(
    settings: Settings,
    seeds: np.ndarray,
    cell_seeds: np.ndarray,
    envs: VectorEnv,
    evaluate: Callable[[Agent, int], np.ndarray] | None = None,
    advanced: Callable[[int, np.ndarray], None] = lambda updates, returns: None,
) -> ppo.TrainState:
    """Train a batch of runs in one vector environment, under whichever autoreset mode it has.

    Args:
        settings: of all runs, array-valued ones with a leading axis of runs (`engines.stack`).
        envs: the runs' environments, those of the first run first.
        evaluate: gives the greedy return of each run's agent; called as often as `evaluate_every` says.
        advanced: called after every update with its number and each run's latest episode return.
    """
    check(settings)
    envs = _with_memory(settings, envs)
    runs, copies = len(seeds), settings.ppo.num_envs
    assert envs.num_envs == runs * copies, "one environment for each run and parallel copy"
    sizes = envs.single_observation_space.shape[0], _actions("envs", envs.single_action_space)
    programs = _programs(sizes[0], *sizes[1])
    player = Player(envs, programs, settings, runs)
    state = programs.init(settings, jnp.asarray(seeds), jnp.asarray(cell_seeds))
    state = state._replace(acting=player.begin(state.agent, seeds))
    latest = np.full(runs, np.nan)
    interval = settings.evaluation_interval
    for index in range(settings.updates):
        keys = programs.keys(state.key, index)
        acting, rollout = player.collect(state.agent, state.acting, keys[0])
        state = programs.improve(settings, state, acting, rollout.experience, keys[1], index, rollout.weight)
        due = interval and (index + 1) % interval == 0 and evaluate
        greedy = evaluate(state.agent, index) if due else np.full(runs, np.nan)
        state = programs.note(state, rollout.experience, jnp.asarray(greedy, jnp.float32), index)
        now = np.asarray(state.curve.episode_return[:, index])
        latest = np.where(np.isnan(now), latest, now)
        advanced(index + 1, latest)
    return state


class Programs:
    """The compiled parts, each for all runs of a batch at once."""

    def __init__(self, env: Environment):
        def init(settings, seed, cell_seed):
            key = jax.random.fold_in(jax.random.key(ppo.LEARNER_STREAM), seed)
            cell_key = jax.random.fold_in(jax.random.key(ppo.CELL_STREAM), cell_seed)
            key_agent, _, key_updates = jax.random.split(key, 3)
            agent = init_agent(
                settings, env.num_features, env.num_actions, key_agent, cell_key, continuous=env.continuous
            )
            return ppo.untrained(settings, agent, None, key_updates)

        def act(settings, agent, cells, observation, key, greedy):
            key_action, key_control = jax.random.split(key)
            envs = observation.shape[1]
            chance = companion.draw_chance(settings, key_control, (), env.num_actions, envs)
            cells, thought = think(settings, agent, cells, observation, None, chance)
            drawn = distribution.sample(key_action, thought.blended, agent.log_deviation)
            action = jnp.where(greedy, distribution.best(thought.blended, agent.log_deviation), drawn)
            return cells, action, thought, companion.at_bound(settings, cells)

        def reset(settings, agent, cells, which, key):
            if settings.blend.kind == "none" or settings.cell.reset == "never":
                return cells
            fresh = spread(agent.pattern, which.size)
            if settings.cell.reset == "redraw":
                draw = functools.partial(
                    companion.draw_state, settings, features=env.num_features, actions=env.num_actions
                )
                fresh = jax.vmap(draw, out_axes=-1)(jax.random.split(key, which.size))
            return jax.tree.map(lambda new, u: jnp.where(which[(None,) * (u.ndim - 1)], new, u), fresh, cells)

        def improve(settings, state, acting, experience, key, index, weight):
            return ppo.improve(settings, env, state, acting, experience, key, index, weight)

        def note(state, experience, greedy, index):
            return state._replace(curve=ppo.note(state.curve, index, experience, greedy))

        self.init = jax.jit(jax.vmap(init))
        self.act = jax.jit(jax.vmap(act, in_axes=(0, 0, 0, 0, 0, None)))
        self.reset = jax.jit(jax.vmap(reset))
        self.improve = jax.jit(jax.vmap(improve, in_axes=(0, 0, 0, 0, 0, None, 0)))
        self.note = jax.jit(jax.vmap(note, in_axes=(0, 0, 0, None)))
        self.keys = jax.jit(jax.vmap(lambda key, index: jax.random.split(jax.random.fold_in(key, index)), (0, None), 1))
        self.spread = jax.jit(jax.vmap(spread, in_axes=(0, None)), static_argnums=1)


class Player:
    """A vector environment and the cells beside it: who resets when."""

    def __init__(self, envs: VectorEnv, programs: Programs, settings: Settings, runs: int):
        self.envs, self.programs, self.settings, self.runs = envs, programs, settings, runs
        self.copies, self.mode = envs.num_envs // runs, autoreset_mode(envs)
        if self.mode == AutoresetMode.DISABLED:
            raise SettingError("autoreset_mode = DISABLED: must be NEXT_STEP or SAME_STEP to train in.")
        self.resetting = np.zeros((runs, self.copies), bool)
        space = envs.single_action_space
        self.box = space if isinstance(space, spaces.Box) else None

    def begin(self, agent: Agent, seeds: np.ndarray) -> Acting:
        """Reset everything: each environment from a seed of its run and its place."""
        places = [np.random.SeedSequence([int(seed), i]) for seed in seeds for i in range(self.copies)]
        observation, _ = self.envs.reset(seed=[int(place.generate_state(1)[0]) for place in places])
        cells = self.programs.spread(agent.pattern, self.copies)
        nothing = np.zeros((self.runs, self.copies), np.float32)
        return Acting(None, self._columns(observation), cells, nothing)

    def collect(self, agent: Agent, acting: Acting, key: Any) -> tuple[Acting, Rollout]:
        """One rollout of every run."""
        rows, weights = [], []
        for time in range(self.settings.ppo.rollout_steps):
            acting, row, weight = self.step(agent, acting, jax.vmap(jax.random.fold_in, (0, None))(key, time))
            rows.append(row)
            weights.append(weight)
        experience = jax.tree.map(lambda *leaves: np.stack(leaves, axis=1), *rows)
        return acting, Rollout(experience, np.stack(weights, axis=1))

    def step(
        self, agent: Agent, acting: Acting, key: Any, greedy: bool = False
    ) -> tuple[Acting, Experience, np.ndarray]:
        """Act once in every environment."""
        resetting = self.resetting
        cells, action, thought, at_bound = self.programs.act(
            self.settings, agent, acting.cells, acting.observation, key, greedy
        )
        action = np.asarray(action)
        observation, reward, terminated, truncated, info = self.envs.step(self._executed(action))
        final = self._final(observation, terminated | truncated, info)
        terminated, truncated = (self._rows(u).astype(bool) & ~resetting for u in (terminated, truncated))
        reward = np.where(resetting, 0.0, self._rows(reward)).astype(np.float32)
        done = terminated | truncated
        episode_return = acting.episode_return + reward
        row = Experience(
            observation=acting.observation,
            final_observation=self._columns(final),
            logits=np.asarray(thought.logits),
            readout=np.asarray(thought.readout),
            action=action,
            reward=reward,
            terminated=terminated,
            truncated=truncated,
            episode_return=episode_return,
            at_bound=np.asarray(at_bound),
        )
        # Under NEXT_STEP the cell must not see the step that resets: it starts afresh after it (and again before it).
        starts = done | resetting
        if starts.any():
            cells = self.programs.reset(self.settings, agent, cells, starts, key)
        self.resetting = done if self.mode == AutoresetMode.NEXT_STEP else np.zeros_like(done)
        acting = Acting(None, self._columns(observation), cells, np.where(done, 0.0, episode_return).astype(np.float32))
        return acting, row, (~resetting).astype(np.float32)

    def _executed(self, action: np.ndarray) -> np.ndarray:
        """Actions as the environment takes them: continuous ones clipped to its bounds."""
        if self.box is None:
            return action.reshape(-1)
        flat = action.transpose(0, 2, 1).reshape(self.envs.num_envs, -1)
        return np.clip(flat, self.box.low, self.box.high).astype(self.box.dtype)

    def _final(self, observation: np.ndarray, done: np.ndarray, info: dict[str, Any]) -> np.ndarray:
        """What each action led to, before any reset."""
        if self.mode != AutoresetMode.SAME_STEP or not done.any():
            return observation
        final = np.array(observation, np.float32)
        for i in np.flatnonzero(done):
            final[i] = info["final_obs"][i]
        return final

    def _rows(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(values).reshape(self.runs, self.copies)

    def _columns(self, observation: np.ndarray) -> np.ndarray:
        cut = np.asarray(observation, np.float32).reshape(self.runs, self.copies, -1)
        return np.ascontiguousarray(cut.transpose(0, 2, 1))


def evaluate(
    settings: Settings, agents: Agent, environment: str, episodes: int, seed: int, *, greedy: bool
) -> np.ndarray:
    """Play whole episodes with the agents of a batch.

    Args:
        settings: array-valued ones with a leading axis of runs.

    Returns:
        Returns of shape (runs, episodes), each of the first episode of an environment of its own.
    """
    runs = agents.actor.biases[-1].shape[0]
    envs = _with_memory(settings, vector(environment, runs * episodes))
    actions, continuous = _actions(environment, envs.single_action_space)
    features = envs.single_observation_space.shape[0]
    programs = _programs(features, actions, continuous)
    player = Player(envs, programs, settings, runs)
    acting = player.begin(agents, np.full(runs, 1_000_003 + seed))
    alive, returns = np.ones((runs, episodes), bool), np.zeros((runs, episodes))
    keys = jax.random.split(jax.random.fold_in(jax.random.key(ACTING_STREAM), seed), runs)
    time = 0
    while alive.any():
        acting, row, _ = player.step(agents, acting, jax.vmap(jax.random.fold_in, (0, None))(keys, time), greedy)
        returns += alive * row.reward
        alive &= ~(row.terminated | row.truncated)
        time += 1
    envs.close()
    return returns


@functools.cache
def _programs(features: int, actions: int, continuous: bool) -> "Programs":
    # A time limit of 1 says that any step may be cut off: the value of what it led to is computed for each.
    return Programs(Environment("host", features, actions, 1, None, _nothing, _nothing, continuous))


def _nothing(*_: Any) -> Any:
    raise AssertionError("a host environment is not stepped inside a program")
