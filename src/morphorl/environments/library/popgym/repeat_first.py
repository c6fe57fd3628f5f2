"""POPGym's RepeatFirst: say the suit of an episode's first card, at every step."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.cards import CARDS, SUITS, deal, full
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

DECKS = levels("RepeatFirst", easy=1, medium=8, hard=16)
IDS = tuple(DECKS)


class State(NamedTuple):
    """What is left of the deck, the first card's suit, and the steps taken."""

    left: Int[Array, " suits"]
    first: Int[Array, ""]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """RepeatFirst of that difficulty; None for an id of another task."""
    return repeat_first(env_id, DECKS[env_id]) if env_id in DECKS else None


def repeat_first(env_id: str, decks: int) -> Environment:
    """Cards are dealt one a step; each step asks for the suit of the episode's first card.

    Observation: the suit just dealt, one-hot (4); nothing but being an episode's first tells the first card apart.
    Action: a suit (4). Reward: 1/(N − 1) for the first card's suit, else −1/(N − 1), with N = 52 × `decks` cards, so
    that returns are between −1 and 1. The episode terminates with the last card, after N − 1 steps: 51, 415 and 831.
    """
    steps = CARDS * decks - 1

    def reset(key):
        card, left = deal(key, full(SUITS, decks))
        return State(left, card, jnp.array(0, jnp.int32)), one_hots((card, SUITS))

    def step(key, state: State, action) -> Step:
        reward = jnp.where(action == state.first, 1 / steps, -1 / steps)
        card, left = deal(key, state.left)
        after = State(left, state.first, state.time + 1)
        return Step(after, one_hots((card, SUITS)), reward, after.time >= steps, jnp.array(False))

    return Environment(env_id, SUITS, SUITS, steps, None, reset, step)
