"""The cell beside any Gymnasium environment: wrappers that append what it remembers to the observation.

Whatever learns from Gymnasium environments (Stable-Baselines3, CleanRL, TorchRL, RLlib) gets the cell's memory, without
a change of its own.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from jaxtyping import Array, Float

from morphorl.cell import Cell, CellState
from morphorl.errors import SettingError
from morphorl.guidance import Guidance

GAINS = (10.0, 3.0)
"""How much the two kinds of differences count. Both are small beside the observation; their scale matters most."""


def memory_cell(activator_decay: Sequence[float] = (0.9, 0.4), inhibitor_decay: Sequence[float] = (0.2, 0.05)) -> Cell:
    """A cell that remembers: each column's activator follows the observation at a rate of its own.

    With column k's decays μ_ak and μ_hk per environment step, and a weak reaction between the two (ρ = 0.005, ε = 1):

        a_k ← a_k + μ_ak·(x − a_k) + D_a·C(a) + ρ·a²/(|h| + ε),    h_k ← h_k − μ_hk·h_k + D_h·C(h) + ρ·a²

    So x − a_k is the observation less its own recent past, over 1/μ_ak steps. It starts from rest (both states 0). The
    defaults hold a velocity of StatelessCartPole-v1; they were chosen for it.
    """
    columns = len(activator_decay)
    sides = np.linspace(1.0, -1.0, columns)  # `cell.drive` pushes the columns this way; here all are to follow x
    if columns < 2 or columns % 2 or len(inhibitor_decay) != columns:
        raise SettingError(
            f"activator_decay = {tuple(activator_decay)!r}, inhibitor_decay = {tuple(inhibitor_decay)!r}: "
            "must be one number for each column, and an even number of columns."
        )
    decays = np.asarray([activator_decay], np.float32), np.asarray([inhibitor_decay], np.float32)  # (1, columns)
    cell = Cell(
        activator_diffusion=0.02,
        inhibitor_diffusion=0.08,
        activator_production=0.005,
        inhibitor_production=0.005,
        epsilon=1.0,
        initial_scale=0.0,
    )
    varied = (*decays, (decays[0] / sides).astype(np.float32))
    return eqx.tree_at(lambda c: (c.activator_decay, c.inhibitor_decay, c.drive), cell, varied)


class Beside(NamedTuple):
    """A cell as the wrappers run it: which one, how it is read, and how the observation reaches it."""

    cell: Cell
    append: str
    columns: int
    scale: Any
    """A factor for each feature before the cell sees it (or one for all)."""
    gains: tuple[float, float]
    guidance: Guidance

    def advance(
        self, states: CellState, observation: Float[Array, "envs features"]
    ) -> tuple[CellState, Float[Array, "envs appended"]]:
        """One step of parallel cells under their observations x: their states, and what is appended.

        - `features`: [k₁·(x − a_k), k₂·(a_k − h_k)] for every column k, a fixed reservoir;
        - `readout`: o_k = Σ_i w_i(x)·a_ik, one number for each column;
        - `state`: a and h, row by row.
        """
        seen = observation * jnp.broadcast_to(jnp.asarray(self.scale, jnp.float32), observation.shape[1:])[None]
        states, readout = jax.vmap(self.cell.step, in_axes=(0, 0, None))(states, seen, self.guidance)
        a, h = states
        parts = {
            "features": (self.gains[0] * (seen[:, :, None] - a), self.gains[1] * (a - h)),
            "readout": (readout,),
            "state": (a, h),
        }
        return states, jnp.concatenate([part.reshape(len(observation), -1) for part in parts[self.append]], axis=1)

    def most(self) -> float:
        """The largest absolute value that can be appended."""
        return float(self.cell.bound) if self.append == "state" else float("inf")

    def size(self, features: int) -> int:
        """How many numbers are appended."""
        return self.columns if self.append == "readout" else 2 * features * self.columns


class Cells:
    """Parallel cells outside any compiled program: they are told where episodes start, and step with NumPy arrays."""

    def __init__(self, beside: Beside, envs: int, features: int, seed: int):
        self.beside, self.seed, self.drawn, self.features = beside, seed, 0, features
        # One call on a compiled function of NumPy arrays costs about what an environment's step does.
        self._advance = jax.jit(beside.advance)
        self._draw = jax.jit(lambda key: beside.cell.init(key, (features, beside.columns)))
        first = self._fresh()
        self.initial = first
        self.states = jax.tree.map(lambda u: np.repeat(u[None], envs, axis=0), first)

    def reseed(self, seed: int) -> None:
        """Decide the patterns that are yet to be drawn (`cell.reset = "redraw"`)."""
        self.drawn = 1 + (seed << 20)

    def start(self, which: np.ndarray) -> None:
        """An episode starts where `which` holds: reset those cells as `cell.reset` says."""
        reset = self.beside.cell.reset
        if reset == "never" or not which.any():
            return
        states = jax.tree.map(np.array, self.states)
        for i in np.flatnonzero(which):
            for u, fresh in zip(states, self._fresh() if reset == "redraw" else self.initial, strict=True):
                u[i] = fresh
        self.states = states

    def see(self, observation: np.ndarray) -> np.ndarray:
        """Advance all cells, and append what they remember to their observations."""
        self.states, appended = self.peek(observation)
        return appended

    def peek(self, observation: np.ndarray) -> tuple[CellState, np.ndarray]:
        """What `see` would do, without doing it."""
        flat = np.asarray(observation, np.float32)
        states, appended = self._advance(self.states, flat)
        return states, np.concatenate([flat, np.asarray(appended)], axis=1)

    def _fresh(self) -> CellState:
        key = jax.random.fold_in(jax.random.key(self.seed), self.drawn % 2**32)
        self.drawn += 1
        return jax.tree.map(np.asarray, self._draw(key))


class CellObservation(gymnasium.Wrapper, RecordConstructorArgs):
    """Run a cell beside an environment, and append what it remembers to the observation.

    The cell sees every observation once, those of resets too, and is reset with each episode as `cell.reset` says.

    Args:
        env: an environment whose observations are vectors.
        cell: the cell; without one, `memory_cell()`, driven by the observation.
        append: `features`, the differences [k₁·(x − a), k₂·(a − h)]; `readout`, a number for each column (what
            `morphorl.sb3.BlendedPolicy` blends into the logits); or `state`, a and h themselves.
        columns: columns of the cell; without a number, one for each action, but for `features` one for each decay.
        scale: a factor for each feature before the cell sees it (or one for all): its states stay within
            ±`cell.bound`, and it tells features apart best if they are of one size.
        gains: k₁ and k₂.
        guidance: the guidance of the cell; none if not given.
        seed: decides the cell's pattern.

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
        cell: Cell | None = None,
        *,
        append: str = "features",
        columns: int | None = None,
        scale: Any = 1.0,
        gains: tuple[float, float] = GAINS,
        guidance: Guidance | None = None,
        seed: int = 0,
    ):
        RecordConstructorArgs.__init__(
            self, cell=cell, append=append, columns=columns, scale=scale, gains=gains, guidance=guidance, seed=seed
        )
        gymnasium.Wrapper.__init__(self, env)
        space = vector_space(env.observation_space)
        beside = _beside(space, env.action_space, cell, append, columns, scale, gains, guidance)
        self.observation_space = _appended(space, beside)
        self.cells = Cells(beside, 1, space.shape[0], seed)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self.cells.reseed(seed)
        self.cells.start(np.ones(1, bool))
        return self.cells.see(observation[None])[0], info

    def step(self, action: Any):
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self.cells.see(observation[None])[0], reward, terminated, truncated, info


