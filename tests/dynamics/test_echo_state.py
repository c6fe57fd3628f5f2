"""The echo-state network: its size, its spectral radius, and what it remembers and forgets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.acting import act, remembered, small
from morphorl.config import random_streams
from morphorl.dynamics.echo_state import EchoState, Weights, signs, units
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.studies import batch_training
from morphorl.studies.run import Run

SHAPE = (4, 2)
REST = jnp.zeros(16)


def states(system, constants, start, observations):
    """All states under a series of observations."""

    def step(state, observation):
        state = system.step(state, observation, constants=constants)
        return state, state

    return jax.lax.scan(step, start, observations)[1]


@pytest.mark.parametrize("wiring", ["random", "cycle"])
def test_it_has_the_cells_size_and_the_spectral_radius_that_it_is_asked_for(wiring):
    system = EchoState(spectral_radius=0.7, wiring=wiring)
    constants = system.constants(jax.random.key(0), SHAPE)
    assert units(SHAPE) == sum(u.size for u in ReactionDiffusion().init(jax.random.key(0), SHAPE))
    assert system.init(jax.random.key(0), SHAPE).shape == (16,)
    jacobian = jax.jacobian(lambda r: system.step(r, jnp.zeros(4), constants=constants))(REST)
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(jacobian)), 0.7, rtol=1e-4)


def test_it_remembers_its_input_for_a_while_and_forgets_its_start():
    system = EchoState(spectral_radius=0.7, input_scale=0.5)
    constants = system.constants(jax.random.key(0), SHAPE)
    x = jax.random.normal(jax.random.key(1), (60, 4))
    last = jax.jit(lambda r, x: states(system, constants, r, x)[-1])
    np.testing.assert_allclose(last(REST, x), last(jnp.ones(16), x), atol=1e-4)
    nudged = x.at[57].add(1.0)
    assert np.abs(last(REST, x) - last(REST, nudged)).max() > 0.01


def test_its_readout_has_the_deviation_that_it_is_asked_for_when_its_units_are_at_one():
    system, huge = EchoState(deviation=2.5), jnp.full(4, 1e6)

    @jax.vmap
    def readout(key):
        constants = system.constants(key, SHAPE)
        return system.read(system.step(REST, huge, constants=constants), huge, constants=constants)

    assert np.std(readout(jax.random.split(jax.random.key(2), 4000))) == pytest.approx(2.5, rel=0.04)


def test_a_cycle_passes_each_units_value_on_and_draws_no_luck():
    system = EchoState(wiring="cycle", spectral_radius=0.6, input_scale=0.3)
    r, x = jnp.linspace(-1, 1, 16), jnp.array([0.5, -1.0, 2.0, 0.1])
    inputs = np.asarray(signs(16, 4))
    assert set(np.unique(inputs)) == {-1.0, 1.0}
    expected = np.tanh(0.6 * np.roll(r, 1) + 0.3 * inputs @ np.asarray(x))
    for key in (0, 1):
        constants = system.constants(jax.random.key(key), SHAPE)
        np.testing.assert_allclose(system.step(r, x, constants=constants), expected, rtol=1e-5)


def test_as_memory_it_shows_what_it_holds_and_forgets_how_an_episode_started():
    memory = EchoState(wiring="cycle", spectral_radius=0.8, input_scale=0.3)
    observations = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
    late = observations.repeat(6, axis=0)
    one, other = (
        remembered(memory, np.concatenate([first, late])) for first in (observations[:1], -3 * observations[1:2])
    )
    assert np.abs(one[1] - other[1]).max() > 0.1
    np.testing.assert_allclose(one[-1], other[-1], atol=1e-4)


@pytest.fixture(scope="module")
def wired():
    return small(dynamics=EchoState())


def test_its_weights_come_from_the_cell_seed_alone_and_are_never_trained(wired):
    runs = [Run("a", wired, seed, cell_seed) for seed, cell_seed in ((0, 0), (1, 0), (0, 1))]
    agents = batch_training.train_batch(runs, 4).agents
    fresh = wired.dynamics.constants(jax.random.fold_in(jax.random.key(random_streams.CELL), 0), SHAPE)
    assert isinstance(fresh, Weights)
    for trained, drawn in zip(agents.constants, fresh, strict=True):
        np.testing.assert_allclose(trained[0], drawn, atol=1e-6)
        np.testing.assert_array_equal(trained[0], trained[1])
        assert not np.array_equal(trained[0], trained[2])


def test_the_ratio_is_one_in_the_first_minibatch():
    np.testing.assert_allclose(act(dynamics=EchoState()).ratios(), 1.0, atol=2e-6)
