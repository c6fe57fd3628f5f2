"""A toggle switch: two species that inhibit each other, so that one of them wins, and stays."""

import jax
import jax.numpy as jnp

from morphorl.config.fields import BOUND, FINITE, FRACTION, NOT_NEGATIVE, POSITIVE, setting
from morphorl.dynamics.base import Dynamics


class ToggleSwitch(Dynamics):
    """A switch for every feature i and action k, which remembers which way the observation x last pushed it.

        u ← u + r·( α/(1 + v²) − u ) + max(κ·x_i, 0)  + guide(u − v)
        v ← v + r·( α/(1 + u²) − v ) + max(−κ·x_i, 0) + guide(v − u)

    The state is (u, v), concentrations of shape (features, actions), dimensionless, from 0 to `bound`.

    Fixed points without x and guidance: u = v, the root of u + u³ = α; and for α > 2 also u·v = 1 with u + v = α, so
    that u and v are (α ± √(α² − 4))/2. These two are stable then, and u = v is the boundary between them; for α < 2
    u = v is stable. Readout: A times the mean over features of (u − v)/α.

    Source: Gardner, Cantor and Collins, "Construction of a genetic toggle switch in Escherichia coli", Nature, 2000.
    """

    production: float = setting(4.0, POSITIVE)
    """α: production without the other species, in units of the decay."""
    rate: float = setting(0.2, FRACTION)
    """r: decay, per environment step."""
    drive: float = setting(0.2, FINITE)
    """κ: production by the observation, per environment step."""
    initial_scale: float = setting(0.1, NOT_NEGATIVE)
    """Concentrations start between 1 and 1 plus this."""
    amplitude: float = setting(1.0, FINITE)
    """A: size of the readout of switches that agree."""
    bound: float = setting(10.0, BOUND)
    """Largest concentration."""

    def init(self, key, shape):
        first, second = 1 + self.initial_scale * jax.random.uniform(key, (2, *shape))
        return first, second

    def step(self, state, observation, guide):
        (first, second), pushed = state, self.drive * observation[:, None]
        return self._next(first, second, pushed, guide), self._next(second, first, -pushed, guide)

    def _next(self, own, other, pushed, guide):
        change = self.rate * (self.production / (1 + other**2) - own)
        return jnp.clip(own + change + jnp.maximum(pushed, 0) + guide(own - other), 0.0, self.bound)

    def read(self, state, observation):
        first, second = state
        return self.amplitude * (first - second).mean(0) / self.production
