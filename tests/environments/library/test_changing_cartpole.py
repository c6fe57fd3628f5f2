"""A changing CartPole beside Gymnasium's, with the pole or the gravity of before and after."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config.errors import SettingError
from morphorl.environments import registry
from morphorl.environments.library.changing_cartpole import IDS
from morphorl.ppo import task
from morphorl.ppo.settings import Settings

STATES = np.random.default_rng(0).uniform([-2.4, -3, -0.2, -3], [2.4, 3, 0.2, 3], (200, 4)).astype(np.float32)
ACTIONS = np.arange(200) % 2
CHANGED = {"length": {"length": 1.5}, "gravity": {"gravity": 30.0}, "push": {"reverse": True}}


def in_gymnasium(*, reverse=False, **changed):
    """One step from each state, under CartPole's own physics or changed ones: states reached, rewards, ends."""
    env, reached, rest = CartPoleEnv(), [], []
    for name, value in changed.items():
        setattr(env, name, value)
    env.polemass_length = env.masspole * env.length
    for state, action in zip(STATES, ACTIONS, strict=True):
        env.reset()
        env.state = state.astype(float)
        _, reward, terminated, _, _ = env.step(int(1 - action if reverse else action))
        reached.append(env.state)
        rest.append((reward, terminated))
    return np.array(reached), np.array(rest)


def ours(env, time, until=None):
    """The same steps of ours, each the one after `time` steps of an episode that changes after `until`."""
    state, _ = env.reset(jax.random.key(0))
    state = jax.tree.map(lambda u: jnp.broadcast_to(u, len(STATES)), state)
    numbers = dict(zip(("position", "velocity", "angle", "angular_velocity"), STATES.T, strict=True))
    cart = state.cart._replace(time=jnp.full(len(STATES), time, jnp.int32), **numbers)
    state = state._replace(cart=cart, until=state.until if until is None else jnp.full(len(STATES), until))
    return jax.jit(jax.vmap(env.step))(jax.random.split(jax.random.key(1), len(STATES)), state, ACTIONS)


@pytest.mark.parametrize("name", IDS)
def test_before_its_change_it_is_gymnasiums_cartpole_and_after_it_gymnasiums_with_other_physics(name):
    env, what = registry.make_env(name), name.split("-")[1]
    if "step" in name:
        before, after = ours(env, 99), ours(env, 100)
    elif "chance" in name:
        before, after = ours(env, 99, until=100), ours(env, 100, until=100)
    else:  # whatever an episode's time is
        at = [task.at(Settings(name), env, None, progress)[1] for progress in (0.49, 0.5)]
        before, after = ours(at[0], 300), ours(at[1], 0)
        assert_array_equal(after.observation, ours(env, 0).observation)  # as evaluated when training is over
    for step, changed in ((before, {}), (after, CHANGED[what])):
        reached, rest = in_gymnasium(**changed)
        assert_allclose(step.observation, reached, atol=1e-5)
        assert_array_equal(np.stack([step.reward, step.terminated], axis=1), rest)
    assert np.max(np.abs(before.observation - after.observation)) > 0.01


def test_its_episodes_are_as_long_as_those_of_cartpole():
    env = registry.make_env(IDS[0])
    assert env.time_limit == registry.make_env("CartPole-v1").time_limit
    assert not np.any(ours(env, 498).truncated)
    assert np.all(ours(env, 499).truncated)


def test_a_change_by_chance_comes_at_any_step_and_in_the_mean_when_its_probability_says():
    env = registry.make_env("ChangingCartPole-push-reversed-chance-0.01")
    until = jax.vmap(env.reset)(jax.random.split(jax.random.key(2), 20_000))[0].until
    assert_allclose(np.mean(until), 100, atol=5 * 100 / np.sqrt(20_000))
    assert np.min(until) == 1


WRONG = """length-0-step-100 mass-1-step-100 length-1-day-3 length-1-step-500 length-1-step-1.5 gravity-20-share-1
gravity-20-share-0 gravity-20 push-2-share-0.5 length-reversed-step-9 push-reversed-chance-1"""


@pytest.mark.parametrize("wrong", WRONG.split())
def test_an_id_that_says_no_change_is_refused(wrong):
    with pytest.raises(SettingError, match=f"environment = 'ChangingCartPole-{wrong}'.*WHAT length or gravity and"):
        registry.make_env(f"ChangingCartPole-{wrong}")
