"""Cells beside environments that no compiled program holds: told where episodes start, stepped with NumPy arrays."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from morphorl.dynamics import memory as _memory
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.memory import Memory
from morphorl.dynamics.reaction_diffusion import Cell


class Seen(NamedTuple):
    """What the wrappers run beside an environment, as pure functions of one observation.

    `begin(pattern, observation)` starts an episode, `advance(pattern, state, observation)` goes on; both give the new
    state and what is appended to the observation. `draw(key)` gives the pattern; `reset` is `cell.reset`.
    """

    begin: Callable[[Any, Any], tuple[Any, Any]]
    advance: Callable[[Any, Any, Any], tuple[Any, Any]]
    draw: Callable[[Any], Any]
    reset: str
    most: float
    """The largest absolute value that can be appended."""


def of_memory(memory: Memory, guidance: Guidance, scale: Any) -> Seen:
    """The memory of `morphorl.dynamics.memory`: it appends what the trainer's `memory.kind` adds to the observation."""

    def appended(memory, state, observation):
        return _memory.show(memory, state, scale * observation)[observation.size :]

    def begin(numbers, observation):
        state = _memory.start(numbers[0], scale * observation)
        return state, appended(numbers[0], state, observation)

    def advance(numbers, state, observation):
        shown = appended(numbers[0], state, observation)
        return _memory.remember(numbers[0], numbers[1], state, scale * observation), shown

    # The numbers of memory and guidance travel with each cell, so that parallel ones may differ in them.
    numbers = jax.tree.map(lambda u: jnp.asarray(u, jnp.float32), (memory, guidance))
    return Seen(begin, advance, lambda key: numbers, "episode", float("inf"))


def of_cell(cell: Cell, guidance: Guidance, scale: Any, append: str, shape: tuple[int, int]) -> Seen:
    """The post's cell, of shape (features, columns): it appends its readout, or its states a and h row by row."""

    def advance(_, state, observation):
        state, readout = cell.step(state, scale * observation, guidance)
        return state, readout if append == "readout" else jnp.concatenate([u.reshape(-1) for u in state])

    most = float(cell.bound) if append == "state" else float("inf")

    def begin(pattern, observation):
        return advance(pattern, pattern, observation)

    return Seen(begin, advance, lambda key: cell.init(key, shape), str(cell.reset), most)


class Cells:
    """Parallel cells outside any compiled program: they are told where episodes start, and step with NumPy arrays."""

    def __init__(self, seen: Seen, envs: int, features: int, seed: int):
        self.seen, self.seed, self.drawn = seen, seed, 0

        @jax.jit
        def step(pattern, state, starts, observation):
            begun = jax.vmap(seen.begin)(pattern, observation)
            after = jax.vmap(seen.advance)(pattern, state, observation)
            return jax.tree.map(lambda x, y: jnp.where(starts.reshape(-1, *(1,) * (y.ndim - 1)), x, y), begun, after)

        self._step, self._draw = step, jax.jit(seen.draw)
        initial = self._fresh()
        self.pattern = jax.tree.map(lambda u: np.repeat(u[None], envs, axis=0), initial)
        # Any state will do before the first episode, which starts from the pattern.
        like = jax.eval_shape(seen.begin, initial, jnp.zeros(features))
        self.state, appended = jax.tree.map(lambda u: np.zeros((envs, *u.shape), np.float32), like)
        self.size = appended.shape[1]
        self.started = np.zeros(envs, bool)

    def reseed(self, seed: int) -> None:
        """Decide the patterns that are yet to be drawn (`cell.reset = "redraw"`)."""
        self.drawn = 1 + (seed << 20)

    def see(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Advance all cells, afresh where an episode `starts`, and append what they say to their observations."""
        if self.seen.reset == "never":
            starts, self.started = starts & ~self.started, self.started | starts
        if self.seen.reset == "redraw":
            for i in np.flatnonzero(starts):
                for u, fresh in zip(jax.tree.leaves(self.pattern), jax.tree.leaves(self._fresh()), strict=True):
                    u[i] = fresh
        self.state, whole = self.peek(observation, starts)
        return whole

    def peek(self, observation: np.ndarray, starts: np.ndarray) -> tuple[Any, np.ndarray]:
        """What `see` would do, without doing it."""
        flat = np.asarray(observation, np.float32)
        state, appended = self._step(self.pattern, self.state, starts, flat)
        return state, np.concatenate([flat, np.asarray(appended)], axis=1)

    def _fresh(self) -> Any:
        key = jax.random.fold_in(jax.random.key(self.seed), self.drawn % 2**32)
        self.drawn += 1
        return jax.tree.map(np.asarray, self._draw(key))
