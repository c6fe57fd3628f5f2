"""The previous observation: what it shows is the scaled difference of two observations."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from helpers.acting import remembered
from morphorl.dynamics.previous_observation import PreviousObservation

OBSERVATIONS = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)


def test_it_shows_the_scaled_difference_of_two_observations():
    rows = remembered(PreviousObservation(gain=7.0), OBSERVATIONS)
    assert_array_equal(rows[:, :2], OBSERVATIONS)
    assert_allclose(rows[1:, 2:], 7 * np.diff(OBSERVATIONS, axis=0), rtol=1e-4, atol=1e-5)
    assert_array_equal(rows[0, 2:], 0)  # an episode's start is no surprise
