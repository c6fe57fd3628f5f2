"""Two systems as one memory."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from morphorl.dynamics.base import Dynamics, Guide, Shape, call
from morphorl.dynamics.guidance.base import nothing
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.oscillator_ring import OscillatorRing


class Both(NamedTuple):
    """Something of either system: its state, or its constants."""

    one: PyTree
    other: PyTree


class Together(Dynamics):
    """A memory made of two that know nothing of each other: the networks see [x, what one adds, what the other adds].

    Each follows the same observations. What a memory shows must begin with the observation, as that of every built-in
    one does.
    """

    one: Dynamics = dataclasses.field(default_factory=LeakyIntegrators)
    """The first memory: `memory.one.kind`, and its settings after it."""
    other: Dynamics = dataclasses.field(default_factory=OscillatorRing)
    """The second: `memory.other.kind`."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Both:
        keys = jax.random.split(key)
        return Both(self.one.init(keys[0], shape), self.other.init(keys[1], shape))

    def constants(self, key: PRNGKeyArray, shape: Shape) -> Both:
        keys = jax.random.split(key)
        return Both(self.one.constants(keys[0], shape), self.other.constants(keys[1], shape))

    def start(
        self, state: Both, observation: Float[Array, " features"], guide: Guide = nothing, *, constants: Both
    ) -> Both:
        return self._both("start", constants, state, observation, guide)

    def step(
        self, state: Both, observation: Float[Array, " features"], guide: Guide = nothing, *, constants: Both
    ) -> Both:
        return self._both("step", constants, state, observation, guide)

    def show(self, state: Both, observation: Float[Array, " features"], *, constants: Both) -> Float[Array, " shown"]:
        shown = self._both("show", constants, state, observation)
        return jnp.concatenate([shown.one, shown.other[observation.size :]])

    def _both(self, method: str, constants: Both, states: Both, *arguments: PyTree) -> Both:
        systems = zip((self.one, self.other), constants, states, strict=True)
        return Both(
            *(call(getattr(one, method), {"constants": held}, state, *arguments) for one, held, state in systems)
        )
