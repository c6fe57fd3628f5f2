"""Training on Gymnasium's environments: ends under both autoreset modes, continuous actions, what is refused."""

import dataclasses

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from numpy.testing import assert_allclose, assert_array_equal
from scipy import optimize, stats

from helpers import compiled
from morphorl.config.errors import SettingError
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.guidance.adaptive import Adaptive
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.three_factor import ThreeFactor
from morphorl.dynamics.guidance.win_stay import WinStay
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import base, gymnasium_envs, registry
from morphorl.environments.wrappers import Task
from morphorl.ppo import checkpoints, distributions, evaluation, gymnasium_training, losses, schedules, training
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.gymnasium_player import Player
from morphorl.ppo.gymnasium_programs import programs_for
from morphorl.ppo.settings import PPO, Settings, stack
from morphorl.studies import batch_training
from morphorl.studies.run import Run

SMALL = PPO(num_envs=2, rollout_steps=24, minibatches=2, epochs=2, hidden=(8,))
MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]


class Clock(gymnasium.Env):
    """Observations are the time and the offset; episodes end after 3 + offset steps, by truncation where odd."""

    observation_space = spaces.Box(-100, 100, (2,), np.float32)
    action_space = spaces.Discrete(2)
    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(self, offset=0):
        self.offset = offset

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time = 0
        return self._now(), {}

    def step(self, action):
        self.time += 1
        over = self.time >= 3 + self.offset
        return self._now(), float(self.time), over and self.offset % 2 == 0, over and self.offset % 2 == 1, {}

    def _now(self):
        return np.array([self.time, self.offset], np.float32)


def rollout(mode, settings, steps=24):
    """One rollout of one run in two clocks, and the samples that `ppo` makes of it."""
    settings = dataclasses.replace(settings, ppo=dataclasses.replace(settings.ppo, rollout_steps=steps))
    vector = SyncVectorEnv([lambda o=o: Clock(o) for o in range(2)], autoreset_mode=mode)
    vector = gymnasium_training.with_memory(stack([settings]), vector)
    features = vector.single_observation_space.shape[0]
    programs = programs_for(features, 2, None)
    stacked = stack([settings])
    player = Player(vector, programs, 1)
    state = programs.init(stacked, jnp.array([0]), jnp.array([0]))
    begun = player.begin(stacked, state.agent, np.array([0]), learns=True)
    rollout_state, seen = player.collect(stacked, state.agent, begun, jax.random.split(jax.random.key(1), 1))
    first = jax.tree.map(lambda u: jnp.asarray(u)[0], (state.agent, rollout_state, seen.experience))
    env = base.Environment("clock", features, 2, 1, None, None, None)  # pyright: ignore
    agent, rollout_state, experience = first
    return experience, seen.weight[0], losses.prepare(settings, env, agent, experience, rollout_state.observation)


