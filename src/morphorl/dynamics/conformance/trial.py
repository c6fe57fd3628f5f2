"""A system that is being tried."""

from collections.abc import Callable
from typing import NamedTuple

import jax
from jaxtyping import Array, PyTree

from morphorl.dynamics.base import Dynamics, Shape, call
from morphorl.dynamics.guidance.base import nothing


class Trial(NamedTuple):
    """A system with everything that its steps need, for one environment."""

    system: Dynamics
    shape: Shape
    key: Array
    offered: dict[str, PyTree]
    """Constants, and the random numbers of one step."""

    @classmethod
    def of(cls, system: Dynamics, shape: Shape) -> "Trial":
        """A system with constants and noise drawn for it."""
        key = jax.random.key(0)
        noise = system.noise(key, shape, (1,))
        offered = {"constants": system.constants(key, shape), "noise": jax.tree.map(lambda u: u[..., 0], noise)}
        return cls(system, shape, key, offered)

    @property
    def observation(self) -> Array:
        """An observation of usual size."""
        return jax.random.normal(jax.random.fold_in(self.key, 1), self.shape[:1])

    def init(self) -> PyTree:
        """The state drawn from the trial's key."""
        return self.system.init(self.key, self.shape)

    def step(self, state: PyTree, observation: Array, guide: Callable = nothing) -> PyTree:
        """One step."""
        return call(self.system.step, self.offered, state, observation, guide)

    def read(self, state: PyTree, observation: Array) -> Array:
        """The readout."""
        return call(self.system.read, self.offered, state, observation)

    def show(self, state: PyTree, observation: Array) -> Array:
        """What the networks see, where the system serves as memory."""
        return call(self.system.show, self.offered, state, observation)
