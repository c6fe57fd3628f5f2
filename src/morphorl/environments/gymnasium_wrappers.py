"""A dynamical system beside any Gymnasium environment: wrappers that append what it says to the observation.

Whatever learns from Gymnasium environments (Stable-Baselines3, CleanRL, TorchRL, RLlib) gets the memory, without a
change of its own.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space

from morphorl.config.errors import SettingError
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.environments.gymnasium_envs import autoreset_mode, vector_space
from morphorl.environments.parallel_cells import Append, Beside, Cells, as_dynamics, as_memory


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
        SettingError: if observations are no vectors; the message says what to wrap.

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
        scale: Any = 1.0,
        guidance: Guidance | None = None,
        seed: int = 0,
    ):
        RecordConstructorArgs.__init__(
            self, dynamics=dynamics, append=append, columns=columns, scale=scale, guidance=guidance, seed=seed
        )
        gymnasium.Wrapper.__init__(self, env)
        space = vector_space(env.observation_space)
        seen = _beside(space, env.action_space, dynamics, append, columns, scale, guidance, seed)
        self.cells = Cells(seen, 1, space.shape[0], seed)
        self.observation_space = _appended(space, self.cells)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self.cells.reseed(seed)
        return self.cells.see(observation[None], np.ones(1, bool))[0], info

    def step(self, action: Any):
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self.cells.see(observation[None], np.zeros(1, bool))[0], reward, terminated, truncated, info


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
        scale: Any = 1.0,
        guidance: Guidance | None = None,
        seed: int = 0,
    ):
        RecordConstructorArgs.__init__(
            self, dynamics=dynamics, append=append, columns=columns, scale=scale, guidance=guidance, seed=seed
        )
        VectorWrapper.__init__(self, env)
        space = vector_space(env.single_observation_space)
        seen = _beside(space, env.single_action_space, dynamics, append, columns, scale, guidance, seed)
        self.cells = Cells(seen, env.num_envs, space.shape[0], seed)
        self.single_observation_space = _appended(space, self.cells)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self.mode = autoreset_mode(env)
        self.ended = np.zeros(env.num_envs, bool)

    def reset(self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None):
        mask = (options or {}).get("reset_mask")
        which = np.ones(self.num_envs, bool) if mask is None else np.array(mask)
        observation, info = self.env.reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]
        if seed is not None:
            self.cells.reseed(seed)
        before = self.cells.state
        seen = self.cells.see(observation, which)
        self.ended = self.ended & ~which
        if not which.all():  # the others' cells have seen their observation already

            def keep(new, old):
                return np.where(which.reshape(-1, *(1,) * (old.ndim - 1)), new, old)

            self.cells.state = jax.tree.map(keep, self.cells.state, before)
            seen = np.where(which[:, None], seen, self.last)
        self.last = seen
        return seen, info

    def step(self, actions: Any):
        observation, reward, terminated, truncated, info = self.env.step(actions)
        done = terminated | truncated
        starts = np.zeros(self.num_envs, bool)
        if self.mode == AutoresetMode.SAME_STEP and done.any():
            info = info | {"final_obs": self._final(info["final_obs"], observation, done)}
            starts = done
        if self.mode == AutoresetMode.NEXT_STEP:
            starts = self.ended
        self.ended = done
        self.last = self.cells.see(observation, starts)
        return self.last, reward, terminated, truncated, info

    def _final(self, final: Any, observation: np.ndarray, done: np.ndarray) -> np.ndarray:
        """The last observations of the episodes that ended, with what their cells append; None for the others."""
        last = np.array(observation, np.float32)
        for i in np.flatnonzero(done):
            last[i] = final[i]
        appended = self.cells.peek(last, np.zeros(self.num_envs, bool))[1]
        told = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(done):
            told[i] = appended[i]
        return told


def _beside(
    space: spaces.Box,
    actions: spaces.Space,
    dynamics: Dynamics | None,
    append: Append | None,
    columns: int | None,
    scale: Any,
    guidance: Guidance | None,
    seed: int,
) -> Beside:
    """Check what the wrappers were given, and fill in what they were not."""
    features = space.shape[0]
    if np.shape(scale) not in ((), (features,)):
        raise SettingError(f"scale = {scale!r}: must be a number, or {features} of them, one for each feature.")
    scale = jnp.broadcast_to(jnp.asarray(scale, jnp.float32), (features,))
    guidance = NoGuidance() if guidance is None else guidance
    if guidance.needs:
        raise SettingError(f"guidance.kind = {guidance.kind!r}: must be 'none' or 'blind'; no reward is known here.")
    system = LeakyIntegrators() if dynamics is None else dynamics
    if system.kind == "none":
        raise SettingError("dynamics.kind = 'none': must be a system that remembers something.")
    append = append or ("readout" if system.is_readable else "memory")
    if append not in ("readout", "state", "memory") or (append == "readout" and not system.is_readable):
        options = ["readout"] * system.is_readable + ["state", "memory"]
        raise SettingError(f"append = {append!r}: must be one of {', '.join(map(repr, options))}.")
    shape = features, _columns(actions) if columns is None else columns
    if type(system).noise is not Dynamics.noise or system.sees != "observation":
        raise SettingError(
            f"dynamics.kind = {system.kind!r}: must be a system that needs the observation alone, and no random "
            "numbers."
        )
    if append == "memory":
        return as_memory(system, guidance, scale, shape)
    return as_dynamics(system, guidance, scale, append, shape, seed)


def _columns(actions: spaces.Space) -> int:
    if isinstance(actions, spaces.Discrete):
        return int(actions.n)
    if isinstance(actions, spaces.Box) and len(actions.shape) == 1:
        return actions.shape[0]
    raise SettingError(f"action space = {actions}: must be Discrete or a Box of one dimension, or `columns` be given.")


def _appended(space: spaces.Box, cells: Cells) -> spaces.Box:
    """The observation space with what the system appends."""
    most = np.full(cells.size, cells.beside.most, np.float32)
    low, high = (np.asarray(side, np.float32) for side in (space.low, space.high))
    return spaces.Box(np.concatenate([low, -most]), np.concatenate([high, most]), dtype=np.float32)
