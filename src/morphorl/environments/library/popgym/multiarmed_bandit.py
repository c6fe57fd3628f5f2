"""POPGym's MultiarmedBandit: find the arm that pays most often, and stay with it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.observations import one_hots

ARMS_AND_STEPS = levels("MultiarmedBandit", easy=(10, 200), medium=(20, 400), hard=(30, 600))
IDS = tuple(ARMS_AND_STEPS)


class State(NamedTuple):
    """How probably each arm pays, and the steps taken."""

    probabilities: Float[Array, " arms"]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """MultiarmedBandit of that difficulty; None for an id of another task."""
    return multiarmed_bandit(env_id, *ARMS_AND_STEPS[env_id]) if env_id in ARMS_AND_STEPS else None


def multiarmed_bandit(env_id: str, arms: int, steps: int) -> Environment:
    """Each arm pays with a probability of its own, drawn uniformly from 0 to 1 at an episode's start.

    Observation: whether the last arm paid, one-hot (2: no, yes), without saying which arm that was. Action: an arm.
    Reward: 1/`steps` if it pays, else −1/`steps`. The episode is truncated after `steps` steps: 200, 400 and 600.
    """

    def reset(key):
        state = State(jax.random.uniform(key, (arms,)), jnp.array(0, jnp.int32))
        return state, one_hots((jnp.array(0), 2))

    def step(key, state: State, action) -> Step:
        pays = jax.random.bernoulli(key, state.probabilities[action])
        reward = jnp.where(pays, 1 / steps, -1 / steps)
        after = State(state.probabilities, state.time + 1)
        return Step(after, one_hots((pays.astype(jnp.int32), 2)), reward, jnp.array(False), after.time >= steps)

    return Environment(env_id, 2, arms, steps, None, reset, step)
