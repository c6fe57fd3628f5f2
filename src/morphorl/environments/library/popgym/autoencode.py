"""POPGym's Autoencode: watch a deck go by, then say its suits backwards."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.cards import CARDS, SUITS, deal, full
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

DECKS = levels("Autoencode", easy=1, medium=2, hard=3)
IDS = tuple(DECKS)
RECITE, WATCH = 0, 1
"""The two phases, as the observation numbers them."""


class State(NamedTuple):
    """What is left of the deck, the suits dealt so far in their order, and the steps taken."""

    left: Int[Array, " suits"]
    dealt: Int[Array, " cards"]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """Autoencode of that difficulty; None for an id of another task."""
    return autoencode(env_id, DECKS[env_id]) if env_id in DECKS else None


def autoencode(env_id: str, decks: int) -> Environment:
    """A whole deck is shown card by card, and is then to be said backwards, a suit a step.

    Observation: the phase, one-hot (2: recite, watch), and a suit, one-hot (4): of the card just dealt while watching,
    the first suit always while reciting. The last card is shown with the phase "recite", and is the first to be said.
    Action: a suit (4), which nothing asks for while watching. Reward: while reciting, 1/N for the right suit, else
    −1/N, with N = 52 × `decks` cards, so that returns are between −1 and 1. The episode terminates when all are said,
    after 2N − 1 steps: 103, 207 and 311.
    """
    cards = CARDS * decks
    steps = 2 * cards - 1
    places = jnp.arange(cards, dtype=jnp.int32)

    def reset(key):
        card, left = deal(key, full(SUITS, decks))
        state = State(left, jnp.zeros(cards, jnp.int32).at[0].set(card), jnp.array(0, jnp.int32))
        return state, one_hots((jnp.array(WATCH), 2), (card, SUITS))

    def step(key, state: State, action) -> Step:
        recites = state.time >= cards - 1
        asked = state.dealt[jnp.clip(2 * (cards - 1) - state.time, 0, cards - 1)]
        reward = jnp.where(recites, jnp.where(action == asked, 1 / cards, -1 / cards), 0.0)
        card, left = deal(key, state.left)
        after = State(left, jnp.where(places == state.time + 1, card, state.dealt), state.time + 1)
        phase = jnp.where(after.time >= cards - 1, RECITE, WATCH)
        observation = one_hots((phase, 2), (jnp.where(recites, 0, card), SUITS))
        return Step(after, observation, reward, after.time >= steps, jnp.array(False))

    return Environment(env_id, 2 + SUITS, SUITS, steps, None, reset, step)
