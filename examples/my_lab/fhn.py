"""FitzHugh-Nagumo units: they fire where the observation pushes them, and then rest."""

import jax.numpy as jnp

from morphorl.config.fields import FINITE, FRACTION, POSITIVE, setting
from morphorl.dynamics.base import Dynamics


class FitzHughNagumo(Dynamics):
    """A unit for every feature and action: voltage v and recovery w, each of shape (features, actions).

        v' = v − v³/3 − w + drive·x·c + guidance,   w' = ε·(v + a − b·w),   c from 1 to −1 over the actions

    Source: FitzHugh, 1961; Nagumo, Arimoto and Yoshizawa, 1962.
    """

    recovery: float = setting(0.08, POSITIVE)
    """ε: how slow recovery is, per unit of time."""
    a: float = setting(0.7, FINITE)
    """a: shifts the state of rest."""
    b: float = setting(0.8, FINITE)
    """b: how fast recovery ends."""
    drive: float = setting(0.5, FINITE)
    """How strongly the observation drives the voltage; held at .33 or more, it makes units oscillate."""
    time: float = setting(0.25, FRACTION)
    """Units of time in an environment step, which is one explicit step."""

    def init(self, key, shape):
        return jnp.full(shape, -1.2), jnp.full(shape, -0.62)  # at rest, without an observation

    def step(self, state, observation, guide):
        v, w = state
        current = self.drive * jnp.outer(observation, jnp.linspace(1, -1, v.shape[1]))  # a sign for each action
        v_change = v - v**3 / 3 - w + current + guide(v)
        w_change = self.recovery * (v + self.a - self.b * w)
        return jnp.clip(v + self.time * v_change, -3, 3), jnp.clip(w + self.time * w_change, -3, 3)

    def read(self, state, observation):
        return state[0].mean(0)
