"""Bistable cells: where they rest, what each state attracts, and what it takes to switch one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from helpers.trajectories import last, trajectory
from morphorl.dynamics.bistable import Bistable, restoring
from morphorl.dynamics.guidance.blind import Blind

STEPS = 2_000
RATE = 0.1


def threshold(rate):
    """The formula in the docstring."""
    kept = np.exp(-2 * rate)
    return (kept ** (-1 / 3) - 1) * np.sqrt((kept ** (2 / 3) - kept) / (1 - kept))


def column(*values):
    """One action's cells, a feature each."""
    return jnp.array(values)[:, None]


def test_follows_the_equation_exactly():
    starts = np.array([-3.0, -0.4, 0.05, 0.3, 2.5])
    exact = solve_ivp(lambda _, u: RATE * (u - u**3), (0, 7), starts, rtol=1e-9, atol=1e-9).y[:, -1]
    ours = last(trajectory(Bistable(rate=RATE), column(*starts), jnp.zeros((7, 5))))
    np.testing.assert_allclose(ours[:, 0], exact, rtol=1e-5)


def test_rests_at_one_on_the_side_of_zero_where_it_starts():
    starts = (-1.0, 0.0, 1.0, 1e-3, -1e-3, 2.0, -0.2)
    states = trajectory(Bistable(rate=RATE), column(*starts), jnp.zeros((STEPS, 7)))
    np.testing.assert_allclose(states[0, :3, 0], [-1, 0, 1], atol=1e-6)  # fixed points, from the first step on
    np.testing.assert_allclose(last(states)[:, 0], [-1, 0, 1, 1, -1, 1, -1], atol=1e-5)


@pytest.mark.parametrize(("rate", "tolerance"), [(0.3, 0.01), (0.01, 1e-4)])
def test_the_threshold_is_that_of_the_cubic(rate, tolerance):
    assert threshold(rate) == pytest.approx(2 * rate / (3 * np.sqrt(3)), rel=tolerance)


@pytest.mark.parametrize(("rate", "strength"), [(0.1, 0.0), (0.5, 0.0), (0.1, 0.02)])
def test_a_constant_push_switches_a_cell_above_the_threshold_alone(rate, strength):
    needed = threshold(rate) + strength  # guidance holds on to the state
    pushes = jnp.array([0.0, 0.5, 0.99, 1.01, 2.0])
    observations = jnp.concatenate([jnp.tile(pushes, (STEPS, 1)), jnp.zeros((STEPS, 5))])
    system = Bistable(rate=rate, drive=float(needed))
    states = trajectory(system, column(*[-1.0] * 5), observations, guide=Blind(strength=strength))
    np.testing.assert_array_equal(np.sign(states[STEPS - 1, :, 0]), [-1, -1, -1, 1, 1])
    if strength == 0:  # what is kept when the push has ended
        np.testing.assert_allclose(last(states)[:, 0], [-1, -1, -1, 1, 1], atol=1e-5)


def test_a_single_push_switches_where_it_carries_the_cell_past_zero():
    observations = jnp.zeros((200, 2)).at[0].set(jnp.array([0.99, 1.01]))
    states = trajectory(Bistable(rate=RATE, drive=1.0), column(-1.0, -1.0), observations)
    np.testing.assert_allclose(last(states)[:, 0], [-1, 1], atol=1e-4)


def test_actions_are_pushed_apart_and_read_by_the_observation():
    system, observation = Bistable(drive=0.5), jnp.array([1.0, -2.0])
    state = last(trajectory(system, jnp.zeros((2, 3)), jnp.tile(observation, (100, 1))))
    np.testing.assert_array_equal(np.sign(state), [[1, 0, -1], [-1, 0, 1]])
    np.testing.assert_allclose(system.read(state, observation), observation @ state, rtol=1e-6)


def test_no_input_takes_it_past_its_bound():
    observations = jnp.array([1e4, -1e4, 1e10, 3.0])
    states = trajectory(Bistable(rate=RATE, drive=1.0), jnp.zeros((4, 2)), jnp.tile(observations, (50, 1)))
    bound = 1 / np.sqrt(1 - np.exp(-2 * RATE))
    assert float(jnp.max(jnp.abs(states))) == pytest.approx(bound, rel=1e-4)


def test_any_rate_is_finite():
    grid = jnp.array([0.0, 1e-20, 1.0, 100.0])
    assert bool(jnp.isfinite(jax.vmap(lambda rate: grid * restoring(grid**2, rate))(jnp.array([1e-6, 1.0, 1e3]))).all())
