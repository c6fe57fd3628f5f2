"""One copy of any environment for a loop in Python: Gymnasium's own, or one in JAX as Gymnasium's."""

import os
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces

from morphorl.config.extras import need
from morphorl.environments import registry
from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import HOST_PREFIX, is_host


class Pure(gymnasium.Env):
    """One of the environments in JAX, for a loop in Python; it has no pictures."""

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, env_id: str):
        env = registry.make_env(env_id)
        self._reset, self._step = jax.jit(env.reset), jax.jit(env.step)
        self.observation_space = spaces.Box(-np.inf, np.inf, (env.num_features,), np.float32)
        self.action_space, self.range = spaces.Discrete(env.num_actions), env.action_range
        if self.range is not None:
            low, high = (np.array(side, np.float32) for side in self.range)
            self.action_space = spaces.Box(low, high, dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None):
        super().reset(seed=seed)
        self.state, observation = self._reset(self._key())
        return np.asarray(observation), {}

    def step(self, action: Any):
        action = action if self.range is None else self.range.offered(action)
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
    names = [env_id.removeprefix(HOST_PREFIX)] if is_host(env_id) else [f"morphorl/{env_id}", env_id]
    known = next((name for name in names if name in gymnasium.registry), None)
    if known is None:
        return Pure(env_id)
    if pictures:
        for driver in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER"):
            os.environ.setdefault(driver, "dummy")  # pictures need no screen, and nothing makes a sound
        need("render", "pygame", "watch")
    return gymnasium.make(known, render_mode="rgb_array" if pictures else None)


def executed(env: gymnasium.Env, action: np.ndarray, *, squash: bool) -> Any:
    """An action of an agent as the environment takes it; `squash` as in `ppo.squash`."""
    if isinstance(env.action_space, spaces.Box):
        return ActionRange.of(env.action_space).executed(np.tanh(action) if squash else action)
    return int(action)
