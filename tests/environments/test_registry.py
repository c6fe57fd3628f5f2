"""Our environments beside Gymnasium's, and every environment that can be named."""

from functools import partial

import gymnasium
import gymnax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config.errors import SettingError
from morphorl.environments import registry
from morphorl.environments.cartpole import CartPoleState

CARTPOLES = {
    "CartPole-v1": ("CartPole-v1", [0, 1, 2, 3]),
    "StatelessCartPole-v1": ("morphorl/StatelessCartPole-v1", [0, 2]),
    "CartPoleNoVel-v1": ("morphorl/CartPoleNoVel-v1", [0, None, 2, None]),
}

cartpoles = pytest.mark.parametrize("name", CARTPOLES)


def numbers(state):
    return np.array(state[:4], float)


def walk_beside_gymnasium(name, policy, steps, seed=0):
    """Step both from our state and compare all they return; gives each episode's (terminated, truncated, length)."""
    env = registry.make_env(name)
    reset, step = jax.jit(env.reset), jax.jit(env.step)
    theirs = gymnasium.make(CARTPOLES[name][0])
    key, ends, length = jax.random.key(seed), [], 0
    state, _ = reset(key)
    theirs.reset(seed=seed)
    for n in range(steps):
        theirs.unwrapped.state = numbers(state)
        action = policy(numbers(state))
        state, *ours = step(key, state, jnp.array(action))
        expected = theirs.step(action)
        for value, want in zip(ours, expected[:4], strict=True):
            assert_allclose(value, want, atol=1e-4)
        assert_allclose(numbers(state), theirs.unwrapped.state, atol=1e-4)
        length += 1
        if expected[2] or expected[3]:
            ends.append((*expected[2:4], length))
            state, _ = reset(jax.random.fold_in(key, n))
            theirs.reset()
            length = 0
    return ends


def balance(state):
    return int(state @ [0.1, 0.3, 3.0, 0.7] > 0)


@cartpoles
def test_random_steps_agree_with_gymnasium_through_many_terminations(name):
    generator = np.random.default_rng(1)
    ends = walk_beside_gymnasium(name, lambda state: int(generator.integers(2)), steps=600)
    assert len(ends) > 15
    assert all(terminated and not truncated for terminated, truncated, _ in ends)


@cartpoles
def test_a_balanced_pole_is_truncated_and_not_terminated_at_500_as_in_gymnasium(name):
    assert walk_beside_gymnasium(name, balance, steps=500) == [(False, True, 500)]
    assert registry.make_env(name).time_limit == gymnasium.spec(CARTPOLES[name][0]).max_episode_steps == 500


def test_single_steps_from_anywhere_agree_with_gymnasium():
    generator = np.random.default_rng(2)
    starts = generator.uniform([-2.4, -40, -0.2, -3], [2.4, 40, 0.2, 3], (300, 4))
    env, theirs = registry.make_env("CartPole-v1"), gymnasium.make("CartPole-v1").unwrapped
    step, (state, _) = jax.jit(env.step), env.reset(jax.random.key(0))
    left, right = set(), set()
    for start in starts:
        action = int(generator.integers(2))
        ours = step(jax.random.key(0), CartPoleState(*jnp.asarray(start, jnp.float32), state.time), action)
        theirs.reset()
        theirs.state = start
        observation, reward, terminated, _, _ = theirs.step(action)
        assert_allclose(ours.observation, observation, atol=1e-4)
        assert ours.reward == reward == 1
        assert ours.terminated == terminated
        left.add(bool(observation[0] < -2.4))
        right.add(bool(observation[0] > 2.4))
    assert left == right == {True, False}  # the cart left the track on both sides


@pytest.mark.optimised
def test_resets_and_steps_equal_gymnaxs_to_the_last_bit():
    """Studies are stored that were trained in gymnax's. Steps after an end too: an evaluation goes on to its last."""
    ours, (theirs, params) = registry.make_env("CartPole-v1"), gymnax.make("CartPole-v1")

    def reset(key):
        return theirs.reset_env(key, params)[::-1]

    def step(key, state, action):
        observation, state, *told = theirs.step_env(key, state, action, params)
        return state, observation, *told

    assert_array_equal(*(walk(*pair) for pair in ((ours.reset, ours.step), (reset, step))))


