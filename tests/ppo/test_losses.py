import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import compiled
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import registry
from morphorl.environments.base import Environment, Step
from morphorl.ppo import distributions, learning, losses, training
from morphorl.ppo.agent import Statistics, network_view, observe, policy_step, spread
from morphorl.ppo.networks import init_mlp, layer
from morphorl.ppo.settings import PPO, Settings

SMALL = PPO(num_envs=3, rollout_steps=40, minibatches=2, hidden=(8,), normalise_observations=True)
CELL = Settings(steps=1_000, ppo=SMALL, guidance=Blind(strength=0.1), blend=Blend(weight=0.9))
CARTPOLE = registry.make_env("CartPole-v1")


def started(settings=CELL, env=CARTPOLE, seed=0):
    return compiled.init(settings, env, jnp.array(seed), jnp.array(seed))


def collected(settings=CELL, env=CARTPOLE, updates=1):
    """A run after some updates, and the rollout that it collects next."""
    state = started(settings, env)
    for index in range(updates):
        state = compiled.update(settings, env, state, jnp.array(index))
    randomness = compiled.draw(settings, env, jax.random.key(7))
    return state, *compiled.collect(settings, env, state.agent, state.rollout_state, randomness)


def test_gae_equals_numbers_worked_out_by_hand():
    # One environment, γ = λ = ½, V = 1 throughout. Truncated at time 1, where the observation cut off is worth 4;
    # terminated at time 3, whose next value (9) must not count.
    #   δ = r + ½·V' − V:  t=3: 8 − 1 = 7;  t=2: 4 + ½ − 1 = 3.5;  t=1: 2 + ½·4 − 1 = 3;  t=0: 1 + ½ − 1 = 0.5
    #   A = δ + ¼·A', cut at both ends:  A3 = 7;  A2 = 3.5 + 7/4 = 5.25;  A1 = 3;  A0 = 0.5 + 3/4 = 1.25
    column = lambda *values: jnp.array(values)[:, None]  # noqa: E731
    advantage = losses.gae(
        reward=column(1.0, 2.0, 4.0, 8.0),
        value=column(1.0, 1.0, 1.0, 1.0),
        next_value=column(1.0, 4.0, 1.0, 9.0),
        terminated=column(False, False, False, True),
        truncated=column(False, True, False, False),
        discount=0.5,
        gae_lambda=0.5,
    )
    np.testing.assert_allclose(advantage[:, 0], [1.25, 3.0, 5.25, 7.0])


@pytest.mark.parametrize("time_limit", [2, 3, 100])
def test_truncation_values_are_those_of_the_observations_cut_off(time_limit):
    critic = init_mlp(jax.random.key(0), (2, 8, 1), 1.0, "tanh")
    final = jax.random.normal(jax.random.key(1), (7, 2, 3))
    age = jnp.arange(7)[:, None] + jnp.arange(3)[None] + 1
    truncated = age % time_limit == 0
    every = jax.vmap(critic)(final)[:, 0]
    np.testing.assert_allclose(
        losses.truncation_values(critic, final, truncated, time_limit), jnp.where(truncated, every, 0.0), rtol=1e-5
    )


def test_truncated_advantage_uses_the_final_observation_and_not_the_reset_one():
    def observation(time):
        return jnp.float32(time)[None]

    def step(key, time, action):
        return Step(time + 1, observation(time + 1), jnp.array(0.0), jnp.array(False), time + 1 >= 5)

    counter = Environment("counter", 1, 2, 5, None, lambda key: (jnp.array(0), observation(0)), step)
    settings = Settings(steps=1_000, ppo=PPO(num_envs=1, rollout_steps=10, minibatches=1), blend=Blend(kind="none"))
    state, rollout_state, experience = collected(settings, counter, updates=0)
    samples = losses.prepare(settings, counter, state.agent, experience, rollout_state.observation)
    value = state.agent.critic(jnp.arange(6.0)[None])[0]
    delta = settings.ppo.discount * value[1:] - value[:-1]
    for t in range(5):
        decay = (settings.ppo.discount * settings.ppo.gae_lambda) ** np.arange(5 - t)
        assert samples.advantage[t] == pytest.approx(float((decay * delta[t:]).sum()), abs=1e-5)
        assert samples.advantage[t + 5] == pytest.approx(float(samples.advantage[t]), abs=1e-5)


