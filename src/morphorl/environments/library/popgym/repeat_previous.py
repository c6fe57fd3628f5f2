"""POPGym's RepeatPrevious: say the suit of the card k steps back, at every step."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.cards import CARDS, SUITS, deal, full
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

DECKS_AND_LAG = levels("RepeatPrevious", easy=(1, 4), medium=(2, 32), hard=(3, 64))
IDS = tuple(DECKS_AND_LAG)


class State(NamedTuple):
    """What is left of the deck, the last `lag` suits (the latest first), and the steps taken."""

    left: Int[Array, " suits"]
    recent: Int[Array, " lag"]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """RepeatPrevious of that difficulty; None for an id of another task."""
    return repeat_previous(env_id, *DECKS_AND_LAG[env_id]) if env_id in DECKS_AND_LAG else None


def repeat_previous(env_id: str, decks: int, lag: int) -> Environment:
    """Cards are dealt one a step; each step asks for the suit that was shown `lag` − 1 steps before the latest.

    Observation: the suit just dealt, one-hot (4). Action: a suit (4). Reward: 1/(N − `lag`) for the right suit, else
    −1/(N − `lag`), with N = 52 × `decks` cards, so that returns are between −1 and 1; 0 until `lag` cards are seen. The
    episode terminates with the last card, after N − 1 steps: 51, 103 and 155.
    """
    cards = CARDS * decks
    steps, pay = cards - 1, 1 / (cards - lag)

    def reset(key):
        card, left = deal(key, full(SUITS, decks))
        recent = jnp.zeros(lag, jnp.int32).at[0].set(card)
        return State(left, recent, jnp.array(0, jnp.int32)), one_hots((card, SUITS))

    def step(key, state: State, action) -> Step:
        answered = jnp.where(action == state.recent[-1], pay, -pay)
        reward = jnp.where(state.time + 1 >= lag, answered, 0.0)
        card, left = deal(key, state.left)
        recent = jnp.roll(state.recent, 1).at[0].set(card)
        after = State(left, recent, state.time + 1)
        return Step(after, one_hots((card, SUITS)), reward, after.time >= steps, jnp.array(False))

    return Environment(env_id, SUITS, SUITS, steps, None, reset, step)
