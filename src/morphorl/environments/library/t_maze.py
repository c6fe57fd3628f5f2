"""A T-maze whose corridor can be of any length: a memory that is trained in a short one can be tested in a long one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from morphorl.environments.base import Environment, Step
from morphorl.environments.library.lengths import length_of
from morphorl.environments.wrappers import with_noise

FORM, NOISY, LATE = "TMaze-", "NoisyTMaze-", "LateTMaze-"
IDS = (f"{FORM}10", f"{NOISY}10", f"{LATE}10")
NOISE = 0.2
"""Standard deviation of the noise on each observation feature, fresh at every step, in the noisy maze."""
LATEST_CUE = 8
"""How many places from the start the cue stands at most, in the maze whose cue comes late."""
NORTH, EAST, SOUTH, WEST = range(4)
CUE_NORTH, CUE_SOUTH, CORRIDOR, JUNCTION = range(4)
"""The observation's features, of which one is 1."""
RIGHT, WRONG, STANDS_STILL = 4.0, -0.1, -0.1
"""Rewards at the junction, and for walking into a wall."""
THRESHOLD = 0.9 * RIGHT + 0.1 * WRONG
"""The return of an agent that turns the right way in nine of ten mazes and never bumps into a wall."""


class State(NamedTuple):
    """Whether the reward is in the north; how far from the start the agent is; steps taken; how far the cue is."""

    in_north: Bool[Array, ""]
    place: Int[Array, ""]
    time: Int[Array, ""]
    cue: Int[Array, ""]


def make(env_id: str) -> Environment | None:
    """`TMaze-N`, with a corridor of N steps, `NoisyTMaze-N` or `LateTMaze-N`; None for an id that has no such form.

    Raises:
        SettingError: where N is no whole number of at least 1; for `LateTMaze-N`, of at least 2.
    """
    form = next((form for form in (NOISY, LATE) if env_id.startswith(form)), FORM)
    corridor = length_of(env_id, form, "the corridor", least=2 if form == LATE else 1)
    if corridor is None:
        return None
    maze = t_maze(env_id, corridor, min(LATEST_CUE, corridor - 1) if form == LATE else 0)
    return with_noise(maze, np.full(4, NOISE)) if form == NOISY else maze


def t_maze(env_id: str, corridor: int, latest: int = 0) -> Environment:
    """A corridor that leads east to a junction; a cue seen at one place alone tells which way to turn there.

    Observation: one-hot (4): the cue "north" or "south" at its place (also if the agent comes back to it), "corridor",
    or "junction". It has no length in it, so that an agent of one maze can act in any other. Action: go north, east,
    south or west. Reward: 4 for turning the right way at the junction and −0.1 for the wrong one, which terminates the
    episode; −0.1 for walking into a wall; else 0. The shortest way takes `corridor` + 1 steps; an episode is truncated
    after ten times as many. Without memory the best return is 1.95 on average.

    In the noisy maze each feature carries normal noise of standard deviation `NOISE`: what a memory takes for a cue.
    In the maze whose cue comes late its place is drawn anew for each episode, from 1 to `latest`: a memory that starts
    at the first observation, as a stack or a filter does, then starts without it.

    Source: Bakker, "Reinforcement learning with long short-term memory", NeurIPS 2001 (the maze and its rewards; the
    cue's code and its later places, the noise and the time limit are ours).

    Args:
        env_id: its name.
        corridor: steps from the start to the junction.
        latest: how many steps from the start the cue stands at most, less than `corridor`; 0: at the start.
    """
    time_limit = 10 * (corridor + 1)

    def show(state: State):
        cue = jnp.where(state.in_north, CUE_NORTH, CUE_SOUTH)
        seen = jnp.where(state.place == state.cue, cue, jnp.where(state.place == corridor, JUNCTION, CORRIDOR))
        return jax.nn.one_hot(seen, 4, dtype=jnp.float32)

    def reset(key):
        start = jnp.array(0, jnp.int32)
        # Not split: the side is drawn from `key` itself, so that `TMaze-N` keeps its episodes.
        cue = jax.random.randint(jax.random.fold_in(key, 1), (), 1, latest + 1) if latest else start
        state = State(jax.random.bernoulli(key), start, start, cue)
        return state, show(state)

    def step(key, state: State, action) -> Step:
        turns = (action == NORTH) | (action == SOUTH)
        terminated = turns & (state.place == corridor)
        move = jnp.where(action == EAST, 1, jnp.where(action == WEST, -1, 0))
        place = jnp.clip(state.place + move, 0, corridor)
        at_end = jnp.where((action == NORTH) == state.in_north, RIGHT, WRONG)
        reward = jnp.where(terminated, at_end, jnp.where(place == state.place, STANDS_STILL, 0.0))
        after = state._replace(place=place, time=state.time + 1)
        return Step(after, show(after), reward, terminated, after.time >= time_limit)

    return Environment(env_id, 4, 4, time_limit, THRESHOLD, reset, step)
