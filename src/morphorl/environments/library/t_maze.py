"""A T-maze whose corridor can be of any length: a memory that is trained in a short one can be tested in a long one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.lengths import length_of
from morphorl.environments.wrappers import with_noise

FORM, NOISY = "TMaze-", "NoisyTMaze-"
IDS = (f"{FORM}10", f"{NOISY}10")
NOISE = 0.2
"""Standard deviation of the noise on each observation feature, fresh at every step, in the noisy maze."""
NORTH, EAST, SOUTH, WEST = range(4)
CUE_NORTH, CUE_SOUTH, CORRIDOR, JUNCTION = range(4)
"""The observation's features, of which one is 1."""
RIGHT, WRONG, STANDS_STILL = 4.0, -0.1, -0.1
"""Rewards at the junction, and for walking into a wall."""
THRESHOLD = 0.9 * RIGHT + 0.1 * WRONG
"""The return of an agent that turns the right way in nine of ten mazes and never bumps into a wall."""


class State(NamedTuple):
    """Whether the reward is in the north, the steps from the start to where the agent is, and the steps taken."""

    in_north: Bool[Array, ""]
    place: Int[Array, ""]
    time: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """`TMaze-N`, with a corridor of N steps, or `NoisyTMaze-N`; None for an id that has not this form.

    Raises:
        SettingError: where N is no whole number of at least 1.
    """
    form = NOISY if env_id.startswith(NOISY) else FORM
    corridor = length_of(env_id, form, "the corridor")
    if corridor is None:
        return None
    maze = t_maze(env_id, corridor)
    return with_noise(maze, np.full(4, NOISE)) if form == NOISY else maze


def t_maze(env_id: str, corridor: int) -> Environment:
    """A corridor that leads east to a junction; a cue seen at its start alone tells which way to turn there.

    Observation: one-hot (4): the cue "north" or "south" at the start (also if the agent comes back to it), "corridor",
    or "junction". It has no length in it, so that an agent of one maze can act in any other. Action: go north, east,
    south or west. Reward: 4 for turning the right way at the junction and −0.1 for the wrong one, which terminates the
    episode; −0.1 for walking into a wall; else 0. The shortest way takes `corridor` + 1 steps; an episode is truncated
    after ten times as many. Without memory the best return is 1.95 on average.

    In the noisy maze each feature carries normal noise of standard deviation `NOISE`: what a memory takes for a cue.

    Source: Bakker, "Reinforcement learning with long short-term memory", NeurIPS 2001 (the maze and its rewards; the
    cue's code, the noise and the time limit are ours).
    """
    time_limit = 10 * (corridor + 1)

    def show(state: State):
        cue = jnp.where(state.in_north, CUE_NORTH, CUE_SOUTH)
        seen = jnp.where(state.place == 0, cue, jnp.where(state.place == corridor, JUNCTION, CORRIDOR))
        return jax.nn.one_hot(seen, 4, dtype=jnp.float32)

    def reset(key):
        state = State(jax.random.bernoulli(key), jnp.array(0, jnp.int32), jnp.array(0, jnp.int32))
        return state, show(state)

    def step(key, state: State, action) -> Step:
        turns = (action == NORTH) | (action == SOUTH)
        terminated = turns & (state.place == corridor)
        move = jnp.where(action == EAST, 1, jnp.where(action == WEST, -1, 0))
        place = jnp.clip(state.place + move, 0, corridor)
        at_end = jnp.where((action == NORTH) == state.in_north, RIGHT, WRONG)
        reward = jnp.where(terminated, at_end, jnp.where(place == state.place, STANDS_STILL, 0.0))
        after = State(state.in_north, place, state.time + 1)
        return Step(after, show(after), reward, terminated, after.time >= time_limit)

    return Environment(env_id, 4, 4, time_limit, THRESHOLD, reset, step)
