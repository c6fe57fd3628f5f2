"""A dynamical system beside any Gymnasium environment: wrappers that append what it says to the observation.

Whatever learns from Gymnasium environments (Stable-Baselines3, CleanRL, TorchRL, RLlib) gets the memory, without a
change of its own.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.base import Guidance
from morphorl.environments.append_options import (
    Options,
    Scale,
    appended,
    check_mask,
    check_seed,
    check_seeds,
    check_shape,
)
from morphorl.environments.appended import Append
from morphorl.environments.gymnasium_envs import autoreset_mode, vector_space
from morphorl.environments.parallel_systems import ParallelSystems
from morphorl.environments.single_system import SingleSystem


class CellObservation(gymnasium.Wrapper, RecordConstructorArgs):
    """Run a dynamical system beside an environment, and append what it says to the observation.

    It sees every observation once, those of resets too, and starts afresh with each episode (or as its `reset` says).

    Args:
        env: an environment whose observations are vectors.
        dynamics: without one, `LeakyIntegrators()`, whose differences [k₁·(x − m₁), k₂·(m₁ − m₂)] on every time scale
            are appended, as the trainer's `memory.kind` does.
        append: `memory`: what it shows the networks as memory. `readout`: one number for each column, what
            `BlendedPolicy` of Stable-Baselines3 blends into the logits. `state`: the arrays of its state. If not given,
            the readout, or what a system without one shows.
        columns: of a system that has some; one for each action if not given.
        scale: a factor for each feature before the system sees it (or one for all). States stay within their bound, and
            features of one size are told apart best.
        guidance: the system's guidance; none if not given.
        seed: decides the patterns, and what is drawn once and for all (a `memory` draws the same whatever the seed,
            as the trainer's does).

    Raises:
        SettingError: if observations are no vectors; the message says what to wrap. Later, from `reset` and `step`, for
            an observation that is not finite: the system has not seen it, remembers what it did before, and goes on
            with the next one (starting with it, if an episode's first one was lost). And in a process that was forked
            after JAX had started, whose threads do not survive that: `AsyncVectorEnv` needs `context="spawn"`.

    It can be pickled at any time, and then goes on exactly as it would have. A step is computed in Python, translated
    from the system's JAX program, which is several times as fast as calling that; what cannot be, runs in JAX.

    Example:
        >>> env = CellObservation(gymnasium.make("morphorl/StatelessCartPole-v1"), scale=(1, 5))
        >>> env.observation_space.shape
        (10,)
    """

    def __init__(
        self,
        env: gymnasium.Env,
        dynamics: Dynamics | None = None,
        *,
        append: Append | None = None,
        columns: int | None = None,
        scale: Scale = 1.0,
        guidance: Guidance | None = None,
        seed: int = 0,
    ):
        RecordConstructorArgs.__init__(
            self, dynamics=dynamics, append=append, columns=columns, scale=scale, guidance=guidance, seed=seed
        )
        gymnasium.Wrapper.__init__(self, env)
        space = vector_space(env.observation_space)
        options = Options(dynamics, append, columns, scale, guidance, seed)
        self.systems: ParallelSystems = SingleSystem(appended(space, env.action_space, options), int(seed))
        self.observation_space = _with_appended(space, self.systems)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        if seed is not None:
            check_seed(seed)
            self.systems.reseed(seed)
        observation, info = self.env.reset(seed=seed, options=options)
        return self._seen(observation, np.ones(1, bool)), info

    def step(self, action: Any):
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._seen(observation), reward, terminated, truncated, info

    def _seen(self, observation: Any, starts: np.ndarray | None = None) -> np.ndarray:
        return self.systems.see(check_shape(observation, (self.systems.features,))[None], starts)[0]


class VectorCellObservation(VectorWrapper, RecordConstructorArgs):
    """`CellObservation` for vector environments: a system for each, reset where its environment is.

    Right under every autoreset mode. NEXT_STEP: the step after an end returns a new episode's first observation, and
    the system starts afresh with it. SAME_STEP: `info["final_obs"]` has what the old state appends to the last
    observation of the episode, and the observation returned what the new one does. DISABLED:
    `options["reset_mask"]` says which.

    Args: those of `CellObservation`, for all environments alike.
    """

    def __init__(
        self,
        env: VectorEnv,
        dynamics: Dynamics | None = None,
        *,
        append: Append | None = None,
        columns: int | None = None,
        scale: Scale = 1.0,
        guidance: Guidance | None = None,
        seed: int = 0,
    ):
        RecordConstructorArgs.__init__(
            self, dynamics=dynamics, append=append, columns=columns, scale=scale, guidance=guidance, seed=seed
        )
        VectorWrapper.__init__(self, env)
        space = vector_space(env.single_observation_space)
        options = Options(dynamics, append, columns, scale, guidance, seed)
        self.systems = ParallelSystems(appended(space, env.single_action_space, options), env.num_envs, int(seed))
        self.single_observation_space = _with_appended(space, self.systems)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self.mode = autoreset_mode(env)
        self.ended = np.zeros(env.num_envs, bool)
        self.shape = env.num_envs, space.shape[0]

    def reset(self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None):
        mask = (options or {}).get("reset_mask")
        which = np.ones(self.num_envs, bool)
        if options is not None and mask is not None:
            which = check_mask(mask, self.num_envs)
            options = options | {"reset_mask": which.copy()}
        if seed is not None:
            check_seeds(seed, self.num_envs)
            self.systems.reseed(seed)
        observation, info = self.env.reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]
        self.ended = self.ended & ~which
        observation = check_shape(observation, self.shape)
        if which.all():
            return self.systems.see(observation, which), info
        return self.systems.restart(observation, which), info

    def step(self, actions: Any):
        observation, reward, terminated, truncated, info = self.env.step(actions)
        done = terminated | truncated
        starts, final = None, None
        if self.mode == AutoresetMode.SAME_STEP:
            starts = done
        if self.mode == AutoresetMode.NEXT_STEP:
            starts = self.ended
        self.ended = done
        observation = check_shape(observation, self.shape)
        if self.mode == AutoresetMode.SAME_STEP and done.any():
            final = self._final(info["final_obs"], observation, done)
            info = info | {"final_obs": _rows(self.systems.peek(final), done)}
        return self.systems.see(observation, starts, final), reward, terminated, truncated, info

    def _final(self, final: Any, observation: np.ndarray, done: np.ndarray) -> np.ndarray:
        """The last observations of the episodes that ended; of the others, the present ones."""
        last = np.array(observation, np.float32)
        for i in np.flatnonzero(done):
            last[i] = check_shape(final[i], self.shape[1:])
        return last


def _rows(values: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Some rows, as Gymnasium has them in `info`: an array of objects, None for the others."""
    rows = np.full(len(values), None, object)
    for i in np.flatnonzero(which):
        rows[i] = values[i]
    return rows


def _with_appended(space: spaces.Box, systems: ParallelSystems) -> spaces.Box:
    """The observation space with what the systems append."""
    most = np.full(systems.size, systems.appended.largest(), np.float32)
    low, high = (np.asarray(side, np.float32) for side in (space.low, space.high))
    return spaces.Box(np.concatenate([low, -most]), np.concatenate([high, most]), dtype=np.float32)
