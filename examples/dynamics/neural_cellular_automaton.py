"""A neural cellular automaton: all cells of a lattice follow one rule, a small random network."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.config.fields import COUNT, FINITE, FRACTION, setting
from morphorl.dynamics.base import Dynamics


class Rule(NamedTuple):
    """W and V, drawn once a run."""

    weights: Float[Array, "channels perceived"]
    inputs: Float[Array, " channels"]


class NeuralCellularAutomaton(Dynamics):
    """A vector u of channels for each feature i and action k, on a periodic lattice (features × actions).

        u ← u + r·( tanh(g·W p + κ·V x_i) − u ) + guide(u),   p = [u, ∂_i u, ∂_k u, ∇²u]

    A cell perceives p: itself, its gradients (half the differences of its neighbours) and its Laplacian (the four
    neighbours' mean, less u). W and V are normal, the same everywhere: a shift of lattice and observation shifts what
    follows. The state, of shape (channels, features, actions), stays within ±1. Readout: the mean over i of u_0ik.

    Source: Mordvintsev, Randazzo, Niklasson and Levin, "Growing neural cellular automata", Distill, 2020.
    """

    channels: int = setting(4, COUNT, static=True)
    """Entries of u."""
    rate: float = setting(0.2, FRACTION)
    """r: how far a cell moves to what the rule says, per environment step."""
    gain: float = setting(2.0, FINITE)
    """g: strength of the rule; patterns die out where it is small."""
    drive: float = setting(0.5, FINITE)
    """κ: strength of the observation x, of which each row sees its own feature."""

    def init(self, key, shape):
        return jax.random.uniform(key, (self.channels, *shape), minval=-1.0, maxval=1.0)

    def constants(self, key, shape):
        normal = jax.random.normal(key, (self.channels, 4 * self.channels + 1))
        return Rule(normal[:, 1:] / jnp.sqrt(4.0 * self.channels), normal[:, 0])

    def step(self, state, observation, guide, *, constants):
        perceived = jnp.einsum("cp,pik->cik", constants.weights, perceive(state))
        goal = jnp.tanh(self.gain * perceived + self.drive * jnp.outer(constants.inputs, observation)[:, :, None])
        return jnp.clip(state + self.rate * (goal - state) + guide(state), -1.0, 1.0)

    def read(self, state, observation):
        return state[0].mean(0)


def perceive(u):
    """p for all channels: they themselves, their gradients, and their Laplacians."""
    a, b, c, d = (jnp.roll(u, shift, axis) for axis in (1, 2) for shift in (1, -1))
    return jnp.concatenate([u, (b - a) / 2, (d - c) / 2, (a + b + c + d) / 4 - u])
