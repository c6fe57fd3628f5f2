"""Systems beside environments that no compiled program holds: told where episodes start, stepped with NumPy arrays."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from morphorl.dynamics.base import Dynamics, Shape, call
from morphorl.dynamics.guidance.base import Guidance
from morphorl.environments.wrappers import Memory, memory_of

Append = Literal["readout", "state", "memory"]
"""What is appended to an observation: the system's `readout`, its `state`, or what it shows as `memory`."""


class Beside(NamedTuple):
    """What the wrappers run beside an environment, as pure functions of one observation.

    `begin(drawn, observation)` starts an episode, `advance(drawn, state, observation)` goes on; both give the new state
    and what is appended to the observation. `draw(key)` gives what both need; `reset` is the system's.
    """

    begin: Callable[[PyTree, Array], tuple[PyTree, Array]]
    advance: Callable[[PyTree, PyTree, Array], tuple[PyTree, Array]]
    draw: Callable[[Array], PyTree]
    reset: str
    most: float
    """The largest absolute value that can be appended."""


def as_memory(system: Dynamics, guidance: Guidance, scale: Float[Array, " features"], shape: Shape) -> Beside:
    """A memory, as the trainer's `memory.kind` adds it to the observation."""

    def appended(memory: Memory, state, observation):
        return memory.show(state, scale * observation)[observation.size :]

    def begin(memory: Memory, observation):
        state = memory.start(scale * observation)
        return state, appended(memory, state, observation)

    def advance(memory: Memory, state, observation):
        shown = appended(memory, state, observation)
        return memory.step(state, scale * observation), shown

    # The numbers of memory and guidance travel with each environment, so that parallel ones may differ in them.
    numbers = jax.tree.map(lambda u: jnp.asarray(u, jnp.float32), memory_of(system, guidance, shape))
    return Beside(begin, advance, lambda key: numbers, "episode", float("inf"))


def as_dynamics(
    system: Dynamics, guidance: Guidance, scale: Float[Array, " features"], append: Append, shape: Shape, seed: int
) -> Beside:
    """A system that appends its readout, or the arrays of its state row by row."""
    constants = system.constants(jax.random.key(seed), shape)

    def advance(_, state, observation):
        offered = {"constants": constants}
        seen = scale * observation
        state = call(system.step, offered, state, seen, guidance)
        if append == "readout":
            return state, call(system.read, offered, state, seen)
        return state, jnp.concatenate([u.reshape(-1) for u in jax.tree.leaves(state)])

    most = float(system.bounded(jnp.array(jnp.inf))) if append == "state" else float("inf")

    def begin(pattern, observation):
        return advance(pattern, pattern, observation)

    return Beside(begin, advance, lambda key: system.init(key, shape), str(system.reset), most)


class Cells:
    """Parallel cells outside any compiled program: they are told where episodes start, and step with NumPy arrays."""

    def __init__(self, beside: Beside, envs: int, features: int, seed: int):
        self.beside, self.seed, self.key, self.drawn = beside, seed, jax.random.key(seed), 0

        @jax.jit
        def step(pattern, state, starts, observation):
            begun = jax.vmap(beside.begin)(pattern, observation)
            after = jax.vmap(beside.advance)(pattern, state, observation)
            return jax.tree.map(lambda x, y: jnp.where(starts.reshape(-1, *(1,) * (y.ndim - 1)), x, y), begun, after)

        self._step, self._draw = step, jax.jit(beside.draw)
        initial = self._fresh()
        self.pattern = jax.tree.map(lambda u: np.repeat(u[None], envs, axis=0), initial)
        # Any state will do before the first episode, which starts from the pattern.
        like = jax.eval_shape(beside.begin, initial, jnp.zeros(features))
        self.state, appended = jax.tree.map(lambda u: np.zeros((envs, *u.shape), np.float32), like)
        self.size = appended.shape[1]
        self.started = np.zeros(envs, bool)

    def reseed(self, seed: int | Sequence[int | None]) -> None:
        """Decide the patterns that are yet to be drawn (`dynamics.reset = "redraw"`); any two seeds, or lists of some,
        draw others."""
        told = [None if one is None else int(one) for one in np.atleast_1d(np.array(seed, object))]
        self.key, self.drawn = jax.random.key(self.seed), 1
        for word in np.frombuffer(hashlib.sha256(repr(told).encode()).digest()[:16], "<u4"):
            self.key = jax.random.fold_in(self.key, word)

    def see(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Advance all cells, afresh where an episode `starts`, and append what they say to their observations."""
        if self.beside.reset == "never":
            starts, self.started = starts & ~self.started, self.started | starts
        if self.beside.reset == "redraw":
            for i in np.flatnonzero(starts):
                for u, fresh in zip(jax.tree.leaves(self.pattern), jax.tree.leaves(self._fresh()), strict=True):
                    u[i] = fresh
        self.state, whole = self.peek(observation, starts)
        return whole

    def peek(self, observation: np.ndarray, starts: np.ndarray) -> tuple[PyTree, np.ndarray]:
        """What `see` would do, without doing it."""
        flat = np.asarray(observation, np.float32)
        state, appended = self._step(self.pattern, self.state, starts, flat)
        return state, np.concatenate([flat, np.asarray(appended)], axis=1)

    def _fresh(self) -> PyTree:
        key = jax.random.fold_in(self.key, self.drawn)
        self.drawn += 1
        return jax.tree.map(np.asarray, self._draw(key))
