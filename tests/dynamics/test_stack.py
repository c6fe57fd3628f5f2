"""Frame stacking shows observations so many steps ago, and an episode's first one for those before it."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from helpers.acting import remembered
from morphorl.dynamics.stack import Stack

OBSERVATIONS = np.random.default_rng(1).normal(size=(12, 2)).astype(np.float32)


@pytest.mark.parametrize(("frames", "stride"), [(1, 1), (3, 1), (3, 4)])
def test_it_shows_observations_so_many_steps_apart(frames, stride):
    rows = remembered(Stack(frames=frames, stride=stride), OBSERVATIONS)
    for back in range(frames):
        expected = OBSERVATIONS[np.maximum(np.arange(12) - back * stride, 0)]
        assert_array_equal(rows[:, 2 * back : 2 * back + 2], expected)
    assert rows.shape == (12, 2 * frames)
