"""Radial features in place of an observation: against their definition, and where they cannot be had."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config.errors import SettingError
from morphorl.environments import registry
from morphorl.environments.radial_features import PLACES, centres, radial_features

LOW, HIGH = np.array([-1.2, -0.07]), np.array([0.6, 0.07])
"""Of MountainCar's position and velocity."""


def test_it_shows_normalised_radial_functions_of_what_the_environment_shows():
    bare, env = registry.make_env("MountainCar-v0"), registry.make_env("MountainCar-v0+radial")
    state, first = env.reset(jax.random.key(0))
    after = env.step(jax.random.key(1), state, jnp.array(2))
    alone = bare.step(jax.random.key(1), state, jnp.array(2))
    places, width = centres(2)
    assert env.num_features == PLACES == len(places)
    for shown, x in ((first, bare.reset(jax.random.key(0))[1]), (after.observation, alone.observation)):
        u = 2 * (np.asarray(x, np.float64) - LOW) / (HIGH - LOW) - 1
        bumps = np.exp(-((u - places) ** 2).sum(axis=1) / (2 * width**2))
        assert_allclose(shown, bumps / bumps.sum(), rtol=1e-4, atol=1e-7)
    assert (after.reward, after.terminated, after.truncated) == (alone.reward, alone.terminated, alone.truncated)


@pytest.mark.parametrize("dimensions", [1, 2, 6])
def test_places_fill_the_range_evenly_and_each_is_felt_most_at_its_own_centre(dimensions):
    places, width = centres(dimensions)
    assert (np.abs(places) <= 1).all()
    assert_allclose(places.mean(axis=0), np.zeros(dimensions), atol=0.06)
    assert_allclose((places**2).mean(axis=0), np.full(dimensions, 1 / 3), atol=0.05)  # as the uniform distribution's
    features = radial_features(-np.ones(dimensions), np.ones(dimensions))
    shown = np.array([features(jnp.asarray(place, jnp.float32)) for place in places])
    assert_array_equal(shown.argmax(axis=1), np.arange(PLACES))
    assert_allclose(shown.sum(axis=1), 1, rtol=1e-5)
    neighbours = np.sort(np.linalg.norm(places[:, None] - places, axis=2), axis=1)[:, 1]
    assert np.median(neighbours) == pytest.approx(width)


def test_the_action_before_may_stand_behind_them():
    env = registry.make_env("MountainCar-v0+radial+action")
    assert env.id == "MountainCar-v0+radial+action"
    assert_array_equal(env.reset(jax.random.key(0))[1][PLACES:], [1, 0, 0, 0, 1])


@pytest.mark.parametrize(
    ("env_id", "said"),
    [
        ("CartPole-v1+radial", r"must be one of gymnax's kind whose features all have bounds"),
        ("TMaze-10+radial", r"must be one of gymnax's kind"),
        ("FrozenLake-misc+radial", r"must be one of gymnax's kind"),
        ("SimpleBandit-bsuite+radial", r"must be one of gymnax's kind"),
        ("MountainCar-v0+action+radial", r"with \+radial right behind its id"),
        ("MountainCar-v0+radial+radial", r"with \+radial right behind its id"),
        ("Catch-bsuite+radial", r"has 50 features; must have at most 8"),
        ("gym:MountainCar-v0+radial", r"must be one in JAX where \+radial stands behind it"),
    ],
)
def test_what_has_no_places_is_refused(env_id, said):
    with pytest.raises(SettingError, match=said):
        registry.make_env(env_id)
