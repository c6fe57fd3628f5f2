"""POPGym's CountRecall: say how often a kind of card has been dealt."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.cards import CARDS, COLOURS, RANKS, SUITS, deal, full
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

DECKS_AND_KINDS = levels("CountRecall", easy=(1, COLOURS), medium=(2, SUITS), hard=(4, RANKS))
IDS = tuple(DECKS_AND_KINDS)


class State(NamedTuple):
    """What is left of the deck that is dealt and of the deck of questions, how often each kind was dealt, the kind that
    is asked for, and the steps taken."""

    left: Int[Array, "two kinds"]
    counts: Int[Array, " kinds"]
    query: Int[Array, ""]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """CountRecall of that difficulty; None for an id of another task."""
    return count_recall(env_id, *DECKS_AND_KINDS[env_id]) if env_id in DECKS_AND_KINDS else None


def count_recall(env_id: str, decks: int, kinds: int) -> Environment:
    """Each step deals a card of one deck, and asks how often the kind of a card of another deck has been dealt so far.

    Observation: the kind just dealt and the kind asked for, both one-hot (2 × `kinds`). Action: a count, from 0 to the
    N / `kinds` cards of a kind, with N = 52 × `decks` cards. Reward: 1/(N − 1) for the right count, the card just seen
    included, else −1/(N − 1), so that returns are between −1 and 1. The episode terminates with the last card, after
    N − 1 steps: 51, 103 and 207.
    """
    steps = CARDS * decks - 1
    each = jnp.arange(kinds, dtype=jnp.int32)

    def show(key: PRNGKeyArray, left: Int[Array, "two kinds"], counts: Int[Array, " kinds"], time: Int[Array, ""]):
        (value, query), left = jax.vmap(deal)(jax.random.split(key), left)
        return State(left, counts + (each == value), query, time), one_hots((value, kinds), (query, kinds))

    def reset(key):
        both = jnp.stack([full(kinds, decks), full(kinds, decks)])
        return show(key, both, jnp.zeros(kinds, jnp.int32), jnp.array(0, jnp.int32))

    def step(key, state: State, action) -> Step:
        reward = jnp.where(action == state.counts[state.query], 1 / steps, -1 / steps)
        after, observation = show(key, state.left, state.counts, state.time + 1)
        return Step(after, observation, reward, after.time >= steps, jnp.array(False))

    return Environment(env_id, 2 * kinds, CARDS * decks // kinds + 1, steps, None, reset, step)
