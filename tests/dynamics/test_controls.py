"""Controls: each is what it says, and off it costs and changes nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.config import random_streams
from morphorl.config.errors import SettingError
from morphorl.dynamics import coloured_noise as coloured
from morphorl.dynamics import correlated_noise, echo_state
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.control import Control
from morphorl.dynamics.guidance import Guidance
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.reaction_diffusion import Cell
from morphorl.environments import registry
from morphorl.environments.base import Environment, Step
from morphorl.ppo import companion, evaluation, losses, rollout, task, training
from morphorl.ppo.agent import init_agent
from morphorl.ppo.settings import PPO, Settings, stack
from morphorl.studies import batch_training
from morphorl.studies.study import Run

SMALL = PPO(num_envs=4, rollout_steps=64, minibatches=2, hidden=(8,))
FROZEN = Cell(dt=0.0, initial_scale=1.0)
CARTPOLE = registry.make("CartPole-v1")


def settings(**changes):
    return Settings(steps=512, evaluate_every=0, ppo=SMALL, **changes)


def experience(settings, env=CARTPOLE, seed=0):
    """A fresh run and its first rollout, in its own environment."""
    bare, env = env, task.around(settings, env)

    def act():
        state = training.init(settings, bare, jnp.array(seed), jnp.array(seed))
        randomness = rollout.draw(settings, env, jax.random.key(5))
        return state, randomness, rollout.collect(settings, env, state.agent, state.rollout_state, randomness)[1]

    return jax.jit(act)()


# --- Cells that are controls ------------------------------------------------------------------------------------------


def test_a_frozen_pattern_never_moves_whatever_pushes_it():
    cell = Cell(dt=0.0, initial_scale=0.5, drive=1.0)
    start = cell.init(jax.random.key(0), (4, 2))
    state = start
    for _ in range(5):
        state, readout = cell.step(state, jnp.arange(4.0), Guidance(strength=0.3))
    for one, other in zip(start, state, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(readout, jnp.arange(4.0) @ start.activator, rtol=1e-6)


@pytest.mark.parametrize("reset", ["episode", "redraw"])
def test_a_frozen_pattern_is_one_a_run_or_with_redraw_one_an_episode(reset):
    state, _, seen = experience(settings(cell=dataclasses.replace(FROZEN, reset=reset)))
    done = np.asarray(seen.terminated | seen.truncated)
    assert done.sum() > 4
    for env in range(SMALL.num_envs):
        episode = np.concatenate([[0], np.cumsum(done[:, env])[:-1]])
        patterns = []
        for number in range(episode[-1] + 1):
            x, o = (np.asarray(u)[episode == number, :, env] for u in (seen.observation, seen.readout))
            if len(x) < 4:
                continue
            pattern = np.linalg.lstsq(x, o)[0]  # one linear map answers the whole episode
            np.testing.assert_allclose(x @ pattern, o, atol=1e-4)
            patterns.append(pattern)
        drawn = np.asarray(state.agent.pattern.activator)
        own = [np.allclose(pattern, drawn, atol=0.05) for pattern in patterns]
        assert all(own) if reset == "episode" else not any(own[1:])


def test_frozen_patterns_zeros_and_cells_share_one_program():
    arms = [
        settings(),
        settings(cell=FROZEN),
        settings(cell=Cell(initial_scale=0.0)),
        settings(blend=Blend(weight=0.0)),
    ]
    from morphorl.studies.study import programs

    assert len(programs(Run(str(i), arm, 0, 0) for i, arm in enumerate(arms))) == 1


# --- A fresh sign -----------------------------------------------------------------------------------------------------


def test_a_fresh_sign_keeps_the_size_of_a_readout_and_forgets_the_last_step():
    plain, signed = settings(cell=FROZEN), settings(cell=FROZEN, control=Control("sign"))
    _, _, seen = experience(signed)
    state, _, _ = experience(plain)
    pattern = state.agent.pattern.activator
    unsigned = jnp.einsum("tfe,fa->tae", seen.observation, pattern)
    sign = np.asarray(seen.readout / unsigned)
    np.testing.assert_allclose(np.abs(sign), 1.0, rtol=1e-4)
    np.testing.assert_allclose(sign[:, 0], sign[:, 1], rtol=1e-4)  # one sign for the whole readout
    sign = np.sign(sign[:, 0])
    for share in (sign > 0, sign[1:] == sign[:-1], sign[:, 1:] == sign[:, :-1]):
        assert abs(share.mean() - 0.5) < 5 * 0.5 / np.sqrt(share.size)


# --- Noise ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("autocorrelation", [0.0, 0.9, -0.5])
def test_noise_has_the_variance_and_the_autocorrelation_that_it_is_asked_for(autocorrelation):
    start = jax.vmap(lambda key: correlated_noise.init(2.0, key, 2), out_axes=-1)(
        jax.random.split(jax.random.key(0), 20_000)
    )
    normal = jax.random.normal(jax.random.key(1), (10, 2, 20_000))

    def step(state, n):
        state = correlated_noise.step(2.0, autocorrelation, state, n)
        return state, state

    values = np.asarray(jax.lax.scan(step, start, normal)[1])
    values = np.concatenate([np.asarray(start)[None], values])
    np.testing.assert_allclose(values.std(axis=(1, 2)), 2.0, rtol=0.02)  # stationary from the first step on
    for lag in (1, 3):
        measured = np.mean(values[lag:] * values[:-lag]) / 4.0
        assert measured == pytest.approx(autocorrelation**lag, abs=0.02)
    assert np.corrcoef(values[:, 0].ravel(), values[:, 1].ravel())[0, 1] == pytest.approx(0, abs=0.02)


def test_noise_in_a_rollout_ignores_the_observation_and_starts_afresh_with_redraw():
    noisy = settings(cell=Cell(reset="redraw"), control=Control("noise", deviation=3.0, autocorrelation=1.0))
    _, randomness, seen = experience(noisy)
    done = np.asarray(seen.terminated | seen.truncated)
    readout = np.asarray(seen.readout)
    changed = (readout[1:] != readout[:-1]).any(axis=1)  # with a correlation of 1 it changes at episode ends only
    np.testing.assert_array_equal(changed, done[:-1])
    np.testing.assert_allclose(
        readout[1:].transpose(0, 2, 1)[done[:-1]], randomness.pattern.transpose(0, 2, 1)[:-1][done[:-1]]
    )


# --- Coloured noise ---------------------------------------------------------------------------------------------------


def coloured_noise(colour, deviation, steps, series, seed=0):
    """(steps, series): noise in environments of one action."""
    start = jax.random.split(jax.random.key(seed), series)
    start = jax.vmap(lambda key: coloured.init(key, 1), out_axes=-1)(start)

    def step(state, key):
        return coloured.step(deviation, colour, state, jax.random.normal(key, state.shape))

    keys = jax.random.split(jax.random.key(seed + 1), steps)
    return jax.lax.scan(step, start, keys)[1][:, 0]


@pytest.fixture(scope="module")
def colours():
    """Noise of four colours: β, and (steps, series)."""
    betas = jnp.array([0.0, 0.5, 1.0, 1.5])
    values = jax.jit(jax.vmap(lambda beta: coloured_noise(beta, 2.0, 4096, 200)))(betas)
    return dict(zip(betas.tolist(), np.asarray(values), strict=True))


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 1.5])
def test_the_spectrum_of_coloured_noise_falls_as_it_is_asked_to(colours, beta):
    values = colours[beta]
    window = np.hanning(len(values))[:, None]  # the slow components must not leak into the fast ones
    power = (np.abs(np.fft.rfft(values * window, axis=0)) ** 2).mean(1)
    frequency = np.fft.rfftfreq(len(values))
    law = (frequency > 1 / 400) & (frequency < 0.1)
    slope = np.polyfit(np.log(frequency[law]), np.log(power[law]), 1)[0]
    assert slope == pytest.approx(-beta, abs=0.06)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 1.5])
def test_coloured_noise_has_the_deviation_that_it_is_asked_for_from_the_first_step_on(colours, beta):
    values = colours[beta]
    for part in (values[:8], values[-8:]):  # 200 series, and a slow process hardly moves in eight steps
        assert part.std() == pytest.approx(2.0, rel=5 / np.sqrt(2 * 200))
    assert sum(coloured.shares(beta)) == pytest.approx(1.0, rel=1e-5)


def test_coloured_noise_correlates_as_fractional_noise_does():
    """Its autocorrelation is known: Γ(k + d)Γ(1 − d)/(Γ(k + 1 − d)Γ(d)), here with d = β/2 = 1/4."""
    lags = np.arange(1, 60)
    exact = np.cumprod([(k - 1 + 0.25) / (k - 0.25) for k in lags])
    phi = np.asarray(coloured.autocorrelations(), float)
    ours = [(np.asarray(coloured.shares(0.5)) * phi**k).sum() for k in lags]
    np.testing.assert_allclose(ours, exact, atol=0.03)


# --- State-dependent exploration --------------------------------------------------------------------------------------


def answers(start, seen, randomness):
    """Which initial state each step of a rollout acts from, (time, *shape, envs), where nothing moves it."""
    again = np.asarray(seen.terminated | seen.truncated | randomness.redrawn)
    now = np.broadcast_to(np.asarray(start)[..., None], chance_of(randomness)[0].shape)
    states = []
    for fresh, new in zip(chance_of(randomness), again, strict=True):
        states.append(now)
        now = np.where(new, fresh, now)
    return np.stack(states), again


def chance_of(randomness):
    pattern = randomness.pattern
    return np.asarray(pattern.activator if hasattr(pattern, "activator") else pattern)


def test_a_state_dependent_readout_is_that_of_the_policys_last_hidden_layer_by_weights_that_last():
    control = Control("state_dependent", deviation=2.0)
    state, randomness, seen = experience(settings(cell=Cell(reset="redraw", redraw=0.1), control=control))
    theta, again = answers(state.agent.pattern, seen, randomness)
    assert theta.shape[1:] == (8, 2, SMALL.num_envs)
    actor = state.agent.actor
    before = np.einsum("hf,tfe->the", actor.weights[0], seen.observation)
    hidden = np.tanh(before + np.asarray(actor.biases[0])[:, None])
    expected = 2.0 / np.sqrt(8) * np.einsum("thae,the->tae", theta, hidden)
    np.testing.assert_allclose(seen.readout, expected, atol=1e-5)
    assert np.std(theta[1:].transpose(0, 3, 1, 2)[again[:-1]]) == pytest.approx(1.0, abs=0.1)  # fresh, standard normal


# --- Redraws within an episode ----------------------------------------------------------------------------------------


def test_a_pattern_is_redrawn_within_an_episode_as_often_as_it_is_asked_to_be():
    rare, often = (settings(cell=dataclasses.replace(FROZEN, reset="redraw", redraw=p)) for p in (0.0, 0.1))
    state, randomness, seen = experience(often)
    patterns, _ = answers(state.agent.pattern.activator, seen, randomness)
    np.testing.assert_allclose(seen.readout, np.einsum("tfe,tfae->tae", seen.observation, patterns), atol=1e-5)
    redrawn = np.asarray(randomness.redrawn)
    assert redrawn.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / redrawn.size))
    assert (redrawn & ~np.asarray(seen.terminated)).any()
    at_ends = rollout.draw(rare, CARTPOLE, jax.random.key(5))
    assert not at_ends.redrawn.any()
    for one, other in zip(jax.tree.leaves(at_ends.pattern), jax.tree.leaves(randomness.pattern), strict=True):
        np.testing.assert_array_equal(one, other)  # and all other chance is what it is without


def _always(key):
    return jnp.array(-1), jnp.ones(1)


FICKLE = Environment(
    "fickle: one observation, and a reward for every change of the action; an episode lasts ten steps",
    1,
    2,
    11,
    None,
    _always,
    lambda key, state, action: Step(
        action + 2 * (state // 2 + 1),
        jnp.ones(1),
        jnp.float32((state >= 0) & (state % 2 != action)),
        state // 2 + 1 >= 9,
        jnp.array(False),
    ),
)
"""The state holds the number of steps and the action before, 2·steps + action; −1 at the start."""


def test_evaluation_redraws_as_training_does():
    cells = [dataclasses.replace(FROZEN, reset="redraw", redraw=p) for p in (0.0, 0.25, 1.0)]
    fickle = stack([settings(cell=cell, blend=Blend("add", weight=100.0)) for cell in cells])

    def returns(fickle):
        agent = init_agent(fickle, 1, 2, jax.random.key(0), jax.random.key(1))
        return rollout.evaluate(fickle, FICKLE, agent, jax.random.key(2), 200, greedy=True)

    never, sometimes, ever = jax.jit(jax.vmap(returns))(fickle)
    assert never.max() == 0  # one frozen pattern, one observation, one action
    assert sometimes.mean() == pytest.approx(9 * 0.25 / 2, abs=0.3)
    assert ever.mean() == pytest.approx(9 / 2, abs=0.4)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("cell.redraw = 0.1", lambda: {"cell": Cell(redraw=0.1)}),
        ("cell.redraw = 2.0", lambda: {"cell": Cell(reset="redraw", redraw=2.0)}),
        ("control.colour = 3.0", lambda: {"control": Control("coloured", colour=3.0)}),
        (
            "cell.redraw = 0.1",
            lambda: {"cell": Cell(reset="redraw", redraw=0.1), "guidance": Guidance("win_stay", 0.1)},
        ),
        (
            "cell.redraw = 0.1",
            lambda: {"cell": Cell(reset="redraw", redraw=0.1), "learned": Learned(("cell.drive",))},
        ),
        ("cell.redraw = 0.1", lambda: {"cell": Cell(reset="redraw", redraw=0.1), "environment": "gym:CartPole-v1"}),
    ],
)
def test_redraws_and_colours_that_cannot_be_are_refused_by_name(name, changes):
    with pytest.raises(SettingError, match=name):
        Settings(**changes())


# --- Reservoir --------------------------------------------------------------------------------------------------------


def test_a_reservoir_has_the_cells_size_and_the_spectral_radius_that_it_is_asked_for():
    wiring = echo_state.wire(jax.random.key(0), 4, 2)
    state = Cell().init(jax.random.key(0), (4, 2))
    assert len(wiring.recurrent) == sum(u.size for u in state)
    step = lambda r: echo_state.step(wiring, 0.7, 1.0, 1.0, r, jnp.zeros((4, 1)))[0][:, 0]  # noqa: E731
    jacobian = jax.jacobian(step)(jnp.zeros((16, 1)))[..., 0]
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(jacobian)), 0.7, rtol=1e-4)


def test_a_reservoir_remembers_its_input_for_a_while_and_forgets_its_start():
    wiring = echo_state.wire(jax.random.key(0), 4, 2)
    x = jax.random.normal(jax.random.key(1), (60, 4, 1))
    run = lambda r, x: jax.lax.scan(lambda r, x: echo_state.step(wiring, 0.7, 0.5, 1.0, r, x), r, x)  # noqa: E731
    rest, one = jnp.zeros((16, 1)), jnp.ones((16, 1))
    np.testing.assert_allclose(run(rest, x)[0], run(one, x)[0], atol=1e-4)
    nudged = x.at[57].add(1.0)
    assert np.abs(run(rest, x)[0] - run(rest, nudged)[0]).max() > 0.01


def test_a_reservoirs_readout_has_the_deviation_that_it_is_asked_for_when_its_units_are_at_one():
    wirings = jax.vmap(lambda key: echo_state.wire(key, 4, 2))(jax.random.split(jax.random.key(2), 4000))
    huge = jnp.full((4, 1), 1e6)
    _, readout = jax.vmap(lambda w: echo_state.step(w, 0.9, 1.0, 2.5, jnp.zeros((16, 1)), huge))(wirings)
    assert np.std(readout) == pytest.approx(2.5, rel=0.04)


def test_a_reservoirs_wiring_comes_from_the_cell_seed_alone_and_is_never_trained():
    wired = settings(control=Control("reservoir"))
    runs = [Run("a", wired, seed, cell_seed) for seed, cell_seed in ((0, 0), (1, 0), (0, 1))]
    agents = batch_training.train_batch(runs, 4).agents
    fresh = companion.init(wired, jax.random.fold_in(jax.random.key(random_streams.CELL), 0), 4, 2).wiring
    for trained, drawn in zip(agents.wiring, fresh, strict=True):
        np.testing.assert_allclose(trained[0], drawn, atol=1e-6)
        np.testing.assert_array_equal(trained[0], trained[1])
        assert not np.array_equal(trained[0], trained[2])


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
    many = dataclasses.replace(SMALL, rollout_steps=2000)
    stuck = Settings(steps=8000, ppo=many, blend=Blend("none"), control=Control("sticky", repeat=repeat))
    _, _, seen = experience(stuck, ECHO)
    executed = np.asarray(seen.final_observation)[:, 0].astype(int)
    chosen = np.asarray(seen.action)
    first = np.concatenate([np.ones((1, 4), bool), np.asarray(seen.terminated)[:-1]])
    np.testing.assert_array_equal(executed[first], chosen[first])  # an episode's first action is the one chosen
    previous = np.concatenate([np.zeros((1, 4), int), executed[:-1]])
    told_apart = ~first & (chosen != previous)
    assert np.isin(executed, [0, 1]).all()
    share = (executed == previous)[told_apart].mean()
    assert share == pytest.approx(repeat, abs=5 * 0.5 / np.sqrt(told_apart.sum()) if 0 < repeat < 1 else 0)


def test_ppo_learns_from_the_action_chosen_with_its_own_probability():
    stuck = settings(blend=Blend("none"), control=Control("sticky", repeat=0.9))
    state, _, seen = experience(stuck, ECHO)
    samples = losses.prepare(stuck, ECHO, state.agent, seen, seen.observation[-1])
    np.testing.assert_array_equal(samples.action, seen.action.reshape(-1))
    log_policy = jax.nn.log_softmax(state.agent.actor(samples.observation), axis=0)
    expected = log_policy[samples.action, jnp.arange(samples.action.size)]
    np.testing.assert_allclose(samples.log_prob, expected, atol=1e-6)


def test_evaluation_is_sticky_too():
    """One agent, evaluated where nothing sticks and where every first action is repeated to the end."""
    free, stuck = (settings(blend=Blend("none"), control=Control("sticky", repeat=p)) for p in (0.0, 1.0))
    agent = batch_training.train_batch([Run("a", free, 0, 0)], 1).agents
    twice = jax.tree.map(lambda u: np.repeat(u, 2, axis=0), agent)
    returns = evaluation.evaluate_agents([free, stuck], twice, 50, greedy=False)
    assert returns[0].mean() > 15
    assert returns[1].max() < 12  # a pole pushed one way only


# --- All together -----------------------------------------------------------------------------------------------------

CONTROLS = [
    {"control": Control("sign")},
    {"control": Control("noise"), "cell": Cell(reset="redraw")},
    {"control": Control("noise"), "cell": Cell(reset="never")},
    {"control": Control("coloured"), "cell": Cell(reset="redraw", redraw=0.1)},
    {"control": Control("state_dependent"), "cell": Cell(reset="redraw")},
    {"control": Control("reservoir")},
]


def trained(settings):
    return jax.jit(training.train, static_argnums=1)(settings, CARTPOLE, 0).agent.actor.weights[0]


@pytest.fixture(scope="module")
def plain():
    return trained(settings(blend=Blend("none")))


@pytest.mark.parametrize("changes", CONTROLS)
def test_a_control_that_is_turned_down_to_nothing_is_plain_ppo_and_otherwise_is_not(changes, plain):
    off, on = (trained(settings(blend=Blend("add", weight=weight), **changes)) for weight in (0.0, 1.0))
    assert not np.allclose(plain, on, atol=1e-4)
    np.testing.assert_allclose(plain, off, atol=1e-5)


@pytest.mark.parametrize("kind", ["sign", "noise", "state_dependent", "reservoir"])
def test_the_ratio_is_one_in_the_first_minibatch(kind):
    controlled = settings(control=Control(kind))
    state, _, seen = experience(controlled)
    samples = losses.prepare(controlled, CARTPOLE, state.agent, seen, seen.observation[-1])
    logits = 0.3 * samples.readout + 0.7 * state.agent.actor(samples.observation)
    log_prob = jax.nn.log_softmax(logits, axis=0)[samples.action, jnp.arange(samples.action.size)]
    np.testing.assert_allclose(jnp.exp(log_prob - samples.log_prob), 1.0, atol=2e-6)
