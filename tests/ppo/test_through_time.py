"""Learned parameters: exact recomputation, true gradients, nothing at a rate of 0, and movement where it pays alone."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers import compiled
from helpers.probes import MEMORY
from morphorl.config.errors import SettingError
from morphorl.config.fields import POSITIVE, setting
from morphorl.dynamics import learned_parameters
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion
from morphorl.dynamics.state_dependent_noise import StateDependentNoise
from morphorl.environments import registry
from morphorl.ppo import losses, rollout, through_time, training
from morphorl.ppo.agent import init_agent, observe
from morphorl.ppo.networks import init_mlp
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.run import Run
from morphorl.studies.store import tabulate
from morphorl.studies.study import Study

CARTPOLE = registry.make_env("CartPole-v1")
SMALL = PPO(num_envs=4, rollout_steps=40, minibatches=2, epochs=1, hidden=(8,))
NAMES = (
    "dynamics.activator_diffusion",
    "dynamics.activator_decay",
    "dynamics.drive",
    "guidance.strength",
    "blend.weight",
)
LEARNING = Settings(
    steps=160 * 4,
    evaluate_every=160,
    evaluation_episodes=1,
    ppo=SMALL,
    dynamics=ReactionDiffusion(drive=0.1, normalise=True),
    guidance=Blind(strength=0.1),
    blend=Blend("add", weight=1.0),
    learned=Learned(NAMES),
)
LEARNABLE = tuple(learned_parameters.learnable(LEARNING))


def with_learned(settings=LEARNING, **values):
    return dataclasses.replace(settings, learned=Learned(**values))


# --- Recomputation and gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", ["episode", "redraw", "never"])
def test_recomputed_readouts_equal_those_that_were_acted_on(reset):
    system = dataclasses.replace(LEARNING.dynamics, reset=reset, initial_scale=1.0)
    assert_recomputed(dataclasses.replace(LEARNING, dynamics=system))


def test_recomputed_readouts_are_those_of_the_weights_that_were_drawn():
    """A system with constants, which minibatches do not cut."""
    system, names = EchoState(), ("dynamics.spectral_radius", "dynamics.input_scale", "dynamics.deviation")
    assert_recomputed(dataclasses.replace(LEARNING, dynamics=system, learned=Learned(names)))


def assert_recomputed(settings):
    """Readouts that the loss recomputes are those that were acted on, of all environments and of some."""

    offsets = {name: jnp.array(0.1) for name in settings.learned.parameters}  # it is no matter of the start alone
    agent = init_agent(settings, 4, 2, jax.random.key(0), jax.random.key(1))
    agent = dataclasses.replace(agent, learned=offsets)
    state = rollout.begin(settings, CARTPOLE, agent, jax.random.key(2), SMALL.num_envs)
    randomness = compiled.draw(settings, CARTPOLE, jax.random.key(6))
    state, before = compiled.collect(settings, CARTPOLE, agent, state, randomness)
    seen = before.observation.transpose(1, 0, 2).reshape(4, -1)
    agent = dataclasses.replace(agent, statistics=observe(agent.statistics, seen))
    randomness = compiled.draw(settings, CARTPOLE, jax.random.key(7))
    after, experience = compiled.collect(settings, CARTPOLE, agent, state, randomness)  # from the midst of episodes
    ended = experience.terminated | experience.truncated
    assert ended.any(axis=0).all()
    acted = learned_parameters.effective(settings, agent.learned)
    samples = losses.prepare(acted, CARTPOLE, agent, experience, after.observation)
    trace = through_time.trace(settings, agent, state.cells, randomness, experience, samples)
    for chosen in (jnp.arange(4), jnp.array([3, 1])):
        some = jax.tree.map(lambda u, chosen=chosen: u[..., chosen], trace)
        recomputed = jax.jit(through_time.readouts)(acted, agent.constants, some)
        np.testing.assert_allclose(recomputed, experience.readout[..., chosen], rtol=1e-5, atol=1e-6)


def in_double(span=0):
    """A minibatch in float64 on which everything is smooth: states clear of 0 and of the bound, and no distillation
    (whose target is held fixed, so that its gradient is not the derivative of its value)."""
    settings = Settings(
        ppo=PPO(num_envs=3, rollout_steps=12, minibatches=1, entropy_coefficient=0.1),
        dynamics=ReactionDiffusion(drive=0.05, initial="positive", coupling="ring", readout="difference"),
        guidance=Blind(strength=0.02),
        blend=Blend("average", weight=0.4),
        learned=Learned(LEARNABLE, span=span),
    )
    key = jax.random.split(jax.random.key(0), 8)
    time, features, actions, count = 12, 3, 2, 3
    cells = ActivatorInhibitor(*(2 + jax.random.uniform(k, (features, actions, count)) for k in key[:2]))
    shape = (time, count)
    samples = losses.Samples(
        observation=jax.random.normal(key[2], (features, *shape)),
        readout=jnp.zeros((actions, *shape)),
        action=jax.random.randint(key[3], shape, 0, actions),
        log_prob=jnp.full(shape, -0.7),
        value=jnp.zeros(shape),
        advantage=jax.random.normal(key[4], shape),
    )
    starts = jnp.zeros(shape, bool).at[5, 1].set(True)
    pattern = jax.tree.map(lambda u: u + 0.3, cells)
    trace = through_time.Trace(jax.random.normal(key[5], (time, features, count)), starts, cells, pattern, samples)
    networks = losses.Networks(
        *(init_mlp(k, (features, 4, n), 1.0, "tanh") for k, n in zip(key[6:], (2, 1), strict=True))
    )
    return settings, networks, trace


def test_gradients_are_those_of_finite_differences():
    with jax.enable_x64(True):
        settings, networks, trace = in_double()
        offsets = {name: jnp.asarray(0.01 * i) for i, name in enumerate(LEARNABLE)}
        loss = jax.jit(lambda u: through_time.loss(u, networks, settings, None, trace))
        gradient = jax.grad(loss)(offsets)
        for name in LEARNABLE:
            up, down = (float(loss(offsets | {name: offsets[name] + step})) for step in (1e-6, -1e-6))
            assert gradient[name].dtype == jnp.float64
            assert abs(gradient[name]) > 1e-6
            assert float(gradient[name]) == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-9), name


def test_a_span_cuts_the_gradient_and_not_the_readouts():
    with jax.enable_x64(True):
        (whole, networks, trace), (cut, *_) = in_double(), in_double(span=4)
        np.testing.assert_array_equal(*(through_time.readouts(one, None, trace) for one in (whole, cut)))
        last = lambda settings, x: through_time.readouts(settings, None, trace._replace(seen=x))[-1].sum()  # noqa: E731
        reached = [np.abs(jax.grad(partial(last, s))(trace.seen)).max(axis=1) > 0 for s in (whole, cut)]
        assert np.flatnonzero(reached[0][:, 0]).tolist() == list(range(12))
        assert np.flatnonzero(reached[0][:, 1]).tolist() == list(range(5, 12))  # to the episode's start
        assert np.flatnonzero(reached[1][:, 0]).tolist() == list(range(8, 12))
        zero = dict.fromkeys(LEARNABLE, jnp.zeros(()))
        one, other = (
            jax.grad(through_time.loss)(zero, networks, s, None, trace)["dynamics.activator_decay"]
            for s in (whole, cut)
        )
        assert abs(one - other) > 1e-6


# --- Values ----------------------------------------------------------------------------------------------------------


def test_values_start_at_the_settings_and_stay_positive_where_they_must():
    nothing = dict.fromkeys(NAMES, jnp.zeros(()))
    at_start = learned_parameters.values(LEARNING, nothing)
    for name in NAMES:
        part, field = name.split(".")
        assert at_start[name] == jnp.float32(getattr(getattr(LEARNING, part), field))
    far = learned_parameters.values(LEARNING, dict.fromkeys(NAMES, jnp.array(-5.0)))
    assert far["dynamics.activator_decay"] == pytest.approx(0.1 * np.exp(-5), rel=1e-5)
    assert far["guidance.strength"] == pytest.approx(-4.9)
    assert learned_parameters.effective(LEARNING, None) is LEARNING


def learning(names=NAMES, **changes):
    return lambda: dataclasses.replace(LEARNING, learned=Learned(names), **changes)


class Following(Dynamics):
    """It follows the observation."""

    rate: float = setting(0.1, POSITIVE)
    """How fast."""

    def init(self, key, shape):
        return jnp.zeros(shape)

    def step(self, state, observation, guide):
        return state + self.rate * (observation[:, None] - state) + guide(state)

    def read(self, state, observation):
        return state.sum(0)


class Weighed(Following):
    """Its weights are drawn once, and know the rate."""

    def constants(self, key, shape):
        return jax.nn.softmax(self.rate * jax.random.normal(key, shape[:1]))


class Exchanging(Following):
    """Parallel environments move towards each other."""

    def exchange(self, states, weights):
        return jax.tree.map(lambda u: 0.9 * u + 0.1 * u.mean(-1, keepdims=True), states)


REFUSED = [
    (learning(("dynamics.drve",)), r"^learned\.parameters = 'dynamics\.drve': .* Did you mean 'dynamics\.drive'\?"),
    (learning(("cell.drive",)), r"^learned\.parameters = 'cell\.drive': .* Did you mean 'dynamics\.drive'\?"),
    (learning(("dynamics.bound",)), r"^learned\.parameters = 'dynamics\.bound': must be one of dynamics\.activ"),
    (learning(("dynamics.drive", "dynamics.drive")), "must not name one twice"),
    (lambda: Learned(span=-1), r"^learned\.span = -1: must be a whole number of at least 0"),
    (lambda: Learned(learning_rate=-1.0), r"^learned\.learning_rate = -1\.0"),
    (learning(dynamics=EchoState()), r"^learned\.parameters = 'dynamics\.activator_diffusion': .* dynamics\.deviation"),
    (learning(dynamics=CorrelatedNoise()), r"^dynamics\.kind = 'correlated_noise': must .* no random numbers"),
    (learning(dynamics=StateDependentNoise()), r"^dynamics\.kind = 'state_dependent_noise': must .* observation alone"),
    (
        learning(("dynamics.time",), dynamics=GiererMeinhardt()),
        r"'dynamics\.time': must be one of dynamics\.scale, dyn",
    ),
    (learning(("blend.distil",)), r"^learned\.parameters = 'blend\.distil': must be one of .* blend\.weight\."),
    (learning(blend=Blend("none")), r"^blend\.kind = 'none': must be 'average' or 'add'"),
    (learning(blend=Blend(update="network")), r"^blend\.update = 'network': must be 'blended'"),
    (learning(guidance=NoGuidance()), r"^guidance\.kind = 'none': must be 'blind'"),
    (learning(guidance=Modulated()), r"^guidance\.kind = 'modulated': must be 'none' or 'blind'"),
    (learning(ppo=PPO(network="gru")), r"^ppo\.network = 'gru': must be 'mlp'"),
    (learning(ppo=PPO(num_envs=6, rollout_steps=40)), r"^ppo\.minibatches = 4: must divide the 6 environments"),
    (learning(dynamics=ReactionDiffusion(population=0.1)), r"^dynamics\.kind = .*: must be a system whose `exchange`"),
    (
        learning(("guidance.strength",), memory=LeakyIntegrators()),
        r"^memory\.kind = 'leaky_integrators': must be one that is not guided",
    ),
    (learning(dynamics=ReactionDiffusion(reset="redraw", redraw=0.1)), r"^dynamics\.redraw = 0\.1: must be 0"),
    (learning(("dynamics.rate",), dynamics=Weighed()), r"^learned\.parameters = 'dynamics\.rate': must be a number on"),
    (learning(("dynamics.rate",), dynamics=Exchanging()), r"^dynamics\.kind = .*: must be a system whose `exchange`"),
    (learning(blend=Blend(handover=0.5)), r"^blend\.handover = 0\.5: must be 0 where .* blend\.weight"),
    (learning(dynamics=ReactionDiffusion(activator_decay=0.0)), r"^dynamics\.activator_decay = 0\.0: must be above 0"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_learned_is_refused_by_name(make, message):
    with pytest.raises(SettingError, match=message):
        make()


def test_names_are_one_value_and_lists_of_names_are_an_axis():
    arm = {"learned": {"parameters": ["dynamics.drive", "guidance.strength"]}}
    runs = Study("a", ("CartPole-v1",), {"a": arm}, 1).runs()
    assert [run.settings.learned.parameters for run in runs] == [("dynamics.drive", "guidance.strength")]
    sweep = {"learned": {"parameters": [[], ["dynamics.drive"]]}}
    runs = Study("a", ("CartPole-v1",), {"a": sweep}, 1).runs()
    assert [run.settings.learned.parameters for run in runs] == [(), ("dynamics.drive",)]
    assert runs[0].settings.digest == Settings().digest


# --- Training --------------------------------------------------------------------------------------------------------


@pytest.mark.optimised
def test_a_rate_of_0_is_the_fixed_cell_to_the_last_bit_and_what_is_learned_is_visible():
    def trained(settings):
        return batch_training.train_batch([Run("a", settings, seed, seed) for seed in (0, 1)], 2)

    fixed, frozen, moving = map(
        trained, (with_learned(), with_learned(parameters=NAMES, learning_rate=0.0), with_learned(parameters=NAMES))
    )
    for part in ("actor", "critic", "statistics", "pattern"):
        for one, other in zip(*(jax.tree.leaves(getattr(r.agents, part)) for r in (fixed, frozen)), strict=True):
            np.testing.assert_array_equal(one, other)
    for one, other in zip(fixed.curve[:4], frozen.curve[:4], strict=True):
        np.testing.assert_array_equal(one, other)
    assert fixed.curve.learned is None
    for name in NAMES:
        part, field = name.split(".")
        start = np.float32(getattr(getattr(LEARNING, part), field))
        np.testing.assert_array_equal(frozen.curve.learned[name], np.full((2, 4), start))
        assert (np.abs(moving.curve.learned[name][:, 0] - start) > 0).all()
        assert (moving.agents.learned[name] != 0).all()
    runs = [Run("a", LEARNING, seed, seed) for seed in (0, 1)]
    table = tabulate(runs, moving)
    np.testing.assert_array_equal(table["learned dynamics.drive"], moving.curve.learned["dynamics.drive"].reshape(-1))
    assert not [name for name in tabulate(runs, fixed).columns if name.startswith("learned")]


def drives(env, seeds):
    """The drive that a cell has learned, and the greedy return then, of several runs; it starts from no drive."""
    quick = PPO(
        learning_rate=5e-3, num_envs=16, rollout_steps=16, hidden=(8,), entropy_coefficient=0.0, epochs=2, anneal=False
    )
    settings = Settings(
        steps=10_240,
        evaluate_every=0,
        ppo=quick,
        dynamics=ReactionDiffusion(initial_scale=0.0, emphasis="softmax"),
        blend=Blend(kind="add", weight=10.0),
        learned=Learned(("dynamics.drive",)),
    )

    def one(seed):
        agent = training.train(settings, env, seed).agent
        returns = rollout.evaluate(settings, env, agent, jax.random.key(1), 100, greedy=True)
        return agent.learned["dynamics.drive"], returns.mean()

    return jax.jit(jax.vmap(one))(jnp.arange(seeds))


def test_a_drive_that_memory_needs_is_learned_and_one_that_nothing_needs_is_not():
    # In the probe, action 0 answers a cue of +1, and a positive drive feeds action 0: the sign must be found.
    needed, solved = drives(MEMORY, 8)
    assert (needed > 0.1).all()
    assert solved.mean() > 0.95

    def paid_always(key, state, action):
        return MEMORY.step(key, state, action)._replace(reward=jnp.array(1.0))

    idle, _ = drives(MEMORY._replace(step=paid_always), 8)
    spread = float(jnp.std(idle)) / np.sqrt(len(idle))
    assert abs(float(idle.mean())) < 3 * spread + 1e-3
    assert np.abs(idle).max() < needed.min()