KINDS = {
    "cell": {"guidance": Blind(strength=0.1)},
    "memory": {"guidance": Blind(strength=0.1), "memory": LeakyIntegrators(), "blend": Blend(kind="none")},
    "cell that knows the reward": {"guidance": Modulated(strength=0.1)},
    "cell that knows the reward and outlives episodes": {
        "guidance": Modulated(strength=0.1),
        "dynamics": ReactionDiffusion(drive=0.2, reset="never"),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_both_autoresets_give_the_same_samples_where_they_count(kind):
    """The rows of NEXT_STEP that count are those of SAME_STEP: readouts, values, advantages, whatever was drawn."""
    settings = Settings(steps=48, ppo=SMALL, **({"dynamics": ReactionDiffusion(drive=0.2)} | KINDS[kind]))
    of = {mode: rollout(mode, settings) for mode in MODES}
    weight = of[AutoresetMode.NEXT_STEP][1]
    assert 0 < (weight == 0).sum() < weight.size / 3
    assert (of[AutoresetMode.SAME_STEP][1] == 1).all()
    for i in range(2):
        counts = np.flatnonzero(weight[:, i])
        length = 3 + i
        whole = len(counts) // length * length  # advantages of an unfinished episode depend on where the rollout ends
        for name in ("readout", "advantage", "value", "observation"):
            both = []
            for mode, which in zip(MODES, (counts[:whole], np.arange(whole)), strict=True):
                samples = getattr(of[mode][2], name)
                both.append(np.asarray(samples).reshape(*samples.shape[:-1], 24, 2)[..., i][..., which])
            assert_allclose(*both, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_three_factors_multiply_over_the_rows_that_count(mode):
    """The readout is the sum over steps of rate, surprise and trace; the surprise is that of the step before."""
    rule = ThreeFactor(strength=0.05, trace_decay=0.8, caution=0.0)
    still = ReactionDiffusion(
        activator_diffusion=0.0, activator_production=0.0, activator_decay=0.0, initial_scale=0.0, reset="never"
    )
    settings = Settings(steps=48, ppo=SMALL, dynamics=still, guidance=rule, blend=Blend("add", 1.0))
    seen, weight, samples = rollout(mode, settings)
    value = np.asarray(samples.value).reshape(24, 2)
    for i in range(2):
        activator, trace = np.zeros((2, 2, 2))
        before = None
        for t in np.flatnonzero(weight[:, i]):
            if before is not None:
                goes_on = not seen.terminated[before, i]
                error = seen.reward[before, i] + SMALL.discount * value[t, i] * goes_on - value[before, i]
                assert_allclose(seen.td_error[t, i], 0 if seen.truncated[before, i] else error, atol=1e-5)
            activator = activator + 0.05 * float(seen.td_error[t, i]) * trace
            x = np.asarray(seen.observation[t, :, i])
            assert_allclose(seen.readout[t, :, i], x @ activator, rtol=1e-3, atol=1e-4)
            policy = np.asarray(jax.nn.softmax(seen.logits[t, :, i] + seen.readout[t, :, i]))
            fresh = before is None or seen.terminated[before, i] or seen.truncated[before, i]
            trace = (0 if fresh else 0.8) * trace + np.outer(x, np.eye(2)[seen.action[t, i]] - policy)
            before = t
        assert np.abs(activator).max() > 0.1


@pytest.mark.parametrize("mode", MODES)
def test_rows_that_only_reset_tell_nobody_anything(mode):
    """Neither the usual surprise of a run nor, by a shuffled signal, the neighbour."""
    settings = Settings(steps=48, ppo=SMALL, guidance=Modulated(strength=0.1))
    experience, weight, _ = rollout(mode, settings)
    counts = np.asarray(weight) > 0
    known = training.followed_performance(schedules.unknown(), experience, jnp.asarray(weight))
    expected = 0.8 * 1 + 0.2 * np.abs(np.asarray(experience.td_error)[counts]).mean()
    assert_allclose(known.usual_surprise, expected, rtol=1e-5)
    assert_array_equal(np.asarray(experience.td_error)[~counts], np.zeros((~counts).sum()))


def test_strength_and_weight_are_those_of_the_moment_in_training_and_in_evaluations():
    """The handover is over at half of ten updates, after which the agent plays as plain PPO; caution lowers γ."""
    wild = ReactionDiffusion(initial_scale=9.0, reset="never")
    rule = ThreeFactor(strength=0.1, caution=1.0)
    settings = Settings(
        "gym:CartPole-v1", 480, 48, ppo=SMALL, dynamics=wild, blend=Blend("add", 1.0, 0.5), guidance=rule
    )
    seen = []

    def note(now, agent, index):
        seen.append((float(now.blend.weight[0]), float(now.guidance.strength[0]), agent.performance))
        return np.zeros(1)

    vector = gymnasium_envs.vector("gym:CartPole-v1", SMALL.num_envs)
    state = gymnasium_training.train(stack([settings]), np.arange(1), np.arange(1), vector, note)
    weights, strengths, known = zip(*seen, strict=True)
    assert_allclose(weights, np.clip(2 - 2 * np.arange(10) / 10 / 0.5, 0, 1), atol=1e-6)
    first, fast = (np.array([getattr(one, name)[0] for one in known[:-1]]) for name in ("first_return", "fast_return"))
    progress = np.maximum(np.nan_to_num((fast - first) / (np.abs(first) + 1)), 0)
    assert_allclose(strengths, [0.1, *0.1 / (1 + progress)], rtol=1e-5)
    assert min(strengths) < 0.099
    agents = jax.tree.map(np.asarray, state.agent)
    plain, always = (dataclasses.replace(settings, blend=Blend("add", weight)) for weight in (0.0, 1.0))
    over, without, wildly = (
        evaluation.evaluate_agents([one], agents, 8, greedy=True) for one in (settings, plain, always)
    )
    assert_array_equal(over, without)
    assert (wildly != without).any()


def test_a_rule_that_decides_does_so_on_the_host_too():
    settings = Settings(
        "CartPole-v1", ppo=SMALL, dynamics=ReactionDiffusion(reset="redraw"), guidance=WinStay(strength=0.2)
    )
    stacked, programs = stack([settings]), programs_for(4, 2, None)
    agent = programs.init(stacked, jnp.array([0]), jnp.array([0])).agent
    cells = jax.tree.map(lambda u: jnp.full((1, *u.shape[1:], 3), 0.5), agent.pattern)
    done, returns = jnp.array([[True, True, False]]), jnp.array([[4.0, -4.0, 4.0]])
    keys = jax.random.split(jax.random.key(0), 1)
    after = programs.reset(stacked, agent, cells, done, returns, keys).activator[0]
    assert_allclose(after[..., 0], np.full((4, 2), 0.5 + 0.2 * np.tanh(4.0)), rtol=1e-5)
    assert np.ptp(after[..., 1]) > 0.1
    assert_array_equal(after[..., 2], np.full((4, 2), 0.5))


def test_ends_are_told_apart_and_a_truncation_bootstraps_from_what_it_cut_off():
    for mode in MODES:
        experience, weight, _ = rollout(mode, Settings(steps=48, ppo=SMALL))
        assert not experience.truncated[:, 0].any()
        assert not experience.terminated[:, 1].any()
        for i, ends in enumerate((experience.terminated[:, 0], experience.truncated[:, 1])):
            length = 3 + i + (mode == AutoresetMode.NEXT_STEP)
            assert_array_equal(np.flatnonzero(ends), np.arange(2 + i, 24, length))
            assert_array_equal(experience.final_observation[ends][:, 0, i], 3 + i)
            assert_allclose(experience.episode_return[ends, i], sum(range(1, 4 + i)))
        assert_array_equal(weight == 0, (experience.reward == 0))


def test_rows_that_only_reset_do_not_reach_the_loss():
    """Whatever stands in them, and however the loss normalises advantages."""
    key = jax.random.split(jax.random.key(0), 8)
    settings = Settings(ppo=SMALL)
    agent = compiled.init(settings, registry.make_env("CartPole-v1"), jnp.array(0), jnp.array(0)).agent
    batch, kept = 40, np.arange(40) % 4 != 1
    samples = losses.Samples(
        jax.random.normal(key[0], (4, batch)),
        jax.random.normal(key[1], (2, batch)),
        jax.random.randint(key[2], (batch,), 0, 2),
        -jax.random.uniform(key[3], (batch,)),
        jax.random.normal(key[4], (batch,)),
        jax.random.normal(key[5], (batch,)),
    )
    without = jax.tree.map(lambda u: u[..., kept], samples)
    wild = samples._replace(advantage=jnp.where(kept, samples.advantage, 1e6), weight=jnp.asarray(kept, jnp.float32))
    loss = jax.value_and_grad(losses.ppo_loss)
    networks = losses.networks_of(agent)
    for a, b in zip(*(jax.tree.leaves(loss(networks, settings, s)) for s in (without, wild)), strict=True):
        assert_allclose(a, b, rtol=1e-4, atol=1e-6)


def test_continuous_actions_have_the_density_of_scipys_normal_distribution():
    generator = np.random.default_rng(0)
    mean, action, log_deviation = generator.normal(size=(2, 5)), generator.normal(size=(2, 5)), np.array([-0.3, 0.4])
    ours = distributions.of(jnp.asarray(mean, jnp.float32), jnp.asarray(log_deviation, jnp.float32))
    theirs = stats.norm(mean, np.exp(log_deviation)[:, None])
    assert_allclose(ours.log_prob(jnp.asarray(action, jnp.float32)), theirs.logpdf(action).sum(axis=0), rtol=1e-4)
    assert_allclose(ours.entropy(), theirs.entropy().sum(axis=0), rtol=1e-5)
    other = mean + generator.normal(size=(2, 5))
    expected = (0.5 * ((mean - other) / np.exp(log_deviation)[:, None]) ** 2).sum(axis=0)
    assert_allclose(ours.cross_entropy(jnp.asarray(other, jnp.float32)), expected, rtol=1e-4)
    chance = distributions.draw(jax.random.key(0), (2, 20_000), continuous=True)
    drawn = distributions.sample(jnp.zeros((2, 20_000)), jnp.asarray(log_deviation, jnp.float32), chance)
    assert_allclose(drawn.std(axis=1), np.exp(log_deviation), rtol=0.03)


def test_gradients_of_the_density_and_the_entropy_are_their_finite_differences():
    start, action = np.random.default_rng(0).normal(size=(2, 8))

    def at(flat, *, continuous):
        return distributions.of(flat[:6].reshape(2, 3), flat[6:] if continuous else None)

    for function in (
        lambda flat: at(flat, continuous=True).log_prob(jnp.asarray(action[:6].reshape(2, 3))).sum(),
        lambda flat: at(flat, continuous=True).entropy().sum(),
        lambda flat: at(flat, continuous=False).log_prob(jnp.array([0, 1, 1])).sum(),
        lambda flat: at(flat, continuous=False).entropy().sum(),
    ):
        with jax.enable_x64(True):
            ours = jax.grad(function)(jnp.asarray(start))
            theirs = optimize.approx_fprime(start, lambda flat, of=function: float(of(jnp.asarray(flat))))
        assert np.abs(ours).max() > 0.01
        assert_allclose(ours, theirs, atol=1e-6)


class Target(gymnasium.Env):
    """One step; the reward is −(action − 2·cue)² for a cue of ±1, or +1 where a discrete action says the cue's sign."""

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, continuous):
        self.continuous = continuous
        self.action_space = spaces.Box(-5, 5, (1,), np.float32) if continuous else spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cue = float(self.np_random.choice([-1, 1]))
        return np.array([self.cue], np.float32), {}

    def step(self, action):
        right = -float((action[0] - 2 * self.cue) ** 2) if self.continuous else float((action == 1) == (self.cue > 0))
        return np.array([self.cue], np.float32), right, True, False, {}


for _continuous in (False, True):
    gymnasium.register(f"morphorl-test/Target{_continuous:d}-v0", lambda c=_continuous: Target(c))


@pytest.mark.parametrize("continuous", [False, True])
def test_a_probe_is_learned_on_the_host(continuous):
    settings = Settings(
        f"gym:morphorl-test/Target{continuous:d}-v0",
        steps=9_600,
        evaluate_every=0,
        ppo=PPO(num_envs=4, rollout_steps=40, minibatches=2, hidden=(16,), learning_rate=0.01, entropy_coefficient=0.0),
    )
    result = batch_training.train_batch([Run("arm", settings, seed, seed) for seed in range(2)], 2)
    assert (result.diverged_at == -1).all()
    returns = evaluation.evaluate_agents([settings] * 2, result.agents, 20, greedy=True)
    assert returns.mean() > (-0.3 if continuous else 0.99)


def test_saved_agents_with_continuous_actions_act_identically(tmp_path):
    settings = Settings("gym:Pendulum-v1", steps=96, evaluate_every=0, ppo=SMALL)
    result = batch_training.train_batch([Run("arm", settings, 0, 0)], 2)
    assert result.agents.log_deviation.shape == (1, 1)
    checkpoints.save_agents(Agents([settings], [0], result.agents), tmp_path)
    loaded = checkpoints.load_agents(tmp_path)
    for a, b in zip(jax.tree.leaves(result.agents), jax.tree.leaves(loaded.arrays), strict=True):
        assert_array_equal(a, b)
    described = read_sealed_json(tmp_path / "agents.json")
    del described["action_units"]  # as it was when actions were in the environment's own units
    write_sealed_json(tmp_path / "agents.json", described)
    with pytest.raises(checkpoints.AgentsError, match="in the environment's own units; train again"):
        checkpoints.load_agents(tmp_path)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dynamics": ReactionDiffusion(reset="redraw"), "guidance": WinStay(strength=0.1)},
        {"dynamics": CorrelatedNoise(), "blend": Blend(handover=0.5)},
    ],
)
def test_it_trains_in_any_vector_environment(mode, changes):
    settings = Settings("gym:CartPole-v1", steps=96, evaluate_every=0, ppo=SMALL, **changes)
    vector = gymnasium_envs.vector("gym:CartPole-v1", 4, mode)
    state = gymnasium_training.train(stack([settings] * 2), np.arange(2), np.arange(2), vector)
    assert np.isfinite(state.agent.actor.weights[0]).all()
    assert (state.curve.episodes.sum(axis=1) > 0).all()


