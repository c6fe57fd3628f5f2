"""What stands around an environment: memories and sticky actions do what they say, and nothing leaks."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import compiled
from helpers.acting import act, remembered, small
from helpers.probes import MEMORY, OBSERVATION_DEPENDENT_ACTION
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.previous_observation import PreviousObservation
from morphorl.environments import registry
from morphorl.environments.base import Environment, Step
from morphorl.environments.wrappers import Task
from morphorl.ppo import evaluation, losses, task
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.run import Run

KINDS = {
    "previous": PreviousObservation(),
    "leaky": LeakyIntegrators(),
    "cycle": EchoState(wiring="cycle", spectral_radius=0.6, input_scale=0.3),
}
PLAIN = Blend("none")

# --- Memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "times"),
    [(KINDS["previous"], 2), (LeakyIntegrators(columns=3), 7), (KINDS["cycle"], 5)],  # 2·4·2 units
    ids=lambda value: getattr(value, "kind", ""),
)
def test_the_environment_shows_as_many_numbers_as_it_says(memory, times):
    settings = Settings("CartPoleNoVel-v1", memory=memory)
    env = task.around(settings, registry.make_env("CartPoleNoVel-v1"))
    state, observation = env.reset(jax.random.key(0))
    after = env.step(jax.random.key(1), state, jnp.array(1))
    assert observation.shape == after.observation.shape == (env.num_features,)
    assert env.num_features == 4 * times


@pytest.mark.parametrize("memory", KINDS.values(), ids=KINDS)
def test_nothing_is_remembered_across_episodes_and_the_last_observation_knows_its_own(memory):
    acted = act(environment="StatelessCartPole-v1", ppo=PPO(hidden=(8,)), blend=PLAIN, memory=memory)
    done, seen = acted.done, jax.tree.map(np.asarray, acted.seen)
    assert done.sum() > 4
    for e in range(done.shape[1]):
        starts = [0, *(np.flatnonzero(done[:, e]) + 1)]
        for first, end in zip(starts, [*starts[1:], len(done)], strict=True):
            raw = np.concatenate([seen.observation[first:end, :2, e], seen.final_observation[end - 1 : end, :2, e]])
            if len(raw) < 2:
                continue
            rows = remembered(memory, raw)
            assert_allclose(seen.observation[first:end, :, e], rows[:-1], rtol=1e-4, atol=1e-5)
            assert_allclose(seen.final_observation[end - 1, :, e], rows[-1], rtol=1e-4, atol=1e-5)


QUICK = PPO(learning_rate=5e-3, num_envs=16, rollout_steps=16, hidden=(32,), entropy_coefficient=0.0)


def mean_return(probe, kind):
    settings = Settings(steps=12_000, evaluate_every=0, ppo=QUICK, blend=PLAIN, memory=KINDS[kind])
    agent = compiled.train(settings, probe, 0).agent
    return compiled.evaluate(settings, task.around(settings, probe), agent, jax.random.key(1), 200, greedy=True).mean()


def test_a_cue_of_three_steps_ago_is_within_reach_of_integrators_and_echo_state_but_not_of_the_previous_observation():
    assert mean_return(MEMORY, "leaky") > 0.95
    assert mean_return(MEMORY, "cycle") > 0.95
    assert abs(mean_return(MEMORY, "previous")) < 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_nothing_to_remember_memory_does_no_harm(kind):
    assert mean_return(OBSERVATION_DEPENDENT_ACTION, kind) == 1.0


# --- Sticky actions ---------------------------------------------------------------------------------------------------


def _tell(key):
    return jnp.array(0), jnp.zeros(1)


ECHO = Environment(
    "echo: the observation is the action executed; an episode lasts ten steps",
    1,
    2,
    11,
    None,
    _tell,
    lambda key, time, action: Step(
        time + 1, jnp.float32(action)[None], jnp.array(1.0), time + 1 >= 10, jnp.array(False)
    ),
)


@pytest.mark.parametrize("repeat", [0.0, 0.25, 1.0])
def test_a_sticky_environment_repeats_the_executed_action_as_often_as_it_says(repeat):
    many = PPO(num_envs=4, rollout_steps=2000, minibatches=2, hidden=(8,))
    seen = act(ECHO, steps=8000, ppo=many, blend=PLAIN, task=Task(sticky=True, repeat=repeat)).seen
    executed = np.asarray(seen.final_observation)[:, 0].astype(int)
    chosen = np.asarray(seen.action)
    first = np.concatenate([np.ones((1, 4), bool), np.asarray(seen.terminated)[:-1]])
    assert_array_equal(executed[first], chosen[first])  # an episode's first action is the one chosen
    previous = np.concatenate([np.zeros((1, 4), int), executed[:-1]])
    told_apart = ~first & (chosen != previous)
    assert np.isin(executed, [0, 1]).all()
    share = (executed == previous)[told_apart].mean()
    assert share == pytest.approx(repeat, abs=5 * 0.5 / np.sqrt(told_apart.sum()) if 0 < repeat < 1 else 0)


def test_ppo_learns_from_the_action_chosen_with_its_own_probability():
    settings, _, state, _, seen = act(ECHO, blend=PLAIN, task=Task(sticky=True, repeat=0.9))
    samples = losses.prepare(settings, ECHO, state.agent, seen, seen.observation[-1])
    assert_array_equal(samples.action, seen.action.reshape(-1))
    log_policy = jax.nn.log_softmax(state.agent.actor(samples.observation), axis=0)
    expected = log_policy[samples.action, jnp.arange(samples.action.size)]
    assert_allclose(samples.log_prob, expected, atol=1e-6)


def test_evaluation_is_sticky_too():
    """One agent, evaluated where nothing sticks and where every first action is repeated to the end."""
    free, stuck = (small(blend=PLAIN, task=Task(sticky=True, repeat=p)) for p in (0.0, 1.0))
    agent = batch_training.train_batch([Run("a", free, 0, 0)], 1).agents
    twice = jax.tree.map(lambda u: np.repeat(u, 2, axis=0), agent)
    returns = evaluation.evaluate_agents([free, stuck], twice, 50, greedy=False)
    assert returns[0].mean() > 15
    assert returns[1].max() < 12  # a pole pushed one way only


# --- Noise, and sparse reward -----------------------------------------------------------------------------------------


def test_noise_on_the_observation_has_the_size_that_is_said_and_leaves_the_state_alone():
    noisy, clean = registry.make_env("NoisyStatelessCartPole-v1"), registry.make_env("StatelessCartPole-v1")
    keys = jax.random.split(jax.random.key(0), 20_000)
    state, observation = jax.vmap(noisy.reset)(keys)
    truth = np.stack([state.position, state.angle], axis=1)
    assert_allclose(np.std(observation - truth, axis=0), [0.05 * 2.4, 0.05 * 12 * np.pi / 180], rtol=0.03)
    after = noisy.step(keys[0], jax.tree.map(lambda u: u[0], state), jnp.array(1))
    same = clean.step(keys[0], jax.tree.map(lambda u: u[0], state), jnp.array(1))
    assert_array_equal(after.state.angle, same.state.angle)
    assert (after.observation != same.observation).all()


def test_the_zeros_of_hidden_velocities_stay_zeros_under_noise():
    _, observation = registry.make_env("NoisyCartPoleNoVel-v1").reset(jax.random.key(0))
    assert_array_equal(observation[1::2], 0)


def test_the_sparse_mountain_car_pays_at_the_goal_and_nowhere_else():
    env = registry.make_env("SparseMountainCar-v0")
    state, _ = env.reset(jax.random.key(0))
    below = env.step(jax.random.key(1), state, jnp.array(2))
    assert (below.reward, bool(below.terminated)) == (0, False)
    near = replace(state, position=jnp.float32(0.49), velocity=jnp.float32(0.05))
    there = env.step(jax.random.key(1), near, jnp.array(2))
    assert (there.reward, bool(there.terminated)) == (1, True)
    late = env.step(jax.random.key(1), replace(state, time=jnp.array(199)), jnp.array(2))
    assert (late.reward, bool(late.truncated)) == (0, True)


def test_with_its_velocity_hidden_it_is_the_same_car_and_shows_its_position_alone():
    seen, hidden = registry.make_env("SparseMountainCar-v0"), registry.make_env("StatelessSparseMountainCar-v0")
    key = jax.random.key(0)
    state, position = hidden.reset(key)
    assert_array_equal(position, seen.reset(key)[1][:1])
    ours, theirs = (env.step(key, state, jnp.array(2)) for env in (hidden, seen))
    assert_array_equal(ours.observation, theirs.observation[:1])
    assert_array_equal(ours.state.velocity, theirs.state.velocity)
