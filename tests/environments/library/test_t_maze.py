"""The T-maze beside a table of its rules, and a corridor of any length."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config.errors import SettingError
from morphorl.environments import registry
from morphorl.environments.library.t_maze import EAST, NOISE, NORTH, SOUTH, WEST, State

CORRIDOR, JUNCTION = 2, 3


def walk(env, in_north, actions, cue=0):
    """All that the steps return from the start of one maze."""
    start = State(jnp.array(in_north), *(jnp.array(number, jnp.int32) for number in (0, 0, cue)))

    def step(state, action):
        after = env.step(jax.random.key(0), state, action)
        return after.state, after

    return jax.jit(lambda: jax.lax.scan(step, start, jnp.array(actions))[1])()


def test_each_step_shows_and_pays_what_the_rules_say():
    env = registry.make_env("TMaze-2")
    actions = [WEST, NORTH, EAST, SOUTH, EAST, EAST, WEST, WEST, EAST, EAST, NORTH]
    places = [0, 0, 1, 1, 2, 2, 1, 0, 1, 2, 2]
    bumps = [0, 1, 3, 5]
    for in_north in (True, False):
        after = walk(env, in_north, actions)
        shown = {0: 0 if in_north else 1, 1: CORRIDOR, 2: JUNCTION}
        assert_array_equal(after.observation, np.eye(4)[[shown[place] for place in places]])
        pay = np.zeros(len(actions))
        pay[bumps], pay[-1] = -0.1, 4.0 if in_north else -0.1
        assert_allclose(after.reward, pay, rtol=1e-6)
        assert_array_equal(after.terminated, np.arange(len(actions)) == len(actions) - 1)
        assert not np.any(after.truncated)


@pytest.mark.parametrize("corridor", [1, 10, 100])
def test_the_shortest_way_of_any_corridor_ends_at_the_right_moment_and_no_episode_is_longer_than_the_limit(corridor):
    env = registry.make_env(f"TMaze-{corridor}")
    short = registry.make_env("TMaze-1")
    assert (env.num_features, env.num_actions) == (short.num_features, short.num_actions)
    there = [EAST] * corridor + [SOUTH]
    after = walk(env, False, there + [WEST] * (env.time_limit - len(there)))
    assert_array_equal(np.flatnonzero(after.terminated), [corridor])
    assert_allclose(np.sum(after.reward[: len(there)]), 4, rtol=1e-6)
    assert_array_equal(np.flatnonzero(after.truncated), [env.time_limit - 1])


def test_the_cue_is_drawn_anew_and_tells_where_the_reward_is():
    state, observation = jax.vmap(registry.make_env("TMaze-10").reset)(jax.random.split(jax.random.key(0), 400))
    assert_array_equal(observation[:, 0], state.in_north)
    assert_array_equal(observation[:, 1], ~state.in_north)
    assert abs(np.mean(state.in_north) - 0.5) < 0.1


@pytest.mark.parametrize(("corridor", "latest"), [(10, 8), (4, 3)])
def test_a_late_cue_stands_at_each_of_the_first_places_as_often_and_never_at_the_start_or_the_junction(
    corridor, latest
):
    reset = registry.make_env(f"LateTMaze-{corridor}").reset
    state, observation = jax.vmap(reset)(jax.random.split(jax.random.key(0), 2_000))
    assert_array_equal(observation, np.eye(4)[np.full(2_000, CORRIDOR)])
    places, counts = np.unique(state.cue, return_counts=True)
    assert_array_equal(places, np.arange(1, latest + 1))
    assert_allclose(counts, 2_000 / latest, atol=5 * np.sqrt(2_000 / latest))
    assert abs(np.corrcoef(state.cue, state.in_north)[0, 1]) < 0.1


def test_a_late_cue_is_seen_at_its_place_alone_and_again_by_who_comes_back():
    after = walk(registry.make_env("LateTMaze-4"), True, [EAST, EAST, EAST, WEST, EAST, EAST], cue=2)
    assert_array_equal(after.observation, np.eye(4)[[CORRIDOR, 0, CORRIDOR, 0, CORRIDOR, JUNCTION]])


def test_the_noisy_maze_is_the_maze_under_noise_of_the_size_it_names():
    keys = jax.random.split(jax.random.key(0), 2_000)
    state, observation = jax.jit(jax.vmap(registry.make_env("NoisyTMaze-2").reset))(keys)
    cue = np.where(np.asarray(state.in_north)[:, None], [1, 0, 0, 0], [0, 1, 0, 0])
    assert_allclose((observation - cue).mean(axis=0), 0, atol=4 * NOISE / np.sqrt(2_000))
    assert_allclose((observation - cue).std(axis=0), NOISE, rtol=0.06)


@pytest.mark.parametrize("typo", ["TMaze-0", "TMaze-", "TMaze--3", "TMaze-1.5", "TMaze-010", "LateTMaze-1"])
def test_a_corridor_that_is_no_length_is_refused(typo):
    least = 2 if typo.startswith("Late") else 1
    with pytest.raises(SettingError, match=f"environment = '{typo}'.*must be a whole number of at least {least}"):
        registry.make_env(typo)
