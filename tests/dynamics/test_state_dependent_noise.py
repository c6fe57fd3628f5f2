"""State-dependent exploration: a readout of the policy's last hidden layer, by weights that last."""

import numpy as np
import pytest

from helpers.acting import act
from morphorl.dynamics.state_dependent_noise import StateDependentNoise


@pytest.fixture(scope="module")
def acted():
    return act(dynamics=StateDependentNoise(deviation=2.0, reset="redraw", redraw=0.1))


def test_the_readout_is_that_of_the_policys_last_hidden_layer_by_weights_that_last(acted):
    theta, again = acted.answers()
    assert theta.shape[1:] == (8, 2, acted.settings.ppo.num_envs)
    actor = acted.state.agent.actor
    before = np.einsum("hf,tfe->the", actor.weights[0], acted.seen.observation)
    hidden = np.tanh(before + np.asarray(actor.biases[0])[:, None])
    expected = 2.0 / np.sqrt(8) * np.einsum("thae,the->tae", theta, hidden)
    np.testing.assert_allclose(acted.seen.readout, expected, atol=1e-5)
    assert np.std(theta[1:].transpose(0, 3, 1, 2)[again[:-1]]) == pytest.approx(1.0, abs=0.1)  # fresh, standard normal


def test_the_ratio_is_one_in_the_first_minibatch(acted):
    np.testing.assert_allclose(acted.ratios(), 1.0, atol=2e-6)
