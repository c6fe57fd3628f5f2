"""Continuous actions: units of the range, and environments in JAX that agree with Gymnasium's."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_allclose

from morphorl.environments import registry
from morphorl.environments.action_range import ActionRange
from morphorl.environments.jax_to_gymnasium import single

RANGE = ActionRange((-2.0, 0.0, -np.inf, 0.0), (2.0, 10.0, np.inf, np.inf))


@pytest.mark.parametrize("array", [np.array, jnp.array])
def test_minus_one_and_one_are_the_bounds_and_what_is_beyond_is_clipped(array):
    given = np.array([[-1, -1, -1, -1], [1, 1, 1, 1], [0, 0, 0, 0], [-9, 9, 9, -9]], np.float32)
    expected = [[-2, 0, -1, 0], [2, 10, 1, 1], [0, 5, 0, 0], [-2, 10, 9, 0]]
    assert_allclose([RANGE.executed(array(row)) for row in given], expected)


def test_what_is_offered_is_executed():
    own = np.array([1.5, 2.5, -7.0, 3.0], np.float32)
    assert_allclose(RANGE.executed(RANGE.offered(own)), own, rtol=1e-6)


def test_a_box_has_the_range_of_its_bounds():
    assert ActionRange.of(spaces.Box(-0.5, 0.5, (2,), np.float32)) == ActionRange((-0.5, -0.5), (0.5, 0.5))


@pytest.mark.parametrize("name", ["Pendulum-v1", "MountainCarContinuous-v0"])
def test_random_steps_agree_with_gymnasium(name):
    ours, theirs = registry.make_env(name), gymnasium.make(name).unwrapped
    reset, step = jax.jit(ours.reset), jax.jit(ours.step)
    generator = np.random.default_rng(0)
    state, observation = reset(jax.random.key(0))
    theirs.reset(seed=0)
    theirs.state = np.array([state.theta, state.theta_dot] if name == "Pendulum-v1" else observation, np.float64)
    for _ in range(100):
        action = generator.uniform(-1.5, 1.5, 1).astype(np.float32)
        after = step(jax.random.key(1), state, jnp.asarray(action))
        taken = np.clip(action, -1, 1) * theirs.action_space.high
        observation, reward, terminated, *_ = theirs.step(taken)
        state = after.state
        assert_allclose(after.observation, observation, atol=2e-3)
        assert_allclose(after.reward, reward, atol=1e-2)
        assert bool(after.terminated) == terminated


def test_gymnasiums_loop_takes_actions_in_the_environments_own_units():
    env = single("PointRobot-misc")  # Gymnasium has none of that name
    assert_allclose(env.action_space.high, 0.1)
    before, _ = env.reset(seed=3)
    after, *_ = env.step(np.array([0.1, -0.05], np.float32))
    assert_allclose(after[:2] - before[:2], [0.1, -0.05], atol=1e-6)