def test_ratio_is_one_in_the_first_minibatch():
    state, rollout_state, experience = collected(updates=2)
    samples = losses.prepare(CELL, CARTPOLE, state.agent, experience, rollout_state.observation)
    logits = CELL.blend.weight * samples.readout + (1 - CELL.blend.weight) * state.agent.actor(samples.observation)
    log_prob = jax.nn.log_softmax(logits, axis=0)[samples.action, jnp.arange(samples.action.size)]
    np.testing.assert_allclose(jnp.exp(log_prob - samples.log_prob), 1.0, atol=2e-6)


def test_an_update_that_forgets_the_readout_takes_the_probabilities_of_the_network_alone():
    state, rollout_state, experience = collected()
    samples = losses.prepare(CELL, CARTPOLE, state.agent, experience, rollout_state.observation)
    forgetful = dataclasses.replace(CELL, blend=dataclasses.replace(CELL.blend, update="network"))
    networks = losses.networks_of(state.agent)
    without = samples._replace(readout=jnp.full_like(samples.readout, jnp.nan))
    assert losses.ppo_loss(networks, forgetful, samples) == losses.ppo_loss(networks, forgetful, without)
    assert losses.ppo_loss(networks, forgetful, samples) != losses.ppo_loss(networks, CELL, samples)
    # What was acted on is stored as ever: the ratio is not 1 before anything was learned.
    log_prob = distributions.of(networks.actor(samples.observation), None).log_prob(samples.action)
    assert not np.allclose(log_prob, samples.log_prob, atol=1e-3)


def test_stored_readouts_equal_those_recomputed_from_the_observations():
    state, _, experience = collected()
    done = experience.terminated | experience.truncated
    assert done.any()
    assert not done.all()
    for env in range(SMALL.num_envs):
        cell_state = jax.tree.map(lambda u, env=env: u[..., env], state.rollout_state.cells)
        for t in range(SMALL.rollout_steps):
            observation = experience.observation[t, :, env]
            cell_state = CELL.dynamics.step(cell_state, observation, CELL.guidance)
            readout = CELL.dynamics.read(cell_state, observation)
            np.testing.assert_allclose(readout, experience.readout[t, :, env], rtol=1e-5, atol=1e-6)
            cell_state = state.agent.pattern if done[t, env] else cell_state


@pytest.mark.parametrize("reset", ["episode", "redraw", "never"])
def test_cells_are_reset_exactly_at_episode_ends_and_only_there(reset):
    settings = Settings(
        ppo=PPO(num_envs=8, rollout_steps=1, minibatches=1, hidden=(8,)), dynamics=ReactionDiffusion(reset=reset)
    )
    state = started(settings)
    rollout_state, ends = state.rollout_state, 0
    for t in range(60):
        before = rollout_state.cells
        randomness = compiled.draw(settings, CARTPOLE, jax.random.key(t))
        rollout_state, experience = compiled.collect(settings, CARTPOLE, state.agent, rollout_state, randomness)
        done = np.asarray(experience.terminated | experience.truncated)[0]
        stepped, _ = policy_step(settings, state.agent, before, experience.observation[0])
        goes_on = ~done | (reset == "never")
        start = (
            spread(state.agent.pattern, 8) if reset == "episode" else jax.tree.map(lambda u: u[0], randomness.pattern)
        )
        for now, on in zip(rollout_state.cells, stepped, strict=True):
            np.testing.assert_allclose(now[..., goes_on], on[..., goes_on], rtol=1e-5, atol=1e-6)
        for now, fresh in zip(rollout_state.cells, start or (), strict=False):
            np.testing.assert_array_equal(now[..., ~goes_on], fresh[..., ~goes_on])
        ends += done.sum()
    assert ends > 8