def test_an_evaluation_draws_a_pattern_for_every_episode_where_training_does():
    """The agent's own first pattern then has no part in it: any other gives the same returns."""
    still, added = ReactionDiffusion(dt=0.0, initial_scale=30.0), Blend("add", 1.0)
    returns = {}
    for reset in ("redraw", "episode"):
        settings = Settings("gym:CartPole-v1", ppo=SMALL, dynamics=dataclasses.replace(still, reset=reset), blend=added)
        stacked = stack([settings])
        agent = programs_for(4, 2, None).init(stacked, jnp.array([0]), jnp.array([0])).agent
        other = dataclasses.replace(agent, pattern=jax.tree.map(jnp.negative, agent.pattern))
        returns[reset] = [
            gymnasium_training.evaluate(stacked, one, "gym:CartPole-v1", 12, 0, greedy=True) for one in (agent, other)
        ]
    assert_array_equal(*returns["redraw"])
    assert (returns["episode"][0] != returns["episode"][1]).any()
    assert np.ptp(returns["redraw"][0]) > np.ptp(returns["episode"][0])


def test_runs_that_differ_in_their_memory_share_a_vector_environment():
    gains = (1.0, 20.0)
    runs = [Settings("gym:CartPole-v1", ppo=SMALL, memory=LeakyIntegrators(first_gain=gain)) for gain in gains]
    vector = gymnasium_training.with_memory(stack(runs), SyncVectorEnv([lambda: Clock()] * 4))
    vector.reset(seed=0)
    seen = vector.step(np.zeros(4, int))[0]
    assert_allclose(seen[2:, 2:6], 20 * seen[:2, 2:6], rtol=1e-5)
    assert np.abs(seen[0, 2:4]).min() > 0.5  # the clock has moved on by one


