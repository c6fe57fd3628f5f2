"""How a discrete observation becomes numbers."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def one_hots(*parts: tuple[Int[Array, ""] | Int[Array, " places"], int]) -> Float[Array, " features"]:
    """A discrete observation as zeros and ones: each number i of n becomes n features, of which the i-th is 1.

    Several numbers stand one after the other, in their order. This is `gymnasium.spaces.flatten` for `Discrete`,
    `MultiDiscrete` and a `Tuple` of these.

    Args:
        parts: pairs of the number (or numbers) and of how many values each can take.
    """
    return jnp.concatenate([jax.nn.one_hot(value, size, dtype=jnp.float32).reshape(-1) for value, size in parts])
