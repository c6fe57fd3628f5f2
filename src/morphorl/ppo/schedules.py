"""How a run is doing, and the settings that depend on it or on the time: guidance strength and blending weight."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.dynamics.guidance.base import Performance
from morphorl.ppo.settings import Settings

FAST, SLOW = 0.2, 0.05
"""Weight of a new rollout in the fast and in the slow running mean."""


def unknown() -> Performance:
    """Before anything has happened."""
    return Performance(*(jnp.array(jnp.nan),) * 3, usual_surprise=jnp.array(1.0))


def follow(
    performance: Performance, episode_return: Float[Array, ""], surprise: Float[Array, ""] | None
) -> Performance:
    """Add a rollout: the mean return of the episodes that ended in it (NaN for none), and the mean |δ|."""

    def running(mean, weight):
        known = jnp.where(jnp.isnan(mean), episode_return, mean + weight * (episode_return - mean))
        return jnp.where(jnp.isnan(episode_return), mean, known)

    usual = performance.usual_surprise
    return Performance(
        first_return=running(performance.first_return, 0.0),
        fast_return=running(performance.fast_return, FAST),
        slow_return=running(performance.slow_return, SLOW),
        usual_surprise=usual if surprise is None else usual + FAST * (surprise - usual),
    )


def scheduled(settings: Settings, performance: Performance | None, progress: float | Float[Array, ""]) -> Settings:
    """The settings as they are now: the strength that performance calls for, and the weight of the handover.

    Args:
        progress: the share of the training that is over.
    """
    blend, guidance = settings.blend, settings.guidance
    share = jnp.where(blend.handover > 0, jnp.clip(2 - 2 * progress / jnp.maximum(blend.handover, 1e-9), 0, 1), 1.0)
    factor = 1.0 if performance is None else guidance.scale(performance)
    now = (blend.weight * share, guidance.strength * factor)
    return eqx.tree_at(lambda known: (known.blend.weight, known.guidance.strength), settings, now)
