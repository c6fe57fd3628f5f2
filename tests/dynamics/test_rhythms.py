"""Rhythms that know of nothing: a clock, and a sine for every action."""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_allclose

from helpers.acting import remembered
from helpers.trajectories import trajectory
from morphorl.dynamics.clock import Clock
from morphorl.dynamics.independent_sines import IndependentSines

SHAPE = (2, 3)
STILL = jnp.zeros((40, 2))


def test_a_clock_reads_one_cosine_each_action_behind_the_last():
    clock = Clock(frequency=0.05, spacing=30.0, amplitude=2.0)
    phases = trajectory(clock, clock.init(jax.random.key(0), SHAPE), STILL)
    t = np.arange(1, 41)[:, None]
    read = jax.vmap(clock.read)(phases, STILL)
    assert_allclose(read, 2 * np.cos(2 * np.pi * 0.05 * t - np.deg2rad(30) * np.arange(3)), atol=1e-4)


def test_a_clock_shows_its_phase_from_an_episodes_start():
    rows = remembered(Clock(frequency=0.05), np.zeros((20, 2), np.float32))
    t = np.maximum(np.arange(20), 1)  # a memory shows the state before: an episode's first two show the same phase
    assert_allclose(rows[:, 2:], np.stack([np.cos(0.1 * np.pi * t), np.sin(0.1 * np.pi * t)], axis=1), atol=1e-4)


def test_sines_have_frequencies_of_their_own_spread_as_they_say():
    sines = IndependentSines(frequency=0.03, spread=0.2)
    drawn = jax.vmap(lambda key: sines.init(key, SHAPE))(jax.random.split(jax.random.key(0), 2000))
    logs = np.log(np.asarray(drawn.speed) / (2 * np.pi * 0.03))
    assert abs(logs.mean()) < 0.02
    assert abs(logs.std() - 0.2) < 0.01
    one = jax.tree.map(lambda u: u[0], drawn)
    read = jax.vmap(sines.read)(trajectory(sines, one, STILL), STILL)
    assert_allclose(read, np.cos(np.asarray(one.phase) + np.asarray(one.speed) * np.arange(1, 41)[:, None]), atol=1e-4)
