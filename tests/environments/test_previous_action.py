"""The action before, beside what an environment shows: laid out as popgym's own wrappers do."""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.testing import assert_array_equal

from morphorl.environments import registry

BANDIT = "popgym-MultiarmedBanditEasy-v0"


def test_it_shows_the_observation_the_action_before_and_whether_an_episode_has_just_begun():
    bare, env = registry.make_env(BANDIT), registry.make_env(f"{BANDIT}+action")
    state, first = env.reset(jax.random.key(0))
    # popgym.wrappers.Antialias(PreviousAction(env)) gives (0, 0, 1) at the reset and (paid, action, 0) then.
    assert_array_equal(first, [1, 0, *np.eye(10)[0], 0, 1])
    after = env.step(jax.random.key(1), state, jnp.array(7))
    alone = bare.step(jax.random.key(1), state, jnp.array(7))
    assert_array_equal(after.observation, [*alone.observation, *np.eye(10)[7], 1, 0])
    assert (after.reward, after.truncated) == (alone.reward, alone.truncated)
    assert env.num_features == first.size == bare.num_features + 12


def test_a_picture_beside_an_action_is_a_picture_no_more():
    assert registry.make_env("Breakout-MinAtar").picture == (10, 10, 4)
    assert registry.make_env("Breakout-MinAtar+action").picture is None  # or a convolution would not see the action


def test_a_continuous_action_is_shown_as_it_is():
    env = registry.make_env("popgym-PositionOnlyPendulumEasy-v0+action")
    state, first = env.reset(jax.random.key(0))
    assert_array_equal(first[2:], [0, 0, 1])
    assert_array_equal(env.step(jax.random.key(1), state, jnp.array([1.5])).observation[2:], [1.5, 1, 0])


def test_what_changes_within_training_changes_behind_it_too():
    name = "ChangingCartPole-gravity-30-share-0.5"
    env = registry.make_env(f"{name}+action")
    assert env.at is not None
    state, _ = env.reset(jax.random.key(0))
    reached = [env.at(progress).step(jax.random.key(1), state, jnp.array(1)).observation for progress in (0.2, 0.8)]
    assert [one.size for one in reached] == [8, 8]
    assert not np.array_equal(*reached)
