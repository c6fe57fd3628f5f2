"""The fresh sign: it keeps the size of a readout, and forgets the step before."""

import jax.numpy as jnp
import numpy as np
import pytest

from helpers.acting import act
from morphorl.dynamics.sign_flipped import SignFlipped


@pytest.fixture(scope="module")
def acted():
    return act(dynamics=SignFlipped(dt=0.0, initial_scale=1.0))


def test_it_keeps_the_size_of_a_readout_and_forgets_the_last_step(acted):
    pattern = acted.state.agent.pattern.activator
    unsigned = jnp.einsum("tfe,fa->tae", acted.seen.observation, pattern)
    sign = np.asarray(acted.seen.readout / unsigned)
    np.testing.assert_allclose(np.abs(sign), 1.0, rtol=1e-4)
    np.testing.assert_allclose(sign[:, 0], sign[:, 1], rtol=1e-4)  # one sign for the whole readout
    sign = np.sign(sign[:, 0])
    for share in (sign > 0, sign[1:] == sign[:-1], sign[:, 1:] == sign[:, :-1]):
        assert abs(share.mean() - 0.5) < 5 * 0.5 / np.sqrt(share.size)


def test_the_ratio_is_one_in_the_first_minibatch(acted):
    np.testing.assert_allclose(acted.ratios(), 1.0, atol=2e-6)
