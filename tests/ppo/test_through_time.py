"""Learned parameters: exact recomputation, true gradients, nothing at a rate of 0, and movement where it pays alone."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.probes import MEMORY
from morphorl.config.errors import SettingError
from morphorl.dynamics import learned_parameters
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.learned_parameters import LEARNABLE, Learned
from morphorl.dynamics.reaction_diffusion import Cell, CellState
from morphorl.environments import registry
from morphorl.ppo import losses, rollout, through_time, training
from morphorl.ppo.networks import init_mlp
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.store import tabulate
from morphorl.studies.study import Run, Study

CARTPOLE = registry.make("CartPole-v1")
SMALL = PPO(num_envs=4, rollout_steps=40, minibatches=2, epochs=1, hidden=(8,))
NAMES = ("cell.activator_diffusion", "cell.activator_decay", "cell.drive", "guidance.strength", "blend.weight")
LEARNING = Settings(
    steps=160 * 4,
    evaluate_every=160,
    evaluation_episodes=1,
    ppo=SMALL,
    cell=Cell(drive=0.1, normalise=True),
    guidance=Guidance(strength=0.1),
    blend=Blend("add", weight=1.0),
    learned=Learned(NAMES),
)


def with_learned(settings=LEARNING, **values):
    return dataclasses.replace(settings, learned=Learned(**values))


# --- Recomputation and gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", ["episode", "redraw", "never"])
def test_recomputed_readouts_equal_those_that_were_acted_on(reset):
    settings = dataclasses.replace(LEARNING, cell=dataclasses.replace(LEARNING.cell, reset=reset, initial_scale=1.0))

    def go():
        state = training.init(settings, CARTPOLE, jnp.array(0), jnp.array(0))
        state = training.update(settings, CARTPOLE, state, jnp.array(0))
        randomness = rollout.draw(settings, CARTPOLE, jax.random.key(7))
        rollout_state, experience = rollout.collect(settings, CARTPOLE, state.agent, state.rollout_state, randomness)
        acted = learned_parameters.effective(settings, state.agent.learned)
        samples = losses.prepare(acted, CARTPOLE, state.agent, experience, rollout_state.observation)
        trace = through_time.trace(settings, state.agent, state.rollout_state.cells, randomness, experience, samples)
        some = jax.tree.map(lambda u: u[..., jnp.array([3, 1])], trace)
        return state, experience, through_time.readouts(acted, trace), through_time.readouts(acted, some)

    state, experience, every, some = jax.jit(go)()
    assert all(abs(offset) > 0 for offset in state.agent.learned.values())  # it is no matter of the start alone
    ended = experience.terminated | experience.truncated
    assert ended.any(axis=0).all()
    np.testing.assert_allclose(every, experience.readout, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(some, experience.readout[..., [3, 1]], rtol=1e-5, atol=1e-6)


def in_double(span=0):
    """A minibatch in float64 on which everything is smooth: states clear of 0 and of the bound, and no distillation
    (whose target is held fixed, so that its gradient is not the derivative of its value)."""
    settings = Settings(
        ppo=PPO(num_envs=3, rollout_steps=12, minibatches=1, entropy_coefficient=0.1),
        cell=Cell(drive=0.05, initial="positive", coupling="ring", readout="difference"),
        guidance=Guidance(strength=0.02),
        blend=Blend("average", weight=0.4),
        learned=Learned(LEARNABLE, span=span),
    )
    key = jax.random.split(jax.random.key(0), 8)
    time, features, actions, count = 12, 3, 2, 3
    cells = CellState(*(2 + jax.random.uniform(k, (features, actions, count)) for k in key[:2]))
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
        loss = jax.jit(lambda u: through_time.loss(u, networks, settings, trace))
        gradient = jax.grad(loss)(offsets)
        for name in LEARNABLE:
            up, down = (float(loss(offsets | {name: offsets[name] + step})) for step in (1e-6, -1e-6))
            assert gradient[name].dtype == jnp.float64
            assert abs(gradient[name]) > 1e-6
            assert float(gradient[name]) == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-9), name


def test_a_span_cuts_the_gradient_and_not_the_readouts():
    with jax.enable_x64(True):
        (whole, networks, trace), (cut, *_) = in_double(), in_double(span=4)
        np.testing.assert_array_equal(through_time.readouts(whole, trace), through_time.readouts(cut, trace))
        last = lambda settings, x: through_time.readouts(settings, trace._replace(seen=x))[-1].sum()  # noqa: E731
        reached = [np.abs(jax.grad(partial(last, s))(trace.seen)).max(axis=1) > 0 for s in (whole, cut)]
        assert np.flatnonzero(reached[0][:, 0]).tolist() == list(range(12))
        assert np.flatnonzero(reached[0][:, 1]).tolist() == list(range(5, 12))  # to the episode's start
        assert np.flatnonzero(reached[1][:, 0]).tolist() == list(range(8, 12))
        zero = dict.fromkeys(LEARNABLE, jnp.zeros(()))
        one, other = (
            jax.grad(through_time.loss)(zero, networks, s, trace)["cell.activator_decay"] for s in (whole, cut)
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
    assert far["cell.activator_decay"] == pytest.approx(0.1 * np.exp(-5), rel=1e-5)
    assert far["guidance.strength"] == pytest.approx(-4.9)
    assert learned_parameters.effective(LEARNING, None) is LEARNING


REFUSED = [
    (lambda: Learned(("cell.drve",)), "learned.parameters = 'cell.drve'.*Did you mean 'cell.drive'"),
    (lambda: Learned(("cell.bound",)), "learned.parameters = 'cell.bound': must be one of cell.activator_diffusion"),
    (lambda: Learned(("cell.drive", "cell.drive")), "must not name one twice"),
    (lambda: Learned(span=-1), "learned.span = -1: must be a whole number of at least 0"),
    (lambda: Learned(learning_rate=-1.0), "learned.learning_rate = -1.0"),
    (lambda: dataclasses.replace(LEARNING, cell=Cell(kind="field")), "cell.kind = 'field': must be 'matrix'"),
    (lambda: dataclasses.replace(LEARNING, blend=Blend("none")), "blend.kind = 'none': must be 'average' or 'add'"),
    (lambda: dataclasses.replace(LEARNING, guidance=Guidance("none")), "guidance.kind = 'none': must be 'blind'"),
    (lambda: dataclasses.replace(LEARNING, ppo=PPO(network="gru")), "ppo.network = 'gru': must be 'mlp'"),
    (lambda: dataclasses.replace(LEARNING, ppo=PPO(num_envs=6)), "ppo.minibatches = 4: must divide the 6 environments"),
    (lambda: dataclasses.replace(LEARNING, cell=Cell(population=0.1)), "cell.population = 0.1: must be 0"),
    (lambda: dataclasses.replace(LEARNING, cell=Cell(activator_decay=0.0)), "cell.activator_decay = 0.0: must be abov"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_cannot_be_learned_is_refused_by_name(make, message):
    with pytest.raises(SettingError, match=message):
        make()


def test_names_are_one_value_and_lists_of_names_are_an_axis():
    arm = {"learned": {"parameters": ["cell.drive", "guidance.strength"]}}
    runs = Study("a", ("CartPole-v1",), {"a": arm}, 1).runs()
    assert [run.settings.learned.parameters for run in runs] == [("cell.drive", "guidance.strength")]
    sweep = {"learned": {"parameters": [[], ["cell.drive"]]}}
    runs = Study("a", ("CartPole-v1",), {"a": sweep}, 1).runs()
    assert [run.settings.learned.parameters for run in runs] == [(), ("cell.drive",)]
    assert runs[0].settings.digest == Settings().digest


# --- Training --------------------------------------------------------------------------------------------------------


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
    np.testing.assert_array_equal(table["learned cell.drive"], moving.curve.learned["cell.drive"].reshape(-1))
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
        cell=Cell(initial_scale=0.0, emphasis="softmax"),
        blend=Blend(kind="add", weight=10.0),
        learned=Learned(("cell.drive",)),
    )

    def one(seed):
        agent = training.train(settings, env, seed).agent
        returns = rollout.evaluate(settings, env, agent, jax.random.key(1), 100, greedy=True)
        return agent.learned["cell.drive"], returns.mean()

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
