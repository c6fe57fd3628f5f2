"""A deck of cards that is dealt without being shuffled first.

The next card of a shuffled deck is any of those left, with the same probability. So a deck is known by how many cards
of each kind are left, and the card is drawn when it is dealt. This has the distribution of shuffling first, and a reset
costs nothing. A kind is a colour, a suit or a rank: no task here looks at more than one of them.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

CARDS = 52
"""Cards of one deck."""
COLOURS, SUITS, RANKS = 2, 4, 13
"""Kinds of cards, each as frequent as the others."""


def full(kinds: int, decks: int) -> Int[Array, " kinds"]:
    """How many cards of each kind there are before any is dealt."""
    return jnp.full(kinds, CARDS * decks // kinds, jnp.int32)


def deal(key: PRNGKeyArray, left: Int[Array, " kinds"]) -> tuple[Int[Array, ""], Int[Array, " kinds"]]:
    """The kind of the next card, drawn from those left, and what is left without it.

    An empty deck gives the last kind and stays empty.
    """
    at_most = jnp.cumsum(left)
    place = jax.random.uniform(key) * at_most[-1]
    kinds = jnp.arange(left.size, dtype=jnp.int32)
    card = jnp.minimum(jnp.sum(at_most <= place, dtype=jnp.int32), left.size - 1)
    return card, jnp.maximum(left - (kinds == card), 0)
