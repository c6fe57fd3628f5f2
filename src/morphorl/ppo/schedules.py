"""How a run is doing, and the settings that depend on it or on the time: guidance strength and blending weight."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from morphorl.ppo.settings import Settings

FAST, SLOW = 0.2, 0.05
"""Weight of a new rollout in the fast and in the slow running mean."""


class Performance(NamedTuple):
    """Running means, renewed after every rollout; returns are NaN before the first episode has ended."""

    first_return: Float[Array, ""]
    """G₁: mean return of the first rollout in which an episode ended, an untrained agent's."""
    fast_return: Float[Array, ""]
    """Ḡ over the last five rollouts or so."""
    slow_return: Float[Array, ""]
    """Ḡ over the last twenty or so."""
    usual_surprise: Float[Array, ""]
    """Mean |δ|, by which TD errors are divided."""


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
    factor = 1.0 if performance is None else _factor(settings, performance)
    now = (blend.weight * share, guidance.strength * factor)
    return eqx.tree_at(lambda known: (known.blend.weight, known.guidance.strength), settings, now)


def _factor(settings: Settings, performance: Performance) -> Float[Array, ""]:
    """What performance makes of the guidance strength; NaN, nothing known yet, counts as no progress."""
    guidance = settings.guidance
    if guidance.kind == "three_factor":
        first = performance.first_return
        progress = jnp.nan_to_num((performance.fast_return - first) / (jnp.abs(first) + 1))
        return 1 / (1 + guidance.caution * jnp.maximum(progress, 0.0))
    if guidance.kind == "adaptive":
        slow = performance.slow_return
        trend = jnp.nan_to_num((performance.fast_return - slow) / jnp.maximum(jnp.abs(slow), 1.0))
        return jnp.maximum(jnp.tanh(guidance.sensitivity * trend), 0.0)
    return jnp.array(1.0)
