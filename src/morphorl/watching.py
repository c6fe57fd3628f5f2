"""Watching one agent: whole episodes, step by step, with the environment's own pictures beside what the cell does."""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces

from morphorl import companion, distribution, envs, replay
from morphorl.agent import spread, think
from morphorl.agents import Agents
from morphorl.extras import need
from morphorl.gym import CellObservation
from morphorl.host import PREFIX
from morphorl.performance import in_force

MOST_STEPS = 2_000
"""Steps of an episode that are kept."""


class Look(NamedTuple):
    """One step: what the agent saw, thought and did, and the picture before it did (height, width, RGB), if any."""

    observation: np.ndarray
    states: dict[str, np.ndarray]
    """Of the cell (or control), as `replay.matrices` gives them."""
    network: np.ndarray
    readout: np.ndarray
    blended: np.ndarray
    action: np.ndarray
    reward: float
    picture: np.ndarray | None


class Pure(gymnasium.Env):
    """One of the environments in JAX, for a loop in Python; it has no pictures."""

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, env_id: str):
        env = envs.make(env_id)
        self._reset, self._step = jax.jit(env.reset), jax.jit(env.step)
        self.observation_space = spaces.Box(-np.inf, np.inf, (env.num_features,), np.float32)
        self.action_space = spaces.Discrete(env.num_actions)

    def reset(self, *, seed: int | None = None, options: Any = None):
        super().reset(seed=seed)
        self.state, observation = self._reset(self._key())
        return np.asarray(observation), {}

    def step(self, action: Any):
        after = self._step(self._key(), self.state, jnp.asarray(action))
        self.state = after.state
        ends = bool(after.terminated), bool(after.truncated)
        return np.asarray(after.observation), float(after.reward), *ends, {}

    def _key(self) -> Any:
        return jax.random.key(int(self.np_random.integers(2**31)))


def single(env_id: str, *, pictures: bool = False) -> gymnasium.Env:
    """One copy of an environment: Gymnasium's own where it has one of that id, since that one can draw itself.

    Raises:
        SettingError: for pictures without the extra `render`.
    """
    names = [env_id.removeprefix(PREFIX)] if env_id.startswith(PREFIX) else [f"morphorl/{env_id}", env_id]
    known = next((name for name in names if name in gymnasium.registry), None)
    if known is None:
        return Pure(env_id)
    if pictures:
        for driver in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER"):
            os.environ.setdefault(driver, "dummy")  # pictures need no screen, and nothing makes a sound
        need("render", "pygame", "watch")
    return gymnasium.make(known, render_mode="rgb_array" if pictures else None)


def episode(agent: Agents, seed: int, *, pictures: bool, greedy: bool = False) -> Iterator[Look]:
    """Play one episode with the only agent of a batch, actions sampled as in training unless `greedy`."""
    settings = agent.settings[0]
    single_agent = jax.tree.map(lambda u: jnp.asarray(u)[0], agent.arrays)
    settings = in_force(settings, single_agent.performance, 1.0)
    env = single(settings.environment, pictures=pictures)
    actions = single_agent.actor.biases[-1].size
    shown = env if settings.memory.kind == "none" else CellObservation(env, settings.memory, guidance=settings.guidance)

    @jax.jit
    def act(cells, observation, memory, key):
        key_action, key_control = jax.random.split(key)
        chance = companion.draw_chance(settings, key_control, (), actions, 1)
        cells, thought = think(settings, single_agent, cells, observation[:, None], memory, chance)
        drawn = distribution.sample(key_action, thought.blended, single_agent.log_deviation)
        best = distribution.best(thought.blended, single_agent.log_deviation)
        return cells, thought, (best if greedy else drawn)[..., 0]

    cells = spread(single_agent.pattern, 1)
    memory = None if single_agent.core is None else jnp.zeros((single_agent.core.hidden_size, 1))
    observation, _ = shown.reset(seed=seed)
    for time in range(MOST_STEPS):
        cells, thought, action = act(
            cells, np.asarray(observation), memory, jax.random.fold_in(jax.random.key(seed), time)
        )
        memory = thought.memory
        picture: Any = env.render() if pictures and env.render_mode == "rgb_array" else None
        after, reward, terminated, truncated, _ = shown.step(executed(env, np.asarray(action)))
        network, readout, blended = (np.asarray(u)[:, 0] for u in (thought.logits, thought.readout, thought.blended))
        states = {} if settings.blend.kind == "none" else jax.tree.map(np.asarray, replay.matrices(cells, actions))
        yield Look(observation, states, network, readout, blended, np.asarray(action), float(reward), picture)
        observation = after
        if terminated or truncated:
            break
    env.close()


def executed(env: gymnasium.Env, action: np.ndarray) -> Any:
    """An action as the environment takes it: a continuous one clipped to its bounds."""
    if isinstance(env.action_space, spaces.Box):
        return np.clip(action, env.action_space.low, env.action_space.high)
    return int(action)