def test_running_moments_equal_those_of_all_observations():
    data = jax.random.normal(jax.random.key(0), (3, 500)) * 5 + 2
    statistics = Statistics(jnp.zeros(()), jnp.zeros(3), jnp.zeros(3))
    for part in (data[:, :1], data[:, 1:300], data[:, 300:]):
        statistics = observe(statistics, part)
    np.testing.assert_allclose(statistics.mean, data.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(statistics.deviations / statistics.size, data.var(axis=1), rtol=1e-4)
    view = network_view(CELL, statistics, data)
    np.testing.assert_allclose(view.mean(axis=1), 0.0, atol=1e-5)
    np.testing.assert_allclose(view.std(axis=1), 1.0, rtol=1e-4)


def test_hidden_weights_are_orthogonal_and_heads_scaled():
    mlp = init_mlp(jax.random.key(0), (4, 8, 8, 2), 0.01, "tanh")
    np.testing.assert_allclose(mlp.weights[1] @ mlp.weights[1].T, 2 * jnp.eye(8), atol=1e-5)
    np.testing.assert_allclose(mlp.weights[2] @ mlp.weights[2].T, 1e-4 * jnp.eye(2), atol=1e-7)


def test_distillation_teaches_the_network_what_the_cell_does():
    # Advantages of zero leave the distillation alone: the network must come to agree with the blend.
    settings = Settings(
        ppo=PPO(**(vars(SMALL) | {"learning_rate": 1e-2, "epochs": 200, "entropy_coefficient": 0.0})),
        blend=Blend(kind="add", weight=1.0, distil=1.0),
    )
    key = jax.random.key(3)
    observation = jax.random.normal(key, (4, 120))
    readout = jnp.stack([observation[0] * 3, -observation[0] * 3])
    zeros = jnp.zeros(120)
    samples = losses.Samples(observation, readout, jnp.zeros(120, int), zeros, zeros, zeros)
    agent = started(settings).agent
    networks = losses.Networks(agent.actor, agent.critic)
    state = learning.optimiser(settings.ppo).init(networks)
    networks, _, finite = jax.jit(learning.learn)(settings, networks, state, samples, 1e-2, key)
    agreement = jnp.mean(jnp.argmax(networks.actor(observation), axis=0) == jnp.argmax(readout, axis=0))
    assert finite
    assert agreement > 0.95


def test_episode_return_is_the_mean_over_episodes_that_ended_and_nan_without_one():
    curve = training.Curve(jnp.full(2, jnp.nan), jnp.zeros(2, int), jnp.full(2, jnp.nan), jnp.full(2, jnp.nan))
    _, _, experience = collected(updates=0)
    done = np.asarray(experience.terminated | experience.truncated)
    noted = training.note(curve, jnp.array(0), experience, jnp.array(jnp.nan))
    lengths = [np.diff([-1, *np.flatnonzero(done[:, env])]) for env in range(SMALL.num_envs)]
    assert noted.episodes[0] == done.sum() > 0
    assert noted.episode_return[0] == pytest.approx(np.concatenate(lengths).mean())
    nothing = experience._replace(terminated=jnp.zeros_like(done), truncated=jnp.zeros_like(done))
    assert np.isnan(training.note(curve, jnp.array(1), nothing, jnp.array(jnp.nan)).episode_return[1])


@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
def test_gradient_written_by_hand_is_the_automatic_one(activation):
    keys = jax.random.split(jax.random.key(0), 4)
    inputs = [jax.random.normal(k, shape) for k, shape in zip(keys, [(5, 3), (5,), (3, 7)], strict=False)]
    pull = jax.random.normal(keys[3], (5, 7))
    f = {"tanh": jnp.tanh, "relu": jax.nn.relu, "identity": lambda x: x}[activation]
    by_hand = jax.grad(lambda *x: jnp.sum(pull * layer(*x, activation)), argnums=(0, 1, 2))(*inputs)
    automatic = jax.grad(lambda w, b, x: jnp.sum(pull * f(w @ x + b[:, None])), argnums=(0, 1, 2))(*inputs)
    for ours, theirs in zip(by_hand, automatic, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 120, 128, 1000])
def test_every_epoch_sees_every_sample_once_in_an_order_of_its_own(batch):
    orders = np.asarray(learning.shuffle(jax.random.key(0), 3, batch))
    assert (np.sort(orders, axis=1) == np.arange(batch)).all()
    assert batch == 1 or len(np.unique(orders, axis=0)) == 3


def test_shuffled_positions_are_uniform():
    # 20,000 orders of 6: each sample is at each place 1 time in 6, within 5 standard deviations of a binomial count.
    orders = np.asarray(learning.shuffle(jax.random.key(1), 20_000, 6))
    counts = np.stack([(orders == sample).sum(axis=0) for sample in range(6)])
    assert np.abs(counts - 20_000 / 6).max() < 5 * np.sqrt(20_000 * 5 / 36)
