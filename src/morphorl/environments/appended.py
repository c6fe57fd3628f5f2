"""What a dynamical system appends to an observation, as pure functions of one environment's observations."""

from abc import abstractmethod
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from morphorl.config.devices import refuse_after_fork
from morphorl.dynamics.base import Dynamics, State, call
from morphorl.dynamics.guidance.base import Guidance
from morphorl.environments.wrappers import Memory, memory_of

Append = Literal["readout", "state", "memory"]
"""What is appended to an observation: the system's `readout`, its `state`, or what it shows as `memory`."""


class Appended(eqx.Module):
    """A system, its guidance, and what of them is appended to an observation.

    Its numbers are leaves, so that one compiled program serves all that differ in them alone. It can be pickled.
    """

    system: Dynamics
    guidance: Guidance
    scale: Float[np.ndarray | Array, " features"]
    """A factor for each feature before the system sees it."""
    actions: int = eqx.field(static=True)
    """Columns of the system, one for each action."""

    @abstractmethod
    def constants(self, key: PRNGKeyArray) -> PyTree:
        """What is drawn or computed once and never changes, the same for all environments."""

    @abstractmethod
    def initial(self, key: PRNGKeyArray) -> PyTree:
        """What an episode starts from, before its first observation."""

    @abstractmethod
    def begin(
        self, constants: PyTree, initial: PyTree, observation: Float[Array, " features"]
    ) -> tuple[State, Float[Array, " appended"]]:
        """The state after an episode's first observation, and what is appended to that."""

    @abstractmethod
    def advance(
        self, constants: PyTree, initial: PyTree, state: State, observation: Float[Array, " features"]
    ) -> tuple[State, Float[Array, " appended"]]:
        """The state after one more observation, and what is appended to that."""

    @property
    @abstractmethod
    def reset(self) -> str:
        """When a new episode starts from the same initial state, from one drawn anew, or not at all: the system's
        `reset`."""

    @abstractmethod
    def largest(self) -> float:
        """The largest absolute value that can be appended; inf where there is no bound."""

    @property
    def shape(self) -> tuple[int, int]:
        """Features and columns."""
        return self.scale.shape[-1], self.actions

    def _scaled(self, observation: Float[Array, " features"]) -> Float[Array, " features"]:
        return jnp.asarray(self.scale) * observation


class AppendedMemory(Appended):
    """A memory, as the trainer's `memory.kind` adds it to the observation.

    The numbers of memory and guidance travel with each environment (`initial` is a `Memory`), so that parallel ones may
    differ in them.
    """

    def constants(self, key: PRNGKeyArray) -> PyTree:
        """None: those of a memory are the same in all runs, and part of it."""
        return None

    def initial(self, key: PRNGKeyArray) -> Memory:
        """The memory, which no key decides."""
        memory = memory_of(self.system, self.guidance, self.shape)
        return jax.tree.map(lambda u: jnp.asarray(u, jnp.float32), memory)

    def begin(self, constants, initial: Memory, observation):
        """Start from the first observation, as the memory says."""
        state = initial.start(self._scaled(observation))
        return state, self._shown(initial, state, observation)

    def advance(self, constants, initial: Memory, state, observation):
        """Show an observation beside what was remembered before it, and remember it."""
        return initial.step(state, self._scaled(observation)), self._shown(initial, state, observation)

    @property
    def reset(self) -> str:
        """At every episode's start."""
        return "episode"

    def largest(self) -> float:
        """No bound: differences may be amplified."""
        return float("inf")

    def _shown(self, memory: Memory, state, observation):
        return memory.show(state, self._scaled(observation))[observation.size :]


class AppendedDynamics(Appended):
    """A system's readout, or the arrays of its state row by row."""

    append: Literal["readout", "state"] = eqx.field(static=True)

    def constants(self, key: PRNGKeyArray) -> PyTree:
        """The system's."""
        return self.system.constants(key, self.shape)

    def initial(self, key: PRNGKeyArray) -> State:
        """A state of the system."""
        return self.system.init(key, self.shape)

    def begin(self, constants, initial, observation):
        """Advance from the initial state."""
        return self.advance(constants, initial, initial, observation)

    def advance(self, constants, initial, state, observation):
        """Advance the system under the observation, and append what it says after it."""
        offered, seen = {"constants": constants}, self._scaled(observation)
        state = call(self.system.step, offered, state, seen, self.guidance)
        if self.append == "readout":
            return state, call(self.system.read, offered, state, seen)
        return state, jnp.concatenate([u.reshape(-1) for u in jax.tree.leaves(state)])

    @property
    def reset(self) -> str:
        """As the system says."""
        return str(self.system.reset)

    def largest(self) -> float:
        """The bound of the system's states; readouts have none.

        Raises:
            SettingError: in a process that was forked after JAX had started, if nobody had asked before the fork.
        """
        return _bound(self.system) if self.append == "state" else float("inf")


_bounds: dict[tuple, float] = {}
"""The bounds of the systems asked for so far: a forked process knows those that its parent has computed."""


def _bound(system: Dynamics) -> float:
    numbers, choices = jax.tree.flatten(system)
    which = choices, tuple(np.asarray(u).tobytes() for u in numbers)
    if which not in _bounds:
        refuse_after_fork()
        _bounds[which] = float(system.bounded(jnp.array(jnp.inf)))
    return _bounds[which]