def test_the_same_seed_gives_the_same_bits_beside_other_runs():
    settings = Settings("gym:CartPole-v1", steps=96, evaluate_every=0, ppo=SMALL)
    runs = [Run("arm", settings, seed, seed) for seed in range(2)]
    both, again = batch_training.train_batch(runs, 2), batch_training.train_batch(runs, 2)
    alone = batch_training.train_batch(runs[1:], 2)
    for a, b, c in zip(*(jax.tree.leaves(r) for r in (both, again, alone)), strict=True):
        assert_array_equal(a, b)
        assert_allclose(a[1], c[0], rtol=1e-3, atol=1e-4)


REFUSED = [
    ("gym:Acrobat-v1", "environment = 'gym:Acrobat-v1': must be an id registered.*Did you mean 'Acrobot-v1'"),
    ("gym:FrozenLake-v1", "observation space = Discrete.*FlattenObservation"),
    ("gym:morphorl-test/Image-v0", "images need a wrapper"),
    ("gym:morphorl-test/Dict-v0", "Dict.*FlattenObservation"),
    ("gym:morphorl-test/Multi-v0", "action space is MultiDiscrete.*Wrap it"),
]


def odd(observation_space=Clock.observation_space, action_space=Clock.action_space):
    env = Clock()
    env.observation_space, env.action_space = observation_space, action_space
    return env


