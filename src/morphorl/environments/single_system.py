"""One system beside one environment, stepped in Python: to call a compiled program would take most of the time."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, PyTree

from morphorl.config.devices import refuse_after_fork
from morphorl.dynamics.base import State
from morphorl.environments.appended import Appended
from morphorl.environments.parallel_systems import ParallelSystems, Some
from morphorl.environments.scalar_program import Program, scalar_program

LARGEST = 1e30
"""Numbers beyond it are left to JAX, whose float32 ends at 3.4·10³⁸."""


class Numbers(NamedTuple):
    """A state as the numbers of its arrays, one array after the other."""

    values: list[float]


class SingleSystem(ParallelSystems):
    """`ParallelSystems` for one environment, at several times the rate.

    What the system does is translated from its JAX program (`scalar_program`), and computed in double precision, so
    that it agrees with JAX up to the rounding of float32. What cannot be translated runs in JAX: the whole system if it
    needs an operation that is not known or very many of them, else the steps whose results are not finite.
    """

    state: Numbers | State

    def __init__(self, appended: Appended, seed: int):
        super().__init__(appended, 1, seed)
        self.start: list[float] = []
        """The numbers of `initial`."""
        self.started_from: list[Array] = []
        """The `initial` that they are of."""

    def see(
        self,
        observation: Float[np.ndarray, "envs features"],
        starts: Some | None = None,
        final: Float[np.ndarray, "envs features"] | None = None,
    ) -> Float[np.ndarray, "envs appended_to"]:
        """As `ParallelSystems.see`, in the midst of an episode without NumPy's checks, which cost as much as a step."""
        if starts is not None or self.has_starting or not self.running:
            return super().see(observation, starts, final)
        refuse_after_fork()
        seen = np.asarray(observation, np.float32)[0].tolist()
        after = self._computed(self._advance, seen)
        if after is None:
            return super().see(observation, starts, final)
        self.time[0] += 1
        self.state, self.latest = self._split(seen, after)
        return self.latest.copy()

    def _begins(self, starts: Some) -> Some:
        begin = super()._begins(starts)
        if self.started_from is not self.initial:
            self.start, self.started_from = _numbers(self.initial), self.initial
        return begin

    def _advanced(
        self, observation: Float[np.ndarray, "envs features"], begin: Some
    ) -> tuple[Numbers | State, Float[np.ndarray, "envs appended_to"]]:
        seen = observation[0].tolist()
        after = self._computed(self._begin if begin[0] else self._advance, seen)
        if after is not None:
            return self._split(seen, after)
        if isinstance(self.state, Numbers):
            self.state = self._arrays(self.state)
        return super()._advanced(observation, begin)

    def _split(self, seen: list[float], after: list[float]) -> tuple[Numbers, Float[np.ndarray, "envs appended_to"]]:
        """The state, and the observation with what is appended to it."""
        return Numbers(after[self.size :]), np.array([seen + after[: self.size]], np.float32)

    def _computed(self, program: Program | None, seen: list[float]) -> list[float] | None:
        """What is appended to an observation, and the numbers of the state after it; None if JAX is to compute them."""
        if program is None:
            return None
        before = self.state.values if isinstance(self.state, Numbers) else _numbers(self.state)
        try:
            after = program(self.start, before, seen)
        except (ArithmeticError, ValueError):
            return None
        return after if -LARGEST < sum(before) + sum(seen) + sum(after) < LARGEST else None

    def _arrays(self, state: Numbers) -> State:
        leaves, structure = jax.tree.flatten(self._shapes[1])
        parts = np.split(np.array(state.values, np.float32), np.cumsum([leaf.size for leaf in leaves])[:-1])
        arrays = [part.reshape(1, *leaf.shape) for part, leaf in zip(parts, leaves, strict=True)]
        return jax.tree.unflatten(structure, arrays)

    @functools.cached_property
    def _begin(self) -> Program | None:
        """An episode's first step."""

        def begin(initial, _, observation):
            state, added = self.appended.begin(self.constants, initial, observation)
            return added, state

        return self._translated(begin)

    @functools.cached_property
    def _advance(self) -> Program | None:
        """Any other step."""

        def advance(initial, state, observation):
            state, added = self.appended.advance(self.constants, initial, state, observation)
            return added, state

        return self._translated(advance)

    @functools.cached_property
    def _shapes(self) -> tuple[PyTree, PyTree, jax.ShapeDtypeStruct]:
        """Of what an episode starts from, the state, and an observation."""
        initial = jax.eval_shape(self.appended.initial, self._key((), 0))
        observation = jax.ShapeDtypeStruct((self.features,), np.float32)
        state, _ = jax.eval_shape(self.appended.begin, self.constants, initial, observation)
        return initial, state, observation

    def _translated(self, function: Callable[..., tuple[Array, State]]) -> Program | None:
        try:
            return scalar_program(function, *self._shapes)
        except (NotImplementedError, ArithmeticError, ValueError):
            return None


def _numbers(batch: PyTree) -> list[float]:
    """The numbers of the arrays of one environment."""
    return [one for array in jax.tree.leaves(batch) for one in np.asarray(array).reshape(-1).tolist()]
