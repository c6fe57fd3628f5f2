"""The ring of Hopf oscillators: amplitude, period, the wave and its direction, and what follows a rhythm."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from helpers.trajectories import trajectory
from morphorl.config.errors import SettingError
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.oscillator_ring import OscillatorRing, Oscillators

KEY = jax.random.key(0)
SHAPE = (3, 4)


def ring(steps=100, observations=None, state=None, shape=SHAPE, guide=None, **settings):
    """A system, its constants, and its states as complex numbers, of shape (1 + steps, oscillators)."""
    system = OscillatorRing(**settings)
    constants = system.constants(KEY, shape)
    state = system.init(KEY, shape) if state is None else state
    observations = jnp.zeros((steps, shape[0])) if observations is None else observations
    states = trajectory(system, state, observations, constants, guide or Blind(strength=0.0))
    real, imaginary = (np.concatenate([[before], after]) for before, after in zip(state, states, strict=True))
    return system, constants, real + 1j * imaginary


def of(z):
    return Oscillators(jnp.asarray(z.real, jnp.float32), jnp.asarray(z.imag, jnp.float32))


def test_an_oscillator_follows_the_normal_form_exactly():
    growth, frequency = 0.05, 0.013
    starts = np.array([0.02 + 0.01j, 0.5 - 0.3j, -1.0 + 0j])
    exact = solve_ivp(
        lambda _, z: (growth + 2j * np.pi * frequency - np.abs(z) ** 2) * z, (0, 20), starts, rtol=1e-9, atol=1e-9
    ).y[:, -1]
    _, _, z = ring(20, state=of(starts), oscillators=3, growth=growth, frequency=frequency, coupling=0.0)
    np.testing.assert_allclose(z[-1], exact, atol=1e-5)


def test_the_amplitude_is_the_root_of_the_growth_and_the_period_one_over_the_frequency():
    start = of(0.01 * np.exp(-2j * np.pi * np.arange(18) / 18))
    _, _, z = ring(650, state=start, growth=0.09, frequency=1 / 50)
    np.testing.assert_allclose(np.abs(z[-100:]), 0.3, rtol=1e-4)
    np.testing.assert_allclose(z[-1], z[-51], atol=1e-4)
    assert np.abs(z[-1] - z[-26]).min() > 0.59  # the other side of the circle, half a period before


@pytest.mark.parametrize(("waves", "oscillators"), [(1, 18), (-1, 18), (2, 18), (0, 6), (-1, 5)])
def test_each_oscillator_lags_by_the_same_angle(waves, oscillators):
    _, _, z = ring(60, waves=float(waves), oscillators=oscillators)
    lags = np.angle(z / np.roll(z, -1, axis=1))
    np.testing.assert_allclose(lags, 2 * np.pi * waves / oscillators, atol=1e-4)


@pytest.mark.parametrize("direction", [1, -1])
def test_the_wave_reaches_one_action_after_the_other(direction):
    system, constants, z = ring(120, waves=float(direction), frequency=1 / 36, spacing=40.0)  # 40 degrees are 4 steps
    read = np.stack([system.read(of(u), jnp.zeros(3), constants=constants) for u in z])
    late, early = (slice(20, 100), slice(20 - 4 * direction, 100 - 4 * direction))
    for action in range(1, 4):
        np.testing.assert_allclose(read[late, action], read[early, action - 1], atol=1e-4)
    np.testing.assert_allclose(read[:, 0], np.cos(2 * np.pi * np.arange(121) / 36), atol=1e-4)  # amplitude 1


def test_the_coupling_restores_the_wave_and_nothing_else_does():
    phases = -2 * np.pi * np.arange(18) / 18 + np.random.default_rng(0).uniform(-1, 1, 18)
    start = of(np.sqrt(0.1) * np.exp(1j * phases))
    for coupling, restored in ((0.5, True), (0.0, False)):
        system, _, z = ring(600, state=start, coupling=coupling)
        share = float(system.diagnose(jax.tree.map(lambda u: u[:, None], of(z[-1]))))
        assert (share > 0.9999) is restored
        assert share > 0.6
    backwards = OscillatorRing(waves=-1.0).diagnose(jax.tree.map(lambda u: u[:, None], of(z[0])))
    assert float(backwards) < 0.4


def test_it_follows_a_rhythm_near_its_own_and_slips_under_others():
    """Adler's equation: the slow phase ψ obeys ψ' = Δω − (κX/2)·cos ψ."""
    steps, frequency, pull = 20_000, 0.02, 0.01
    rhythm = 2 * np.pi * frequency
    for detuning in (-0.008, 0.008, 0.02):
        forced = rhythm - detuning
        observations = jnp.asarray(np.sin(forced * np.arange(steps)), jnp.float32)[:, None]
        _, _, z = ring(observations=observations, shape=(1, 1), oscillators=1, drive=2 * pull, frequency=frequency)
        drift = np.unwrap(np.angle(z[:, 0]))[steps // 2 :] - forced * np.arange(steps + 1)[steps // 2 :]
        speed = (drift[-1] - drift[0]) / (len(drift) - 1)
        slipping = np.sign(detuning) * np.sqrt(max(detuning**2 - pull**2, 0.0))
        assert speed == pytest.approx(slipping, abs=1e-4 if slipping == 0 else 0.05 * abs(slipping))


def test_each_feature_moves_the_oscillator_at_its_place():
    observations = jnp.zeros((1, 3)).at[0, 1].set(1.0)
    _, _, z = ring(observations=observations, coupling=0.0, drive=0.3, oscillators=6)
    _, _, still = ring(1, coupling=0.0, oscillators=6)
    assert list(np.flatnonzero(np.abs(z[-1] - still[-1]) > 1e-5)) == [2]
    # Towards a phase of 0, by κ·x·sin θ: oscillator 2 was at −120 degrees.
    assert np.angle(z[-1] / still[-1])[2] == pytest.approx(0.3 * np.sin(2 * np.pi / 3), abs=1e-4)


def test_more_features_than_oscillators_are_all_seen():
    places = OscillatorRing(oscillators=4).constants(KEY, (10, 2))
    np.testing.assert_array_equal(places.features.sum(1), 1)


def test_a_ring_that_is_seen_is_in_step_with_one_that_is_blended():
    system, constants, z = ring(37, amplitude=2.0)
    seen = system.show(of(z[-1]), jnp.array([7.0, 8.0, 9.0]), constants=constants)
    np.testing.assert_allclose(seen[:3], [7, 8, 9])
    np.testing.assert_allclose(2 * seen[3:7], system.read(of(z[-1]), jnp.zeros(3), constants=constants), atol=1e-5)
    np.testing.assert_allclose(seen[3:7] ** 2 + seen[7:] ** 2, 1, atol=1e-4)
    other = OscillatorRing().init(jax.random.key(1), SHAPE)
    np.testing.assert_array_equal(other.real, OscillatorRing().init(KEY, SHAPE).real)
    drawn = OscillatorRing(phase="random").init(jax.random.key(1), SHAPE)
    assert float(jnp.max(jnp.abs(other.real - drawn.real))) > 0.01


def test_no_input_takes_an_amplitude_past_its_bound():
    guide = Blind(strength=100.0)
    _, _, z = ring(observations=jnp.full((100, 3), -1e4), drive=1.0, guide=guide)
    assert np.abs(z).max() <= np.sqrt(0.1 / (1 - np.exp(-0.2))) + 1e-4


def test_half_a_wave_does_not_close():
    with pytest.raises(SettingError, match=r"waves = 0\.5: must be a whole number"):
        OscillatorRing(waves=0.5)
