"""Memory: the features are the formulas, episodes do not leak into each other, and it serves where it is needed."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers.probes import MEMORY, OBSERVATION_DEPENDENT_ACTION
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.plain import from_dict
from morphorl.dynamics import memory
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.memory import Memory
from morphorl.dynamics.reaction_diffusion import couple
from morphorl.environments import registry
from morphorl.ppo import rollout, task, training
from morphorl.ppo.settings import PPO, Settings

KINDS = ["previous", "leaky", "reservoir"]
LEAKY = Memory("leaky", columns=3, bound=np.inf)
REACTING = Memory("leaky", production=0.005, first_diffusion=0.02, second_diffusion=0.08)
OBSERVATIONS = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)
UNGUIDED = Guidance("none")


def shown(settings, observations, guidance=UNGUIDED):
    """What the networks see of an episode with these observations."""
    state = memory.start(settings, jnp.asarray(observations[0]))
    rows = [memory.show(settings, state, jnp.asarray(observations[0]))]
    for observation in observations[1:]:
        rows.append(memory.show(settings, state, jnp.asarray(observation)))
        state = memory.remember(settings, guidance, state, jnp.asarray(observation))
    return np.array(rows)


def test_previous_shows_the_scaled_difference_of_two_observations():
    rows = shown(Memory("previous", first_gain=7.0), OBSERVATIONS)
    assert_array_equal(rows[:, :2], OBSERVATIONS)
    assert_allclose(rows[1:, 2:], 7 * np.diff(OBSERVATIONS, axis=0), rtol=1e-4, atol=1e-5)
    assert_array_equal(rows[0, 2:], 0)  # an episode's start is no surprise


def test_leaky_integrators_are_two_exponential_filters_one_after_the_other():
    """The closed form: each observation counts with μ₁·p₁ⁿ in m₁, and with μ₁·μ₂·(p₁ⁿ − p₂ⁿ)/(p₁ − p₂) in m₂."""
    fast, slow = np.geomspace(0.9, 0.4, 3), np.geomspace(0.2, 0.05, 3)
    rows = shown(LEAKY, OBSERVATIONS)
    changes = OBSERVATIONS.astype(np.float64) - OBSERVATIONS[0]  # a constant past is what both filters start from
    for t in range(1, len(rows)):
        age = np.arange(t - 1, -1, -1)[:, None]
        in_first = fast * (1 - fast) ** age
        in_second = fast * slow * ((1 - fast) ** age - (1 - slow) ** age) / (slow - fast)
        first, second = (np.einsum("tf,tc->fc", changes[:t], weight) for weight in (in_first, in_second))
        expected = [OBSERVATIONS[t], (10 * (changes[t][:, None] - first)).ravel(), (3 * (first - second)).ravel()]
        assert_allclose(rows[t], np.concatenate(expected), rtol=1e-4, atol=1e-4)


def random_state(scale=1.0, features=2):
    drawn = (np.random.default_rng(s).normal(size=(features, 2)) for s in (2, 3))
    return memory.LeakyMemory(*(jnp.asarray(scale * u) for u in drawn))


def test_reaction_and_diffusion_that_are_off_leave_the_filters_to_the_bit():
    state, observation = random_state(), jnp.asarray(OBSERVATIONS[0])
    after = memory.remember(Memory("leaky"), UNGUIDED, state, observation)
    rates = [jnp.array([fastest, slowest]) for fastest, slowest in ((0.9, 0.4), (0.2, 0.05))]
    assert_array_equal(after.first, state.first + rates[0][None] * (observation[:, None] - state.first))
    assert_array_equal(after.second, state.second + rates[1][None] * (state.first - state.second))


def test_with_reaction_diffusion_and_guidance_it_is_a_cell_that_the_observation_drives():
    settings, guidance = replace(REACTING, production=0.3, bound=1.5), Guidance(strength=0.07)
    state = random_state()
    after = memory.remember(settings, guidance, state, jnp.array([0.5, -0.2]))
    a, h = map(np.asarray, state)
    drive = np.array([[0.5], [-0.2]]) - a
    grown = a + [0.9, 0.4] * drive + 0.02 * (a.mean() - a) + 0.3 * a**2 / (abs(h) + 1) + 0.07 * np.sign(a)
    assert_allclose(after.first, np.clip(grown, -1.5, 1.5), rtol=1e-5)
    held = h + [0.2, 0.05] * (a - h) + 0.08 * (h.mean() - h) + 0.3 * a**2 + 0.07 * np.sign(h)
    assert_allclose(after.second, np.clip(held, -1.5, 1.5), rtol=1e-5)


def test_with_the_former_numbers_it_is_the_former_memory_to_the_bit():
    """The memory that was called `cell` had a reaction and diffusion; its results stay what they are."""
    state, observation = random_state(scale=3.0, features=40), jnp.asarray(OBSERVATIONS.reshape(-1))
    after = memory.remember(REACTING, Guidance(strength=0.07), state, observation)
    a, h = state
    fast, slow = (jnp.array([first, last])[None] for first, last in ((0.9, 0.4), (0.2, 0.05)))
    grown = fast * (observation[:, None] - a) + 0.02 * couple("mean", a) + 0.005 * a**2 / (jnp.abs(h) + 1.0)
    held = slow * (a - h) + 0.08 * couple("mean", h) + 0.005 * a**2
    assert_array_equal(after.first, jnp.clip(a + (grown + 0.07 * jnp.sign(a)), -10.0, 10.0))
    assert_array_equal(after.second, jnp.clip(h + (held + 0.07 * jnp.sign(h)), -10.0, 10.0))


FORMER = [
    ({"kind": "cell"}, r"memory.kind = 'cell': must be one of 'none', 'leaky', .* Did you mean 'leaky'\?"),
    ({"activator_fast": 0.5}, r"memory.activator_fast: no such setting; .* Did you mean 'first_fast'\?"),
    ({"inhibitor_gain": 0.5}, r"memory.inhibitor_gain: no such setting; .* Did you mean 'second_gain'\?"),
    (
        {"inhibitor_diffusion": 0.0},
        r"memory.inhibitor_diffusion: no such setting; .* Did you mean 'second_diffusion'\?",
    ),
]


@pytest.mark.parametrize(("values", "message"), FORMER, ids=lambda value: str(value)[:30])
def test_a_former_name_is_refused_with_the_present_one(values, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # which refuses other kinds before we do
    with pytest.raises(SettingError, match=message):
        from_dict(Settings, {"memory": values})


def test_a_former_name_in_a_search_is_offered_by_the_present_one_too():
    known = ["memory.first_fast", "memory.second_fast"]
    assert did_you_mean("memory.inhibitor_fast", known) == " Did you mean 'memory.second_fast'?"


def test_an_observation_that_never_changes_is_nothing_new():
    rows = shown(LEAKY, np.repeat(OBSERVATIONS[:1], 10, axis=0))
    assert_allclose(rows[:, 2:], 0, atol=1e-6)


def test_a_reservoir_forgets_how_it_started():
    settings = Memory("reservoir", spectral_radius=0.8)
    late = OBSERVATIONS.repeat(6, axis=0)
    one, other = (
        shown(settings, np.concatenate([first, late])) for first in (OBSERVATIONS[:1], -3 * OBSERVATIONS[1:2])
    )
    assert np.abs(one[1] - other[1]).max() > 0.1
    assert_allclose(one[-1], other[-1], atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_environment_shows_as_many_numbers_as_it_says(kind):
    settings = Settings("CartPoleNoVel-v1", memory=Memory(kind, columns=3))
    env = task.around(settings, registry.make("CartPoleNoVel-v1"))
    state, observation = env.reset(jax.random.key(0))
    after = env.step(jax.random.key(1), state, jnp.array(1))
    assert observation.shape == after.observation.shape == (env.num_features,)
    assert env.num_features == 4 * {"previous": 2, "leaky": 7, "reservoir": 7}[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_remembered_across_episodes_and_the_last_observation_knows_its_own(kind):
    settings = Settings(
        "StatelessCartPole-v1", steps=512, ppo=PPO(hidden=(8,)), blend=Blend("none"), memory=Memory(kind)
    )
    env = task.around(settings, registry.make("StatelessCartPole-v1"))
    start = training.init(settings, registry.make("StatelessCartPole-v1"), jnp.array(0), jnp.array(0))
    randomness = rollout.draw(settings, env, jax.random.key(3))
    seen = jax.jit(lambda: rollout.collect(settings, env, start.agent, start.rollout_state, randomness)[1])()
    done = np.asarray(seen.terminated | seen.truncated)
    assert done.sum() > 4
    for e in range(done.shape[1]):
        starts = [0, *(np.flatnonzero(done[:, e]) + 1)]
        for first, end in zip(starts, [*starts[1:], len(done)], strict=True):
            raw = np.concatenate([seen.observation[first:end, :2, e], seen.final_observation[end - 1 : end, :2, e]])
            if len(raw) < 2:
                continue
            rows = shown(settings.memory, raw)
            assert_allclose(seen.observation[first:end, :, e], rows[:-1], rtol=1e-4, atol=1e-5)
            assert_allclose(seen.final_observation[end - 1, :, e], rows[-1], rtol=1e-4, atol=1e-5)


QUICK = PPO(learning_rate=5e-3, num_envs=16, rollout_steps=16, hidden=(32,), entropy_coefficient=0.0)


def mean_return(probe, kind):
    settings = Settings(steps=12_000, evaluate_every=0, ppo=QUICK, blend=Blend("none"), memory=Memory(kind))
    agent = jax.jit(training.train, static_argnums=1)(settings, probe, 0).agent
    return rollout.evaluate(settings, task.around(settings, probe), agent, jax.random.key(1), 200, greedy=True).mean()


def test_a_cue_of_three_steps_ago_is_within_reach_of_integrators_and_reservoir_but_not_of_the_previous_observation():
    assert mean_return(MEMORY, "leaky") > 0.95
    assert mean_return(MEMORY, "reservoir") > 0.95
    assert abs(mean_return(MEMORY, "previous")) < 0.25


@pytest.mark.parametrize("kind", KINDS)
def test_where_there_is_nothing_to_remember_memory_does_no_harm(kind):
    assert mean_return(OBSERVATION_DEPENDENT_ACTION, kind) == 1.0


def test_noise_on_the_observation_has_the_size_that_is_said_and_leaves_the_state_alone():
    noisy, clean = registry.make("NoisyStatelessCartPole-v1"), registry.make("StatelessCartPole-v1")
    keys = jax.random.split(jax.random.key(0), 20_000)
    state, observation = jax.vmap(noisy.reset)(keys)
    truth = np.stack([state.x, state.theta], axis=1)
    assert_allclose(np.std(observation - truth, axis=0), [0.05 * 2.4, 0.05 * 12 * np.pi / 180], rtol=0.03)
    after = noisy.step(keys[0], jax.tree.map(lambda u: u[0], state), jnp.array(1))
    same = clean.step(keys[0], jax.tree.map(lambda u: u[0], state), jnp.array(1))
    assert_array_equal(after.state.theta, same.state.theta)
    assert (after.observation != same.observation).all()


def test_the_zeros_of_hidden_velocities_stay_zeros_under_noise():
    _, observation = registry.make("NoisyCartPoleNoVel-v1").reset(jax.random.key(0))
    assert_array_equal(observation[1::2], 0)


def test_the_sparse_mountain_car_pays_at_the_goal_and_nowhere_else():
    env = registry.make("SparseMountainCar-v0")
    state, _ = env.reset(jax.random.key(0))
    below = env.step(jax.random.key(1), state, jnp.array(2))
    assert (below.reward, bool(below.terminated)) == (0, False)
    near = replace(state, position=jnp.float32(0.49), velocity=jnp.float32(0.05))
    there = env.step(jax.random.key(1), near, jnp.array(2))
    assert (there.reward, bool(there.terminated)) == (1, True)
    late = env.step(jax.random.key(1), replace(state, time=jnp.array(199)), jnp.array(2))
    assert (late.reward, bool(late.truncated)) == (0, True)


def test_with_its_velocity_hidden_it_is_the_same_car_and_shows_its_position_alone():
    seen, hidden = registry.make("SparseMountainCar-v0"), registry.make("StatelessSparseMountainCar-v0")
    key = jax.random.key(0)
    state, position = hidden.reset(key)
    assert_array_equal(position, seen.reset(key)[1][:1])
    ours, theirs = (env.step(key, state, jnp.array(2)) for env in (hidden, seen))
    assert_array_equal(ours.observation, theirs.observation[:1])
    assert_array_equal(ours.state.velocity, theirs.state.velocity)
