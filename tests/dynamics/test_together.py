"""Two memories together show what each shows alone."""

import numpy as np
from numpy.testing import assert_array_equal

from helpers.acting import remembered
from morphorl.dynamics.clock import Clock
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.together import Together

OBSERVATIONS = np.random.default_rng(1).normal(size=(12, 2)).astype(np.float32)


def test_each_shows_what_it_shows_alone():
    one, other = LeakyIntegrators(), Clock(frequency=0.1)
    rows = remembered(Together(one=one, other=other), OBSERVATIONS)
    shown, phase = (remembered(system, OBSERVATIONS) for system in (one, other))
    assert_array_equal(rows, np.concatenate([shown, phase[:, 2:]], axis=1))
