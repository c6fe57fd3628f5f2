"""Fast weights: what fires together is wired together, for a while."""

import jax
import jax.numpy as jnp

from morphorl.config.fields import BOUND, FINITE, FRACTION, setting
from morphorl.dynamics.base import Dynamics


class HebbianFastWeights(Dynamics):
    """Weights A of shape (features, actions) that store pairs of an observation x and its random code y.

        A ← λ·A + η·(x ⊗ y) + guide(A),   y = tanh(V x),   o = A^T x

    V of shape (actions, features) is normal with variance 1/features, drawn once a run. After n steps without guidance

        o = η·Σ_s λ^{n−s}·(x·x_s)·y_s

    which is attention to the recent past: codes of earlier observations, weighed by how much they resemble this one.
    After one pair of a unit vector x the readout of x is η·y, and λ^k·η·y after k more steps under x = 0.

    Source: Ba, Hinton, Mnih, Leibo and Ionescu, "Using fast weights to attend to the recent past", NeurIPS 2016.
    """

    persistence: float = setting(0.95, FRACTION)
    """λ: what an environment step leaves of the weights."""
    learning_rate: float = setting(0.2, FINITE)
    """η: how strongly a pair is stored, per environment step."""
    bound: float = setting(10.0, BOUND)
    """Largest absolute weight."""

    def init(self, key, shape):
        return jnp.zeros(shape)

    def constants(self, key, shape):
        return jax.random.normal(key, shape[::-1]) / jnp.sqrt(float(shape[0]))

    def step(self, state, observation, guide, *, constants):
        code = jnp.tanh(constants @ observation)
        change = self.learning_rate * jnp.outer(observation, code) + guide(state, read=True)
        return jnp.clip(self.persistence * state + change, -self.bound, self.bound)

    def read(self, state, observation):
        return observation @ state
