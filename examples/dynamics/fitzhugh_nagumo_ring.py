"""A ring of FitzHugh-Nagumo units, round which a wave travels."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.config.fields import BOUND, COUNT, FINITE, NOT_NEGATIVE, POSITIVE, setting
from morphorl.dynamics.base import Dynamics


class Units(NamedTuple):
    """Voltage v and recovery w, dimensionless; row by row, they stand in one ring."""

    voltage: Float[Array, "features actions"]
    recovery: Float[Array, "features actions"]


class FitzHughNagumoRing(Dynamics):
    """A unit for every feature and action, coupled by diffusion to its two neighbours j ± 1 on the ring.

        v' = v − v³/3 − w + I + D·(v_{j−1} + v_{j+1} − 2v) + (κ·x_i + guide(v))/T,   w' = ε·(v + .7 − .8·w)

    An environment step lasts T units of time. I = 0: a unit rests until it is pushed; I = .5: it oscillates with a
    period of 39.5 units of time. It starts as one wave round the ring. Readout: the mean voltage of an action's units.

    Source: FitzHugh, 1961, and Nagumo, Arimoto and Yoshizawa, 1962; splay states of rings: Ermentrout, 1985.
    """

    current: float = setting(0.5, FINITE)
    """I: constant input, per unit of time; between .33 and 1.42 units oscillate."""
    diffusion: float = setting(0.02, NOT_NEGATIVE)
    """D: coupling of neighbours, per unit of time."""
    drive: float = setting(0.1, FINITE)
    """κ: how strongly an observation feature x_i drives the voltages of its row, per environment step."""
    recovery_rate: float = setting(0.08, POSITIVE)
    """ε: how slow recovery is, per unit of time."""
    time: float = setting(1.0, POSITIVE)
    """T: units of time in an environment step."""
    substeps: int = setting(10, COUNT, static=True)
    """Explicit steps in an environment step."""
    bound: float = setting(5.0, BOUND)
    """Largest absolute voltage."""

    def init(self, key, shape):
        phase = 2 * jnp.pi * jnp.arange(shape[0] * shape[1]).reshape(shape) / (shape[0] * shape[1])
        return Units(2 * jnp.cos(phase), 0.6 + 0.5 * jnp.sin(phase))

    def step(self, state, observation, guide):
        (v, w), dt = state, self.time / self.substeps
        pushed = (self.drive * observation[:, None] + guide(v)) / self.substeps
        for _ in range(self.substeps):
            neighbours = (jnp.roll(v.ravel(), 1) + jnp.roll(v.ravel(), -1)).reshape(v.shape) - 2 * v
            change = v - v**3 / 3 - w + self.current + self.diffusion * neighbours
            v, w = v + dt * change + pushed, w + dt * self.recovery_rate * (v + 0.7 - 0.8 * w)
            v = jnp.clip(v, -self.bound, self.bound)
        return Units(v, w)

    def read(self, state, observation):
        return state.voltage.mean(0)
