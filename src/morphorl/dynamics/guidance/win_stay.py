"""Win, stay; lose, shift: after a better episode the pattern stays, after a worse one a fresh one is drawn."""

from typing import ClassVar

import jax
import jax.numpy as jnp

from morphorl.config.fields import FINITE, setting
from morphorl.dynamics.guidance.base import Performance, RewardAware


class WinStay(RewardAware):
    """Nothing during an episode. At its end, with G its return and Ḡ the running mean:

        better than Ḡ:  u ← u + γ·tanh(k·(G − Ḡ)/max(|Ḡ|, 1))·sign(u)
        worse:          a fresh u is drawn

    The system's own bound holds (`Dynamics.bounded`).
    """

    needs: ClassVar[frozenset[str]] = frozenset({"returns"})
    decides: ClassVar[bool] = True

    sensitivity: float = setting(1.0, FINITE)
    """k: how soon tanh saturates, and with which sign."""

    def __call__(self, state, signal=None, *, read=False):
        return jnp.zeros_like(state)

    def at_end(self, states, fresh, done, episode_return, performance: Performance, bounded):
        usual = jnp.nan_to_num(performance.fast_return)
        better = (episode_return - usual) / jnp.maximum(jnp.abs(usual), 1.0)
        push = self.strength * jnp.tanh(self.sensitivity * better)

        def settle(u, new):
            stays, ended, pushed = (v[(None,) * (u.ndim - 1)] for v in (better >= 0, done, push))
            return jnp.where(ended, jnp.where(stays, bounded(u + pushed * jnp.sign(u)), new), u)

        return jax.tree.map(settle, states, fresh)
