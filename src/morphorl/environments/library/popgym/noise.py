"""Noise on what popgym's noisy tasks show."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray


def noisy(
    key: PRNGKeyArray, observation: Float[Array, " features"], deviation: float, high: Float[np.ndarray, " features"]
) -> Float[Array, " features"]:
    """`observation` with normal noise of that standard deviation on each number, held between −`high` and `high`."""
    seen = observation + deviation * jax.random.normal(key, observation.shape)
    return jnp.clip(seen, -high, high)
