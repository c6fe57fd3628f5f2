"""A three-factor rule: what had a part in an action that went better than expected grows, and the other way round."""

import jax.numpy as jnp

from morphorl.config.errors import SettingError
from morphorl.config.fields import NOT_NEGATIVE, setting
from morphorl.dynamics.guidance.base import CONTROLS, Eligible, Performance


class ThreeFactor(Eligible):
    """γ·δ̂·E on the state that is read out, nothing on the others.

        E ← λ·E + x ⊗ (onehot(action) − π)

    remembers which entry (feature, action) had a part in what was done: a local rule of presynaptic activity,
    postsynaptic activity, and a global signal. γ falls with progress, γ/(1 + c·(Ḡ − G₁)/(|G₁| + 1)), G₁ being the
    untrained agent's return.

    x ⊗ (onehot(action) − π) is ∂ log π/∂u only where the readout is o_k = Σ_i x_i·u_ik, so that the state that a system
    asks `guide(u, read=True)` for must be read out so. Settings refuse a system for which it is not.

    Source: Frémaux and Gerstner, "Neuromodulated spike-timing-dependent plasticity, and theory of three-factor learning
    rules", 2016.
    """

    caution: float = setting(0.1, NOT_NEGATIVE)
    """c: how fast the strength falls with progress."""

    def __check_init__(self) -> None:
        if self.signal in CONTROLS and isinstance(self.caution, int | float) and self.caution > 0:
            raise SettingError(
                f"guidance.caution = {self.caution}: must be 0 where guidance.signal is {self.signal!r}; a control "
                "whose strength falls with the returns would know the reward by that way. Set guidance.caution = 0."
            )

    def __call__(self, state, signal=None, *, read=False):
        if signal is None or signal.eligibility is None or not read:
            return jnp.zeros_like(state)
        return self.strength * signal.surprise * signal.eligibility

    def scale(self, performance: Performance):
        first = performance.first_return
        progress = jnp.nan_to_num((performance.fast_return - first) / (jnp.abs(first) + 1))
        return 1 / (1 + self.caution * jnp.maximum(progress, 0.0))

    def outlives_episodes(self, reset: str) -> bool:
        return reset == "never"
