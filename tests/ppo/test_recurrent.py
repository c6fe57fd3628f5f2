"""The recurrent network: a memory where plain PPO has none, exact ratios, resets, and gradients through time."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import compiled
from helpers.probes import MEMORY
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import registry
from morphorl.environments.base import Environment, Step
from morphorl.ppo import losses, recurrent
from morphorl.ppo.agent import network_view
from morphorl.ppo.settings import PPO, Settings

SMALL = PPO(network="gru", num_envs=4, rollout_steps=40, minibatches=2, hidden=(6, 5), normalise_observations=True)
BESIDE_A_CELL = Settings(
    steps=1_000,
    evaluate_every=0,
    ppo=SMALL,
    dynamics=ReactionDiffusion(initial_scale=1.0),
    blend=Blend("add", weight=0.5),
)
CARTPOLE = registry.make_env("CartPole-v1")


LINEAR = dataclasses.replace(BESIDE_A_CELL, ppo=dataclasses.replace(SMALL, network="lru"))


def collected(settings, env):
    """A run before and after its first update, and the rollout that it collects next."""

    fresh = compiled.init(settings, env, jnp.array(0), jnp.array(0))
    state = compiled.update(settings, env, fresh, jnp.array(0))
    randomness = compiled.draw(settings, env, jax.random.key(7))
    return fresh, state, *compiled.collect(settings, env, state.agent, state.rollout_state, randomness)


@pytest.fixture(scope="module", params=[BESIDE_A_CELL, LINEAR], ids=["gru", "lru"])
def beside_a_cell(request):
    return request.param, *collected(request.param, CARTPOLE)


@pytest.mark.parametrize("network", recurrent.UNITS)
def test_memory_is_within_reach_of_a_recurrent_network(network):
    quick = PPO(
        network=network, learning_rate=5e-3, num_envs=16, rollout_steps=16, hidden=(32,), entropy_coefficient=0.0
    )
    settings = Settings(steps=20_000, evaluate_every=0, ppo=quick, blend=Blend("none"))
    agent = compiled.train(settings, MEMORY, 0).agent
    assert compiled.evaluate(settings, MEMORY, agent, jax.random.key(1), 200, greedy=True).mean() > 0.95


def test_the_ratio_is_one_in_the_first_minibatch_beside_a_cell_too(beside_a_cell):
    settings, _, state, rollout_state, experience = beside_a_cell
    samples = losses.prepare(settings, CARTPOLE, state.agent, experience, rollout_state.observation)
    ended = experience.terminated | experience.truncated
    assert ended.any()
    sequences = recurrent.as_sequences(samples, state.rollout_state.memory, ended)
    some = jax.tree.map(lambda u: u[..., jnp.array([3, 1])], sequences)
    flat = recurrent.as_samples(state.agent.core, some)
    log_policy = jax.nn.log_softmax(state.agent.actor(flat.observation) + 0.5 * flat.readout, axis=0)
    log_prob = log_policy[flat.action, jnp.arange(flat.action.size)]
    np.testing.assert_allclose(jnp.exp(log_prob - flat.log_prob), 1.0, atol=5e-6)
    np.testing.assert_allclose(state.agent.critic(flat.observation)[0], flat.value, atol=1e-5)


def test_memories_are_forgotten_at_episode_ends_and_kept_over_rollouts(beside_a_cell):
    settings, _, state, rollout_state, experience = beside_a_cell
    ended = np.asarray(experience.terminated | experience.truncated)
    assert np.abs(state.rollout_state.memory).min(axis=0).max() > 0  # an episode was under way when the rollout began
    memory = state.rollout_state.memory
    for t in range(SMALL.rollout_steps):
        x = network_view(settings, state.agent.statistics, experience.observation[t])
        memory = recurrent.step(state.agent.core, memory, x)
        np.testing.assert_allclose(memory, experience.memory[t], atol=1e-5)
        memory = jnp.where(ended[t], 0.0, memory)
    np.testing.assert_allclose(rollout_state.memory, memory, atol=1e-5)


def test_a_truncated_step_bootstraps_with_the_state_after_it():
    """One long environment: an episode is cut off after every fifth step, and the value there depends on all five."""

    def observation(time):
        return jnp.sin(jnp.float32(time))[None]

    def step(key, time, action):
        return Step(time + 1, observation(time + 1), jnp.array(0.0), jnp.array(False), time + 1 >= 5)

    counter = Environment("counter", 1, 2, 5, None, lambda key: (jnp.array(0), observation(0)), step)
    ppo_ = PPO(network="gru", num_envs=1, rollout_steps=10, minibatches=1, hidden=(6,))
    settings = Settings(steps=1_000, evaluate_every=0, ppo=ppo_, blend=Blend("none"))
    _, state, rollout_state, experience = collected(settings, counter)
    samples = losses.prepare(settings, counter, state.agent, experience, rollout_state.observation)
    episode = jnp.stack([observation(t)[:, None] for t in range(6)])
    memory = recurrent.unroll(state.agent.core, jnp.zeros((6, 1)), episode, jnp.zeros((6, 1), bool))
    value = jax.vmap(state.agent.critic)(memory)[:, 0, 0]
    delta = ppo_.discount * value[1:] - value[:-1]
    for t in range(5):
        decay = (ppo_.discount * ppo_.gae_lambda) ** np.arange(5 - t)
        for start in (t, t + 5):
            assert samples.advantage[start] == pytest.approx(float((decay * delta[t:]).sum()), abs=1e-5)


@pytest.mark.parametrize("network", recurrent.UNITS)
def test_gradients_go_through_time_and_stop_at_episode_ends(network):
    core = recurrent.init(network, jax.random.key(0), 2, 5)
    x = jax.random.normal(jax.random.key(1), (6, 2, 1))
    for start, reaches in ((None, range(6)), (3, range(3, 6))):
        starts = jnp.zeros((6, 1), bool) if start is None else jnp.zeros((6, 1), bool).at[start].set(True)
        last = lambda x, starts=starts: recurrent.unroll(core, jnp.zeros((core.hidden_size, 1)), x, starts)[-1].sum()  # noqa: E731
        moved = np.abs(jax.grad(last)(x)).max(axis=(1, 2)) > 0
        np.testing.assert_array_equal(np.flatnonzero(moved), list(reaches))


def test_an_update_trains_unit_and_heads_and_leaves_the_pattern_alone(beside_a_cell):
    _, state, after, _, _ = beside_a_cell
    for part in ("core", "actor", "critic"):
        pairs = zip(*(jax.tree.leaves(getattr(s.agent, part)) for s in (state, after)), strict=True)
        assert all(not np.array_equal(one, other) for one, other in pairs)
    np.testing.assert_array_equal(state.agent.pattern.activator, after.agent.pattern.activator)
    assert after.diverged_at == -1
    assert after.agent.actor.weights[0].shape == (5, after.agent.core.hidden_size)


def test_a_linear_unit_is_the_powers_of_its_eigenvalues():
    unit = recurrent.init("lru", jax.random.key(3), 2, 8)
    x = jax.random.normal(jax.random.key(1), (30, 2, 1))
    memory = recurrent.unroll(unit, jnp.zeros((unit.hidden_size, 1)), x, jnp.zeros((30, 1), bool))[:, :, 0]
    complex_inputs = np.exp(unit.scale)[:, None] * np.asarray(unit.inputs[0] + 1j * unit.inputs[1])
    powers = np.asarray(unit.eigenvalues)[None] ** np.arange(29, -1, -1)[:, None]
    expected = (powers * (np.asarray(x[:, :, 0]) @ complex_inputs.T)).sum(axis=0)
    np.testing.assert_allclose(memory[-1], [*expected.real, *expected.imag, *x[-1, :, 0]], atol=1e-5)
    assert (np.abs(unit.eigenvalues) > 0.9).all()
    assert (np.abs(unit.eigenvalues) < 0.999).all()


@pytest.mark.parametrize("network", recurrent.UNITS)
def test_minibatches_must_be_whole_environments(network):
    with pytest.raises(SettingError, match=r"ppo\.minibatches = 4: must divide the 6 environments"):
        PPO(network=network, num_envs=6, minibatches=4)
