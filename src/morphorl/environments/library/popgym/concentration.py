"""POPGym's Concentration: find pairs among cards that lie face down."""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.cards import CARDS, COLOURS, RANKS, deal, full
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

DECKS_AND_KINDS = levels("Concentration", easy=(1, COLOURS), medium=(2, COLOURS), hard=(1, RANKS))
IDS = tuple(DECKS_AND_KINDS)
NOWHERE = -1
"""In place of a card that has not been turned yet."""


class State(NamedTuple):
    """The kinds of cards that nobody has looked at, each card's kind as far as it was looked at (else `NOWHERE`), which
    are out of play since their pair was found, the card turned first (else `NOWHERE`), and the steps taken."""

    left: Int[Array, " kinds"]
    cards: Int[Array, " places"]
    found: Bool[Array, " places"]
    first: Int[Array, ""]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """Concentration of that difficulty; None for an id of another task."""
    return concentration(env_id, *DECKS_AND_KINDS[env_id]) if env_id in DECKS_AND_KINDS else None


def concentration(env_id: str, decks: int, kinds: int) -> Environment:
    """N = 52 × `decks` cards lie face down; every step turns one, and every second one ends a turn.

    Observation: each card's kind, or that it lies face down, one-hot (N × (`kinds` + 1)). Seen are those whose pair was
    found, the card turned just now, and the first card of this turn. Action: which card to turn (N).

    With L = ⌈2N − N / (2N − 1)⌉ steps, about what a perfect player needs on average where there are N / 2 different
    pairs, a step pays:
    2/N for the second card of a pair, which both stay open;
    −2/L for a second card that makes none (also the first card turned again);
    −1/L or −2/L for a first or second card that was open already, which ends the turn;
    0 for any other first card.
    The episode terminates when all pairs are found, and is truncated after L steps: 104, 208 and 104.
    """
    places = CARDS * decks
    steps = math.ceil(2 * places - places / (2 * places - 1))
    where = jnp.arange(places, dtype=jnp.int32)

    def show(cards: Int[Array, " places"], is_open: Bool[Array, " places"]):
        return one_hots((jnp.where(is_open, cards, kinds), kinds + 1))

    def reset(key):
        cards = jnp.full(places, NOWHERE, jnp.int32)
        nothing = jnp.zeros(places, bool)
        state = State(full(kinds, decks), cards, nothing, jnp.array(NOWHERE, jnp.int32), jnp.array(0, jnp.int32))
        return state, show(cards, nothing)

    def step(key, state: State, action) -> Step:
        card, left = deal(key, state.left)
        is_new = state.cards[action] == NOWHERE
        cards = jnp.where((where == action) & is_new, card, state.cards)
        turned = (where == action) | (where == state.first)
        observation = show(cards, state.found | turned)

        is_second = state.first != NOWHERE
        was_open = state.found[action]
        same_kind = cards[action] == cards[jnp.maximum(state.first, 0)]
        pair = is_second & ~was_open & same_kind & (action != state.first)
        ends_turn = is_second | was_open
        failed = jnp.where(is_second, -2 / steps, -1 / steps)
        reward = jnp.where(pair, 2 / places, jnp.where(ends_turn, failed, 0.0))

        found = state.found | (turned & pair)
        first = jnp.where(ends_turn, NOWHERE, action).astype(jnp.int32)
        after = State(jnp.where(is_new, left, state.left), cards, found, first, state.time + 1)
        return Step(after, observation, reward, jnp.all(found), after.time >= steps)

    return Environment(env_id, places * (kinds + 1), places, steps, None, reset, step)