class VectorCellObservation(VectorWrapper, RecordConstructorArgs):
    """`CellObservation` for vector environments: one cell for each, reset where its environment is.

    Right under every autoreset mode. NEXT_STEP: the step after an end returns a new episode's first observation, and
    the cell starts afresh with it. SAME_STEP: `info["final_obs"]` has what the old cell appends to the last observation
    of the episode, and the observation returned what the new one does. DISABLED: `options["reset_mask"]` says which.

    Args: those of `CellObservation`, for all environments alike.
    """

    def __init__(
        self,
        env: VectorEnv,
        cell: Cell | None = None,
        *,
        append: str = "features",
        columns: int | None = None,
        scale: Any = 1.0,
        gains: tuple[float, float] = GAINS,
        guidance: Guidance | None = None,
        seed: int = 0,
    ):
        RecordConstructorArgs.__init__(
            self, cell=cell, append=append, columns=columns, scale=scale, gains=gains, guidance=guidance, seed=seed
        )
        VectorWrapper.__init__(self, env)
        space = vector_space(env.single_observation_space)
        beside = _beside(space, env.single_action_space, cell, append, columns, scale, gains, guidance)
        self.single_observation_space = _appended(space, beside)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self.cells = Cells(beside, env.num_envs, space.shape[0], seed)
        self.mode = autoreset_mode(env)
        self.ended = np.zeros(env.num_envs, bool)

    def reset(self, *, seed: int | list[int] | None = None, options: dict[str, Any] | None = None):
        mask = (options or {}).get("reset_mask")
        which = np.ones(self.num_envs, bool) if mask is None else np.array(mask)
        observation, info = self.env.reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]
        if seed is not None:
            self.cells.reseed(seed if isinstance(seed, int) else hash(tuple(seed)) & 0xFFF)
        before = self.cells.states
        self.cells.start(which)
        seen = self.cells.see(observation)
        self.ended = self.ended & ~which
        if not which.all():  # the others' cells have seen their observation already
            chosen = which[:, None, None]
            self.cells.states = jax.tree.map(lambda new, old: np.where(chosen, new, old), self.cells.states, before)
            seen = np.where(which[:, None], seen, self.last)
        self.last = seen
        return seen, info

    def step(self, actions: Any):
        observation, reward, terminated, truncated, info = self.env.step(actions)
        done = terminated | truncated
        if self.mode == AutoresetMode.SAME_STEP and done.any():
            info = info | {"final_obs": self._final(info["final_obs"], observation, done)}
            self.cells.start(done)
        if self.mode == AutoresetMode.NEXT_STEP:
            self.cells.start(self.ended)
        self.ended = done
        self.last = self.cells.see(observation)
        return self.last, reward, terminated, truncated, info

    def _final(self, final: Any, observation: np.ndarray, done: np.ndarray) -> np.ndarray:
        """The last observations of the episodes that ended, with what their cells append; None for the others."""
        last = np.array(observation, np.float32)
        for i in np.flatnonzero(done):
            last[i] = final[i]
        appended = self.cells.peek(last)[1]
        told = np.full(self.num_envs, None, object)
        for i in np.flatnonzero(done):
            told[i] = appended[i]
        return told


