"""Controls: each is what it says, and off it costs and changes nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl import companion, engines, envs, noise, ppo, reservoir, rollout, streams, task, training
from morphorl.blend import Blend
from morphorl.cell import Cell
from morphorl.control import Control
from morphorl.envs import Environment, Step
from morphorl.guidance import Guidance
from morphorl.settings import PPO, Settings
from morphorl.study import Run

SMALL = PPO(num_envs=4, rollout_steps=64, minibatches=2, hidden=(8,))
FROZEN = Cell(dt=0.0, initial_scale=1.0)
CARTPOLE = envs.make("CartPole-v1")


def settings(**changes):
    return Settings(steps=512, evaluate_every=0, ppo=SMALL, **changes)


def experience(settings, env=CARTPOLE, seed=0):
    """A fresh run and its first rollout, in its own environment."""
    bare, env = env, task.around(settings, env)

    def act():
        state = training.init(settings, bare, jnp.array(seed), jnp.array(seed))
        chance = rollout.draw(settings, env, jax.random.key(5))
        return state, chance, rollout.collect(settings, env, state.agent, state.acting, chance)[1]

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
    from morphorl.study import programs

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
    start = jax.vmap(lambda key: noise.init(2.0, key, 2), out_axes=-1)(jax.random.split(jax.random.key(0), 20_000))
    normal = jax.random.normal(jax.random.key(1), (10, 2, 20_000))

    def step(state, n):
        state = noise.step(2.0, autocorrelation, state, n)
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
    _, chance, seen = experience(noisy)
    done = np.asarray(seen.terminated | seen.truncated)
    readout = np.asarray(seen.readout)
    changed = (readout[1:] != readout[:-1]).any(axis=1)  # with a correlation of 1 it changes at episode ends only
    np.testing.assert_array_equal(changed, done[:-1])
    np.testing.assert_allclose(
        readout[1:].transpose(0, 2, 1)[done[:-1]], chance.pattern.transpose(0, 2, 1)[:-1][done[:-1]]
    )


# --- Reservoir --------------------------------------------------------------------------------------------------------


def test_a_reservoir_has_the_cells_size_and_the_spectral_radius_that_it_is_asked_for():
    wiring = reservoir.wire(jax.random.key(0), 4, 2)
    state = Cell().init(jax.random.key(0), (4, 2))
    assert len(wiring.recurrent) == sum(u.size for u in state)
    step = lambda r: reservoir.step(wiring, 0.7, 1.0, 1.0, r, jnp.zeros((4, 1)))[0][:, 0]  # noqa: E731
    jacobian = jax.jacobian(step)(jnp.zeros((16, 1)))[..., 0]
    np.testing.assert_allclose(np.abs(np.linalg.eigvals(jacobian)), 0.7, rtol=1e-4)


def test_a_reservoir_remembers_its_input_for_a_while_and_forgets_its_start():
    wiring = reservoir.wire(jax.random.key(0), 4, 2)
    x = jax.random.normal(jax.random.key(1), (60, 4, 1))
    run = lambda r, x: jax.lax.scan(lambda r, x: reservoir.step(wiring, 0.7, 0.5, 1.0, r, x), r, x)  # noqa: E731
    rest, one = jnp.zeros((16, 1)), jnp.ones((16, 1))
    np.testing.assert_allclose(run(rest, x)[0], run(one, x)[0], atol=1e-4)
    nudged = x.at[57].add(1.0)
    assert np.abs(run(rest, x)[0] - run(rest, nudged)[0]).max() > 0.01


def test_a_reservoirs_readout_has_the_deviation_that_it_is_asked_for_when_its_units_are_at_one():
    wirings = jax.vmap(lambda key: reservoir.wire(key, 4, 2))(jax.random.split(jax.random.key(2), 4000))
    huge = jnp.full((4, 1), 1e6)
    _, readout = jax.vmap(lambda w: reservoir.step(w, 0.9, 1.0, 2.5, jnp.zeros((16, 1)), huge))(wirings)
    assert np.std(readout) == pytest.approx(2.5, rel=0.04)


def test_a_reservoirs_wiring_comes_from_the_cell_seed_alone_and_is_never_trained():
    wired = settings(control=Control("reservoir"))
    runs = [Run("a", wired, seed, cell_seed) for seed, cell_seed in ((0, 0), (1, 0), (0, 1))]
    agents = engines.train_batch(runs, 4).agents
    fresh = companion.init(wired, jax.random.fold_in(jax.random.key(streams.CELL), 0), 4, 2).wiring
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
    samples = ppo.prepare(stuck, ECHO, state.agent, seen, seen.observation[-1])
    np.testing.assert_array_equal(samples.action, seen.action.reshape(-1))
    log_policy = jax.nn.log_softmax(state.agent.actor(samples.observation), axis=0)
    expected = log_policy[samples.action, jnp.arange(samples.action.size)]
    np.testing.assert_allclose(samples.log_prob, expected, atol=1e-6)


def test_evaluation_is_sticky_too():
    """One agent, evaluated where nothing sticks and where every first action is repeated to the end."""
    free, stuck = (settings(blend=Blend("none"), control=Control("sticky", repeat=p)) for p in (0.0, 1.0))
    agent = engines.train_batch([Run("a", free, 0, 0)], 1).agents
    twice = jax.tree.map(lambda u: np.repeat(u, 2, axis=0), agent)
    returns = engines.evaluate_agents([free, stuck], twice, 50, greedy=False)
    assert returns[0].mean() > 15
    assert returns[1].max() < 12  # a pole pushed one way only


# --- All together -----------------------------------------------------------------------------------------------------

CONTROLS = [
    {"control": Control("sign")},
    {"control": Control("noise"), "cell": Cell(reset="redraw")},
    {"control": Control("noise"), "cell": Cell(reset="never")},
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


@pytest.mark.parametrize("kind", ["sign", "noise", "reservoir"])
def test_the_ratio_is_one_in_the_first_minibatch(kind):
    controlled = settings(control=Control(kind))
    state, _, seen = experience(controlled)
    samples = ppo.prepare(controlled, CARTPOLE, state.agent, seen, seen.observation[-1])
    logits = 0.3 * samples.readout + 0.7 * state.agent.actor(samples.observation)
    log_prob = jax.nn.log_softmax(logits, axis=0)[samples.action, jnp.arange(samples.action.size)]
    np.testing.assert_allclose(jnp.exp(log_prob - samples.log_prob), 1.0, atol=2e-6)
