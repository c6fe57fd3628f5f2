"""Continuous actions inside the compiled trainer: probes that must be learned, and rewards of any size."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import compiled
from helpers.probes import probe
from morphorl.dynamics.blending import Blend
from morphorl.environments.action_range import ActionRange
from morphorl.environments.wrappers import Task
from morphorl.ppo import distributions, reward_scale, task, training
from morphorl.ppo.agent import no_statistics
from morphorl.ppo.settings import PPO, Settings

LEARNER = PPO(num_envs=4, rollout_steps=40, minibatches=2, hidden=(16,), learning_rate=0.01, entropy_coefficient=0.0)

PLAIN = Blend("none")


def target(size=1.0):
    """One step; the reward is −size·(action − .4·cue)² for a cue of ±1, the action in units of its range."""
    made = probe("target", 1, 1, lambda t, c: c[None], lambda t, c, a: -size * (a[0] - 0.4 * c) ** 2, actions=1)
    return made._replace(action_range=ActionRange((-5.0,), (5.0,)))


def learned(env, steps=6_400, blend=PLAIN, **changes):
    settings = Settings(steps=steps, evaluate_every=steps, ppo=replace(LEARNER, **changes), blend=blend)
    return jax.jit(training.train, static_argnums=1)(settings, env, 0)


def test_a_probe_is_learned_with_squashed_actions():
    state = learned(target(), squash=True)
    assert np.asarray(state.curve.greedy_return)[-1] > -0.01
    assert np.all(np.asarray(state.agent.log_deviation) < -0.5)  # where reward is lost by chance, σ falls


def test_a_readout_without_weight_is_plain_ppo_bit_for_bit():
    blends = (PLAIN, Blend("add", weight=0.0), Blend("add", weight=1.0))
    plain, off, on = (learned(target(), 480, blend).agent for blend in blends)
    for part in ("actor", "critic", "log_deviation"):
        for a, b in zip(*(jax.tree.leaves(getattr(agent, part)) for agent in (plain, off)), strict=True):
            assert_array_equal(a, b)
    assert not np.allclose(plain.actor.weights[0], on.actor.weights[0], atol=1e-6)


def test_rewards_of_any_size_are_learned_from_alike_where_they_are_scaled():
    one, many = (learned(target(size), normalise_rewards=True, log_deviation=-0.5) for size in (1.0, 1024.0))
    assert np.asarray(one.curve.greedy_return)[-1] > -0.01
    for a, b in zip(jax.tree.leaves(one.agent.actor), jax.tree.leaves(many.agent.actor), strict=True):
        assert_allclose(a, b, rtol=1e-3, atol=1e-4)
    assert_allclose(one.curve.episode_return * 1024, many.curve.episode_return, rtol=1e-2)  # curves are of true returns


def test_discounted_sums_and_their_moments_are_those_of_numpy():
    generator = np.random.default_rng(0)
    reward = jnp.asarray(generator.normal(size=(30, 3)), jnp.float32)
    ended = jnp.asarray(generator.uniform(size=(30, 3)) < 0.2)
    expected, carried = np.zeros((30, 3)), np.zeros(3)
    for t in range(30):
        carried = 0.9 * carried + reward[t]
        expected[t] = carried
        carried = np.where(ended[t], 0.0, carried)
    statistics, before = no_statistics(1), jnp.zeros(3)
    for part in (slice(0, 12), slice(12, 30)):  # an episode goes on from one rollout to the next
        statistics, before = reward_scale.follow(statistics, before, reward[part], ended[part], 0.9)
    assert_allclose(before, 0.9 * carried, rtol=1e-5)
    scaled = reward_scale.scaled(statistics, jnp.array([1.0, -1e6]))
    assert_allclose(scaled, [1 / expected.std(), -reward_scale.MOST], rtol=1e-5)
    assert_array_equal(reward_scale.scaled(None, reward), reward)


def test_the_score_is_the_gradient_of_the_log_probability():
    """The eligibility of reward-aware guidance, for both kinds of actions."""
    blended = jnp.array([[0.3, -1.0], [0.5, 2.0], [-0.2, 0.1]])
    cases = [(None, jnp.array([2, 0])), (jnp.array([-0.5, 0.0, 0.7]), blended + jnp.array([[1.0], [-2.0], [0.5]]))]
    for log_deviation, action in cases:

        def log_prob(mean, log_deviation=log_deviation, action=action):
            return jnp.sum(distributions.of(mean, log_deviation).log_prob(action))

        assert_allclose(distributions.score(blended, log_deviation, action), jax.grad(log_prob)(blended), rtol=1e-5)


def test_what_is_executed_sticks_and_is_squashed():
    env = probe("echo", 1, 10, lambda t, c: c[None], lambda t, c, a: a[0], actions=1)
    env = env._replace(action_range=ActionRange((-1.0,), (1.0,)))
    ppo = PPO(num_envs=4, rollout_steps=200, minibatches=2, hidden=(8,), squash=True)
    settings = Settings(steps=800, evaluate_every=0, ppo=ppo, blend=Blend("none"), task=Task(sticky=True, repeat=0.5))
    state = compiled.init(settings, env, jnp.array(0), jnp.array(0))
    met = task.around(settings, env)
    randomness = compiled.draw(settings, met, jax.random.key(3))
    _, seen = compiled.collect(settings, met, state.agent, state.rollout_state, randomness)
    squashed, executed = np.tanh(np.asarray(seen.action)[:, 0]), np.asarray(seen.reward)
    first = np.concatenate([np.ones((1, 4), bool), np.asarray(seen.terminated)[:-1]])
    before = np.concatenate([np.zeros((1, 4)), executed[:-1]])
    new, again = np.isclose(executed, squashed, atol=1e-6), np.isclose(executed, before, atol=1e-6) & ~first
    assert np.all(new | again)
    assert np.all(new[first])
    assert again[~first].mean() == pytest.approx(0.5, abs=0.1)
