"""Correlated noise: it is the process that it says, and knows nothing of the observation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.acting import act
from morphorl.dynamics.correlated_noise import CorrelatedNoise


@pytest.mark.parametrize("autocorrelation", [0.0, 0.9, -0.5])
def test_it_has_the_variance_and_the_autocorrelation_that_it_is_asked_for(autocorrelation):
    system, nothing_seen = CorrelatedNoise(deviation=2.0, autocorrelation=autocorrelation), jnp.zeros(4)
    start = jax.vmap(lambda key: system.init(key, (4, 2)), out_axes=-1)(jax.random.split(jax.random.key(0), 20_000))
    normal = system.noise(jax.random.key(1), (4, 2), (10, 20_000))
    advance = jax.vmap(lambda state, n: system.step(state, nothing_seen, noise=n), in_axes=-1, out_axes=-1)

    def step(state, n):
        state = advance(state, n)
        return state, state

    values = np.asarray(jax.lax.scan(step, start, normal)[1])
    values = np.concatenate([np.asarray(start)[None], values])
    np.testing.assert_allclose(values.std(axis=(1, 2)), 2.0, rtol=0.02)  # stationary from the first step on
    for lag in (1, 3):
        measured = np.mean(values[lag:] * values[:-lag]) / 4.0
        assert measured == pytest.approx(autocorrelation**lag, abs=0.02)
    assert np.corrcoef(values[:, 0].ravel(), values[:, 1].ravel())[0, 1] == pytest.approx(0, abs=0.02)


@pytest.fixture(scope="module")
def acted():
    return act(dynamics=CorrelatedNoise(deviation=3.0, autocorrelation=1.0, reset="redraw"))


def test_in_a_rollout_it_ignores_the_observation_and_starts_afresh_with_redraw(acted):
    readout, done = np.asarray(acted.seen.readout), acted.done
    changed = (readout[1:] != readout[:-1]).any(axis=1)  # with a correlation of 1 it changes at episode ends only
    np.testing.assert_array_equal(changed, done[:-1])
    np.testing.assert_allclose(
        readout[1:].transpose(0, 2, 1)[done[:-1]], acted.randomness.pattern.transpose(0, 2, 1)[:-1][done[:-1]]
    )


def test_the_ratio_is_one_in_the_first_minibatch(acted):
    np.testing.assert_allclose(acted.ratios(), 1.0, atol=2e-6)
