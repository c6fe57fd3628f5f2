"""Stream AC(λ): its step, its traces and its statistics, against NumPy."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import stream_ac
import streaming_learner
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from streaming_learner import Layer, Learner, Strengths

from helpers.probes import probe
from morphorl.config.errors import SettingError

RNG = np.random.default_rng(0)
STRENGTHS = Strengths(3.0, 2.0, 0.8, 0.01)


def network(scale=1.0):
    return (Layer(jnp.array(scale * RNG.normal(size=(3, 2))), jnp.array(scale * RNG.normal(size=3))),)


def flat(tree):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(tree)])


@pytest.mark.parametrize(("error", "scale"), [(0.3, 0.001), (0.3, 1.0), (-7.0, 1.0)])
def test_a_step_of_obgd_is_the_papers(error, scale):
    before, trace = network(), network(scale)
    z = flat(trace)
    bound = 2.0 * max(abs(error), 1.0) * np.abs(z).sum()
    size = 1.0 / bound if bound > 1 else 1.0
    after = streaming_learner.obgd(before, trace, jnp.array(error), 2.0)
    np.testing.assert_allclose(flat(after), flat(before) + size * error * z, rtol=1e-5)


@pytest.mark.parametrize("kappa", [2.0, 3.0])
@pytest.mark.parametrize("error", [0.0, 0.01, -1.0, 50.0])
@pytest.mark.parametrize("scale", [1e-4, 0.1, 100.0])
def test_no_step_changes_a_linear_error_by_more_than_its_share(kappa, error, scale):
    trace = network(scale)
    size = float(streaming_learner.obgd_step_size(trace, jnp.array(error), kappa))
    assert size * max(abs(error), 1.0) * np.abs(flat(trace)).sum() <= 1 / kappa * (1 + 1e-5)


def test_traces_follow_the_gradients_of_linear_networks_and_end_with_the_episode():
    """Of V = w·x + b the gradient is (x, 1); of log π it is (1[a] − π) x, and of the entropy −π (log π + H) x."""
    empty = (Layer(jnp.zeros((2, 2)), jnp.zeros(2)),)
    policy, value = (
        (Layer(jnp.array([[0.5, -1.0], [0.2, 0.3]]), jnp.zeros(2)),),
        (Layer(jnp.ones((1, 2)), jnp.zeros(1)),),
    )
    learner = Learner(policy, value, empty, jax.tree.map(jnp.zeros_like, value))
    z_policy, z_value = np.zeros((2, 2)), np.zeros((1, 2))
    xs, actions, rewards = RNG.normal(size=(4, 2)), (0, 1, 1), (1.0, -5.0, 2.0)
    for x, after, action, reward in zip(xs, xs[1:], actions, rewards, strict=False):
        weight, critic = np.asarray(learner.policy[0].weight), learner.value[0]
        error = reward + 0.99 * (critic.weight @ after + critic.bias) - (critic.weight @ x + critic.bias)
        chances = np.exp(weight @ x + np.asarray(learner.policy[0].bias))
        chances /= chances.sum()
        entropy = -(chances * np.log(chances)).sum()
        slope = np.eye(2)[action] - chances - 0.01 * np.sign(error) * chances * (np.log(chances) + entropy)
        z_policy, z_value = 0.99 * 0.8 * z_policy + np.outer(slope, x), 0.99 * 0.8 * z_value + x
        before, learner = learner, learn(learner, x, action, reward, after, ended=False)
        for was, now, z, kappa in (
            (before.policy, learner.policy, learner.policy_trace, STRENGTHS.kappa_policy),
            (before.value, learner.value, learner.value_trace, STRENGTHS.kappa_value),
        ):
            bound = kappa * max(abs(error[0]), 1.0) * np.abs(flat(z)).sum()
            np.testing.assert_allclose(flat(now), flat(was) + error[0] * flat(z) / max(1.0, bound), rtol=1e-4)
        np.testing.assert_allclose(learner.policy_trace[0].weight, z_policy, rtol=1e-4)
        np.testing.assert_allclose(learner.value_trace[0].weight, z_value, rtol=1e-4)
    over = learn(learner, xs[0], 0, 1.0, xs[1], ended=True)
    assert not flat((over.policy_trace, over.value_trace)).any()
    assert (flat(over.value) != flat(learner.value)).all()


def learn(learner, x, action, reward, after, ended):
    x, after = jnp.array(x, jnp.float32), jnp.array(after, jnp.float32)
    no, ended = jnp.array(False), jnp.array(ended)
    told = {"action": jnp.array(action), "reward": jnp.array(reward), "terminated": no, "ended": ended}
    return streaming_learner.updated(learner, STRENGTHS, observation=x, after=after, **told)


def test_a_time_limit_keeps_the_value_of_what_follows():
    """V = 1 everywhere, and a reward of .01: δ is 0 under a time limit, and so nothing is learned."""
    value = (Layer(jnp.zeros((1, 2)), jnp.ones(1)),)
    policy = (Layer(jnp.zeros((2, 2)), jnp.zeros(2)),)
    learner = Learner(policy, value, *jax.tree.map(jnp.zeros_like, (policy, value)))
    x, yes, no = jnp.ones(2), jnp.array(True), jnp.array(False)
    told = {"observation": x, "action": jnp.array(0), "reward": jnp.array(0.01), "after": x, "ended": yes}
    after = [streaming_learner.updated(learner, STRENGTHS, terminated=end, **told) for end in (no, yes)]
    np.testing.assert_allclose(flat(after[0].value), flat(value), atol=1e-6)
    assert flat(after[1].value)[-1] < 0.9


def test_hidden_layers_have_a_layer_norm_and_a_leaky_relu():
    layers = [(RNG.normal(size=(5, 4)), RNG.normal(size=5)), (RNG.normal(size=(2, 5)), RNG.normal(size=2))]
    x = RNG.normal(size=4)
    hidden = layers[0][0] @ x + layers[0][1]
    hidden = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
    expected = layers[1][0] @ np.where(hidden > 0, hidden, 0.01 * hidden) + layers[1][1]
    network = tuple(Layer(jnp.array(weight), jnp.array(bias)) for weight, bias in layers)
    np.testing.assert_allclose(streaming_learner.output(network, jnp.array(x)), expected, rtol=1e-4)


def test_a_step_acts_observes_and_begins_anew_after_an_end():
    env = probe("rewarded by the clock", 2, 3, lambda t, c: jnp.stack([t / 3, c]), lambda t, c, a: t + 1.0)
    stream = stream_ac.init(env, 4, jnp.array(0))
    seen, told = [], []
    for index in range(5):
        stream, (ended, episode_return) = stream_ac.step(env, STRENGTHS, stream, jnp.array(index))
        told.append((bool(ended), float(episode_return)))
        seen.append((float(stream.episode_return), float(stream.discounted_return), float(stream.features.samples)))
    assert told == [(False, 1.0), (False, 3.0), (True, 6.0), (False, 1.0), (False, 3.0)]
    kept, discounted, samples = zip(*seen, strict=True)
    assert kept == (1.0, 3.0, 0.0, 1.0, 3.0)
    np.testing.assert_allclose(discounted, [1, 2.99, 3, 0.99 * 3 + 1, 0.99 * 3.97 + 2], rtol=1e-5)
    assert samples == (2, 3, 5, 6, 7)  # an end shows two observations


class Clock(gymnasium.Env):
    """The probe below on the host: shows the time, pays it, and ends after three steps, by its own or by a limit."""

    observation_space = spaces.Box(-1, 1, (2,), np.float32)
    action_space = spaces.Discrete(1)

    def __init__(self, cut_off):
        self.cut_off = cut_off

    def reset(self, *, seed=None, options=None):
        self.time = 0
        return self._shown(), {}

    def step(self, action):
        self.time += 1
        over = self.time == 3
        return self._shown(), float(self.time), over and not self.cut_off, over and self.cut_off, {}

    def _shown(self):
        return np.array([self.time / 3, 1.0], np.float32)


@pytest.mark.parametrize("cut_off", [False, True])
def test_a_step_on_the_host_is_the_programs(cut_off):
    env = probe("a clock", 2, 3, lambda t, c: jnp.stack([t / 3, 1.0]), lambda t, c, a: t + 1.0, actions=1)
    if cut_off:
        bare = env.step
        env = env._replace(step=lambda *now: _cut_off(bare(*now)))
    envs = SyncVectorEnv([lambda: Clock(cut_off)], autoreset_mode=AutoresetMode.SAME_STEP)
    envs.reset()
    stream = stream_ac.init(env, 4, jnp.array(0))
    streams = jax.tree.map(lambda u: u[None], stream._replace(env_state=None))
    step = jax.jit(lambda stream, index: stream_ac.step(env, STRENGTHS, stream, index))
    for index in range(8):
        stream, (ended, _) = step(stream, jnp.array(index))
        streams, (ended_there, _) = stream_ac.host_step(envs, STRENGTHS, streams, index)
        assert bool(ended) == bool(ended_there[0]) == (index in (2, 5))
        for name in ("learner", "observation", "features", "returns"):
            np.testing.assert_allclose(flat(getattr(streams, name)), flat(getattr(stream, name)), rtol=1e-4, atol=1e-6)


def _cut_off(after):
    return after._replace(terminated=jnp.array(False), truncated=after.terminated)


def test_environments_of_the_host_are_stepped_and_counted():
    """Every step of CartPole pays 1, so that the returns of the episodes that ended are the steps but the last few."""
    options = stream_ac.Options(("gym:CartPole-v1",), steps=stream_ac.BLOCK)
    env = stream_ac.make_env("gym:CartPole-v1")
    ((mean, number),) = stream_ac.blocks_on_host(env, options, STRENGTHS, (0, 1))
    steps = mean * number
    assert mean.shape == (2,)
    assert (steps == np.round(steps)).all()
    assert ((steps > stream_ac.BLOCK - 500) & (steps <= stream_ac.BLOCK)).all()
    assert steps[0] != steps[1]


def test_running_statistics_are_those_of_all_samples():
    samples = RNG.normal(3.0, 2.0, size=(20, 2))
    statistics = streaming_learner.no_samples((2,))
    for x in samples:
        statistics = streaming_learner.with_sample(statistics, jnp.array(x, jnp.float32))
    np.testing.assert_allclose(statistics.mean, samples.mean(0), rtol=1e-5)
    np.testing.assert_allclose(streaming_learner.deviation(statistics), samples.std(0, ddof=1), rtol=1e-5)


def test_nine_of_ten_weights_of_each_unit_are_zero_at_first():
    first, last = streaming_learner.sparse_network(jax.random.key(0), (20, 64, 3))
    assert ((np.asarray(first.weight) == 0).sum(1) == 18).all()
    assert ((np.asarray(last.weight) == 0).sum(1) == 58).all()
    assert np.abs(first.weight).max() <= 1 / np.sqrt(20)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"steps": 2_000}, "^steps = 2000: must be a multiple of 2,048, above 0.$"),
        ({"trace_decay": (1.5,)}, "^trace_decay = 1.5: must be from 0 to 1.$"),
        (
            {"environments": ("Pendulum-v1",)},
            "^environment = 'Pendulum-v1': must be one with discrete actions.$",
        ),
        ({"seeds": 0}, "^seeds = 0: must be above 0.$"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong, said):
    with pytest.raises(SettingError, match=said):
        stream_ac.check(stream_ac.Options(**{"environments": ("CartPole-v1",)} | wrong))
