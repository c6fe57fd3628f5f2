"""Coloured noise: its spectrum, its deviation, and the autocorrelation of fractional noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.config.errors import SettingError
from morphorl.dynamics.coloured_noise import ColouredNoise, autocorrelations, shares

BETAS = (0.0, 0.5, 1.0, 1.5)
STEPS, SERIES = 4096, 200


@pytest.fixture(scope="module")
def colours():
    """Noise of four colours: β, and (steps, series) of environments of one action."""
    keys = jax.random.split(jax.random.key(0), SERIES)

    @jax.jit
    @jax.vmap
    def values(system):
        start = jax.vmap(lambda key: system.init(key, (1, 1)), out_axes=-1)(keys)

        @jax.vmap
        def advance(state, noise):
            state = system.step(state, jnp.zeros(1), noise=noise)
            return state, system.read(state, jnp.zeros(1))

        def step(states, key):
            states, readouts = advance(states, system.noise(key, (1, 1), (SERIES,)).T)
            return states, readouts[:, 0]

        return jax.lax.scan(step, start.transpose(2, 0, 1), jax.random.split(jax.random.key(1), STEPS))[1]

    systems = jax.tree.map(lambda *u: jnp.array(u), *(ColouredNoise(deviation=2.0, colour=beta) for beta in BETAS))
    return dict(zip(BETAS, np.asarray(values(systems)), strict=True))


@pytest.mark.parametrize("beta", BETAS)
def test_the_spectrum_falls_as_it_is_asked_to(colours, beta):
    values = colours[beta]
    window = np.hanning(len(values))[:, None]  # the slow components must not leak into the fast ones
    power = (np.abs(np.fft.rfft(values * window, axis=0)) ** 2).mean(1)
    frequency = np.fft.rfftfreq(len(values))
    law = (frequency > 1 / 400) & (frequency < 0.1)
    slope = np.polyfit(np.log(frequency[law]), np.log(power[law]), 1)[0]
    assert slope == pytest.approx(-beta, abs=0.06)


@pytest.mark.parametrize("beta", BETAS)
def test_it_has_the_deviation_that_it_is_asked_for_from_the_first_step_on(colours, beta):
    values = colours[beta]
    for part in (values[:8], values[-8:]):  # 200 series, and a slow process hardly moves in eight steps
        assert part.std() == pytest.approx(2.0, rel=5 / np.sqrt(2 * SERIES))
    assert sum(shares(beta)) == pytest.approx(1.0, rel=1e-5)


def test_it_correlates_as_fractional_noise_does():
    """Its autocorrelation is known: Γ(k + d)Γ(1 − d)/(Γ(k + 1 − d)Γ(d)), here with d = β/2 = 1/4."""
    lags = np.arange(1, 60)
    exact = np.cumprod([(k - 1 + 0.25) / (k - 0.25) for k in lags])
    phi = np.asarray(autocorrelations(), float)
    ours = [(np.asarray(shares(0.5)) * phi**k).sum() for k in lags]
    np.testing.assert_allclose(ours, exact, atol=0.03)


def test_a_colour_that_cannot_be_is_refused_by_name():
    with pytest.raises(SettingError, match=r"dynamics.colour = 3.0: must be a number from 0 to 2\."):
        ColouredNoise(colour=3.0)