@partial(jax.jit, static_argnums=(0, 1))
def walk(reset, step):
    """Observations, rewards and ends of 64 episodes of 40 random steps."""
    keys = jax.random.split(jax.random.key(4), 64)
    state, first = jax.vmap(reset, out_axes=(0, -1))(keys)

    def one(state, action):
        state, observation, reward, terminated, *_ = jax.vmap(step)(keys, state, action)
        return state, jnp.concatenate([observation.T, reward[None], terminated[None]])

    seen = jax.lax.scan(one, state, jax.random.randint(keys[0], (40, 64), 0, 2))[1]
    return jnp.concatenate([first.ravel(), seen.ravel()])


@cartpoles
def test_the_observation_shows_exactly_the_numbers_it_should(name):
    env, visible = registry.make_env(name), CARTPOLES[name][1]
    state, observation = env.reset(jax.random.key(3))
    for seen in (state, observation), env.step(jax.random.key(0), state, jnp.array(1))[:2]:
        full = numbers(seen[0])
        assert np.all(full != 0)
        assert_array_equal(seen[1], [0 if i is None else full[i] for i in visible])
    assert env.num_features == len(visible)


@pytest.mark.parametrize("name", ["StatelessCartPole-v1", "CartPoleNoVel-v1"])
@pytest.mark.filterwarnings("error", "ignore:.*infinity")  # CartPole-v1 itself has unbounded velocities
def test_the_registered_environments_pass_gymnasiums_own_checks(name):
    check_env(gymnasium.make(f"morphorl/{name}").unwrapped, skip_render_check=True)


@cartpoles
def test_the_threshold_is_the_registered_one(name):
    assert registry.make_env(name).threshold == gymnasium.spec(CARTPOLES[name][0]).reward_threshold == 475


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("CartPol-v1", "CartPole-v1"), ("StatlessCartPole-v1", "StatelessCartPole-v1"), ("Acrobat-v1", "Acrobot-v1")],
)
def test_an_unknown_id_is_refused_with_the_nearest_one(typo, meant):
    with pytest.raises(SettingError) as error:
        registry.make_env(typo)
    assert f"environment = {typo!r}" in str(error.value)
    assert f"Did you mean {meant!r}?" in str(error.value)


LIBRARY = [name for offer in registry.library_offers() for name in offer.ids]
"""Ours that `tests/environments/library` steps; here only the shapes of what they give are looked at."""


@pytest.mark.parametrize("name", [name for name in registry.names() if name not in LIBRARY])
def test_every_environment_resets_and_steps(name):
    env = registry.make_env(name)
    state, observation = jax.jit(env.reset)(jax.random.key(0))
    with jax.numpy_rank_promotion("allow"):  # which some of gymnax's rely on
        after = jax.jit(env.step)(jax.random.key(1), state, some_action(env))
    assert np.all(np.isfinite(observation))
    assert np.all(np.isfinite(after.observation))
    assert_well_shaped(env, state, observation, after)
    spec = gymnasium.registry.get(name)
    assert spec is None or env.time_limit == spec.max_episode_steps


@pytest.mark.parametrize("name", [*LIBRARY, "TMaze-100", "popgym-RepeatFirstEasy-v0+action"])
def test_every_environment_of_the_library_gives_what_an_environment_gives(name):
    env = registry.make_env(name)
    assert env.id == name
    key = jax.random.key(0)
    state, observation = jax.eval_shape(env.reset, key)
    assert_well_shaped(env, state, observation, jax.eval_shape(env.step, key, state, some_action(env)))


def some_action(env):
    return jnp.full(env.num_actions, 0.5) if env.continuous else jnp.array(env.num_actions - 1)


def assert_well_shaped(env, state, observation, after):
    for seen in (observation, after.observation):
        assert seen.shape == (env.num_features,)
        assert seen.dtype == jnp.float32
    assert (after.reward.shape, after.reward.dtype) == ((), jnp.float32)
    for end in (after.terminated, after.truncated):
        assert (end.shape, end.dtype) == ((), bool)
    # A rollout selects between stepped and fresh states, so both must be made of the same arrays.
    kinds = [jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype, leaf.weak_type), s) for s in (state, after.state)]
    assert kinds[0] == kinds[1]


def test_an_id_that_would_download_data_is_refused_before_it_does():
    with pytest.raises(SettingError, match="downloads data"):
        registry.make_env("MNISTBandit-bsuite")
    assert not set(registry.REFUSED) & set(registry.names())
