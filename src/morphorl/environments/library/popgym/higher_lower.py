"""POPGym's HigherLower: guess whether the next card is higher or lower than this one."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.cards import CARDS, RANKS, deal, full
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

DECKS = levels("HigherLower", easy=1, medium=2, hard=3)
IDS = tuple(DECKS)
HIGHER = 0
"""The action that bets on a higher card; the other, 1, on a lower one."""


class State(NamedTuple):
    """What is left of the deck, the rank of the card that lies open, and the steps taken."""

    left: Int[Array, " ranks"]
    rank: Int[Array, ""]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """HigherLower of that difficulty; None for an id of another task."""
    return higher_lower(env_id, DECKS[env_id]) if env_id in DECKS else None


def higher_lower(env_id: str, decks: int) -> Environment:
    """Each step bets on the next card of a deck; who counts cards knows what is left.

    Observation: the rank of the open card, one-hot (13). Action: 0 for higher, 1 for lower. Reward: 1/N for a right
    bet, −1/N for a wrong one, 0 for two cards of one rank, with N = 52 × `decks` cards. The episode terminates with the
    last card, after N − 1 steps: 51, 103 and 155.
    """
    cards = CARDS * decks
    steps = cards - 1

    def reset(key):
        rank, left = deal(key, full(RANKS, decks))
        return State(left, rank, jnp.array(0, jnp.int32)), one_hots((rank, RANKS))

    def step(key, state: State, action) -> Step:
        rank, left = deal(key, state.left)
        bet = jnp.where(action == HIGHER, 1, -1)
        reward = bet * jnp.sign(rank - state.rank) / cards
        after = State(left, rank, state.time + 1)
        return Step(after, one_hots((rank, RANKS)), reward, after.time >= steps, jnp.array(False))

    return Environment(env_id, RANKS, 2, steps, None, reset, step)