def autoreset_mode(env: VectorEnv) -> AutoresetMode:
    """When a vector environment resets an environment whose episode has ended.

    Raises:
        SettingError: if it does not say so.
    """
    mode = env.metadata.get("autoreset_mode")
    if mode is None:
        raise SettingError(
            "env.metadata has no 'autoreset_mode': must be one of gymnasium.vector.AutoresetMode, which says when an "
            "environment resets after an episode's end."
        )
    return AutoresetMode(mode)


def vector_space(space: spaces.Space, name: str = "observation space") -> spaces.Box:
    """`space`, if it is one of vectors.

    Raises:
        SettingError: if not; the message says what to wrap.
    """
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return space
    if isinstance(space, spaces.Box) and len(space.shape) > 1:
        cure = (
            "images need a wrapper that makes features of them (gymnasium.wrappers.TransformObservation), or "
            "gymnasium.wrappers.FlattenObservation to take the pixels as they are"
        )
    elif isinstance(space, spaces.Dict):
        cure = "wrap the environment in gymnasium.wrappers.FlattenObservation (after FilterObservation, to choose keys)"
    else:
        cure = "wrap the environment in gymnasium.wrappers.FlattenObservation"
    raise SettingError(f"{name} = {space}: must be a Box of one dimension, a vector; {cure}.")


def _beside(
    space: spaces.Box,
    actions: spaces.Space,
    cell: Cell | None,
    append: str,
    columns: int | None,
    scale: Any,
    gains: tuple[float, float],
    guidance: Guidance | None,
) -> Beside:
    """Check what the wrappers were given, and fill in what they were not."""
    features = space.shape[0]
    if append not in ("features", "readout", "state"):
        raise SettingError(f"append = {append!r}: must be one of 'features', 'readout', 'state'.")
    cell = memory_cell() if cell is None else cell
    decays = np.size(cell.activator_decay)
    if columns is None:
        columns = decays if decays > 1 else _columns(actions)
    if decays not in (1, columns):
        raise SettingError(f"columns = {columns}: must be {decays}, since the cell has a decay for each column.")
    if np.shape(scale) not in ((), (features,)):
        raise SettingError(f"scale = {scale!r}: must be a number, or {features} of them, one for each feature.")
    return Beside(cell, append, columns, scale, gains, Guidance(kind="none") if guidance is None else guidance)


def _columns(actions: spaces.Space) -> int:
    if isinstance(actions, spaces.Discrete):
        return int(actions.n)
    if isinstance(actions, spaces.Box) and len(actions.shape) == 1:
        return actions.shape[0]
    raise SettingError(f"action space = {actions}: must be Discrete or a Box of one dimension, or `columns` be given.")


def _appended(space: spaces.Box, beside: Beside) -> spaces.Box:
    """The observation space with what the cell appends."""
    features = space.shape[0]
    most = np.full(beside.size(features), beside.most(), np.float32)
    low, high = (np.asarray(side, np.float32) for side in (space.low, space.high))
    return spaces.Box(np.concatenate([low, -most]), np.concatenate([high, most]), dtype=np.float32)