gymnasium.register("morphorl-test/Image-v0", lambda: odd(spaces.Box(0, 255, (4, 4, 3), np.uint8)))
gymnasium.register("morphorl-test/Dict-v0", lambda: odd(spaces.Dict({"a": spaces.Box(0, 1, (2,))})))
gymnasium.register("morphorl-test/Multi-v0", lambda: odd(action_space=spaces.MultiDiscrete([2, 2])))


@pytest.mark.parametrize(("env_id", "sentence"), REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_what_no_policy_can_see_or_do_is_refused(env_id, sentence):
    with pytest.raises(SettingError, match=sentence):
        Settings(env_id)


def test_a_missing_package_is_told_and_not_taken_for_a_damaged_file(tmp_path, monkeypatch):
    settings = Settings("gym:CartPole-v1", steps=96, evaluate_every=0, ppo=SMALL)
    checkpoints.save_agents(
        Agents([settings], [0], batch_training.train_batch([Run("arm", settings, 0, 0)], 1).agents), tmp_path
    )

    def without(name):
        raise gymnasium.error.DependencyNotInstalled("Box2D is not installed")

    monkeypatch.setattr(gymnasium, "make", without)
    gymnasium_envs.describe.cache_clear()
    registry.make_env.cache_clear()
    with pytest.raises(SettingError, match=r"^environment = 'gym:CartPole-v1': needs the extra 'box2d'"):
        checkpoints.load_agents(tmp_path)


@pytest.mark.filterwarnings("ignore:.*out of date")
def test_what_mujocos_environments_lack_is_told(monkeypatch):
    with pytest.raises(SettingError, match=r"^environment = 'gym:Swimmer-v3': .* moved to the gymnasium-robotics"):
        gymnasium_envs.describe("gym:Swimmer-v3")

    def without(name):
        raise gymnasium.error.DependencyNotInstalled('MuJoCo is not installed, run `pip install "gymnasium[mujoco]"`')

    monkeypatch.setattr(gymnasium, "make", without)
    gymnasium_envs.describe.cache_clear()
    with pytest.raises(SettingError, match=r"^environment = 'gym:Swimmer-v5': needs the extra 'mujoco'"):
        gymnasium_envs.describe("gym:Swimmer-v5")


def test_mujocos_environments_have_continuous_actions_on_the_host():
    pytest.importorskip("mujoco", reason="the extra mujoco is not installed")
    assert gymnasium_envs.describe("gym:Swimmer-v5")[:5] == ("gym:Swimmer-v5", 8, 2, 1000, 360.0)
    assert gymnasium_envs.describe("gym:Swimmer-v5").continuous


HOST_LACKS = [
    ({"ppo": PPO(network="gru")}, r"^ppo\.network = 'gru': must be 'mlp' for environments of Gymnasium's \('gym:'\)\."),
    (
        {"guidance": Adaptive(), "memory": LeakyIntegrators(), "blend": Blend(kind="none")},
        r"^memory\.kind = 'leaky_integrators': must be one that is not guided where guidance\.kind is 'adaptive'",
    ),
    ({"task": Task(sticky=True)}, r"^task\.sticky = true: must be false for environments of Gymnasium"),
    ({"dynamics": ReactionDiffusion(reset="redraw", redraw=0.1)}, r"^dynamics\.redraw = 0\.1: must be 0 for environ"),
    ({"learned": Learned(("dynamics.drive",))}, r"^learned\.parameters = \('dynamics\.drive',\): must be empty for"),
]


@pytest.mark.parametrize(("changes", "sentence"), HOST_LACKS)
def test_settings_that_the_hosts_loop_lacks_are_refused(changes, sentence):
    with pytest.raises(SettingError, match=sentence):
        Settings("gym:CartPole-v1", **changes)
