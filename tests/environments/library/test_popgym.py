"""Our tasks of POPGym replay episodes recorded from the package `popgym` (`helpers/record_popgym.py`)."""

from pathlib import Path

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.environments import registry
from morphorl.environments.library.popgym import (
    autoencode,
    cards,
    cartpole,
    count_recall,
    higher_lower,
    pendulum,
    repeat_first,
    repeat_previous,
)

RECORDED = np.load(Path(__file__).parent / "popgym_1.0.7.npz")
RECORDED_IDS = sorted({name.split("/")[0] for name in RECORDED.files if "/" in name})
WAYS = ("random", "knowing")
GAMES = {
    name.removeprefix("popgym-").split("-")[0]: module
    for module in (autoencode, count_recall, higher_lower, repeat_first, repeat_previous)
    for name in module.IDS
}


def ids(*tasks):
    """The recorded ids of these tasks, each of three difficulties."""
    found = [name for name in RECORDED_IDS if name.removeprefix("popgym-").startswith(tasks)]
    assert len(found) == 3 * len(tasks)
    return pytest.mark.parametrize("name", found)


def recorded(name, way):
    return {key: RECORDED[f"{name}/{way}/{key}"] for key in ("action", "reward", "terminated", "truncated", "hidden")}


def observed(name, way):
    """What popgym showed, flattened by Gymnasium's own rule."""
    seen, sizes = (RECORDED[f"{name}/{way}/{key}"] for key in ("observation", "sizes"))
    if not sizes.size:
        return seen
    space = gymnasium.spaces.MultiDiscrete(sizes.astype(int))
    return np.array([gymnasium.spaces.flatten(space, one.reshape(-1)) for one in seen])


def replay(env, state, hidden, actions):
    """All that the steps return, with the hidden part of the state set as given before each."""

    def step(state, given):
        hidden, action = given
        after = env.step(jax.random.key(0), state._replace(**hidden), action)
        return after.state, after

    return jax.lax.scan(step, state, (hidden, jnp.asarray(actions, jnp.int32)))[1]


def assert_same(name, way, first, after):
    want = recorded(name, way)
    seen = np.concatenate([np.asarray(first)[None], after.observation])
    steps = len(want["action"])
    assert_array_equal(seen[: steps + 1], observed(name, way))
    assert_allclose(after.reward[:steps], want["reward"], rtol=1e-6)
    assert_array_equal(after.terminated[:steps], want["terminated"])
    assert_array_equal(after.truncated[:steps], want["truncated"])
    assert want["terminated"][-1] or steps == registry.make_env(name).time_limit


def padded(values, length):
    return np.pad(values, [(0, length - len(values)), *[(0, 0)] * (values.ndim - 1)], mode="edge")


@ids("RepeatFirst", "RepeatPrevious", "CountRecall", "Autoencode", "HigherLower")
def test_a_game_with_the_same_cards_and_actions_goes_as_in_popgym(name, monkeypatch):
    env = registry.make_env(name)
    start, _ = env.reset(jax.random.key(0))
    kinds, decks = start.left.shape[-1], start.left.size // start.left.shape[-1]
    assert np.sum(start.left) == decks * (len(recorded(name, "random")["hidden"]) - 1)
    play = jax.jit(lambda state, left, actions: replay(env, state, {"left": left}, actions))
    for way in WAYS:
        want = recorded(name, way)
        only = np.eye(kinds, dtype=np.int32)[want["hidden"]]  # with one kind of card left, that is the next
        firsts = iter(jnp.asarray(only[0].reshape(decks, kinds)))
        monkeypatch.setattr(GAMES[name.split("-")[1]], "full", lambda *_: next(firsts))  # noqa: B023
        state, first = env.reset(jax.random.key(0))
        assert_same(name, way, first, play(state, padded(only[1:], env.time_limit), want["action"]))


def test_a_deck_is_dealt_to_its_end_and_any_card_of_it_may_come_first():
    def next_card(left, key):
        card, left = cards.deal(key, left)
        return left, card

    def dealt(key):
        return jax.lax.scan(next_card, cards.full(cards.RANKS, 2), jax.random.split(key, 104))

    left, order = jax.jit(jax.vmap(dealt))(jax.random.split(jax.random.key(0), 500))
    assert_array_equal(left, 0)
    assert_array_equal(np.sort(order, axis=1), np.repeat(np.arange(13), 8)[None].repeat(500, axis=0))
    for place in (0, 1, 103):  # in a shuffled deck, every place holds each rank alike
        assert scipy.stats.chisquare(np.bincount(order[:, place], minlength=13)).pvalue > 1e-3


@ids("Concentration")
def test_concentration_with_the_same_table_and_actions_goes_as_in_popgym(name):
    env = registry.make_env(name)
    start, first = env.reset(jax.random.key(0))
    play = jax.jit(lambda table, actions: replay(env, start._replace(cards=table), {}, actions))
    for way in WAYS:
        want = recorded(name, way)
        table, actions = want["hidden"].astype(np.int32), padded(want["action"], env.time_limit)
        assert_same(name, way, first, play(table, actions))


@ids("MultiarmedBandit")
def test_a_bandit_with_the_same_payments_and_actions_goes_as_in_popgym(name):
    env = registry.make_env(name)
    start, first = env.reset(jax.random.key(0))
    play = jax.jit(lambda pays, actions: replay(env, start, {"probabilities": pays}, actions))
    for way in WAYS:
        want, paid = recorded(name, way), RECORDED[f"{name}/{way}/observation"][1:]
        pays = np.broadcast_to(paid.astype(np.float32), (len(paid), env.num_actions))
        assert want["hidden"].shape == (env.num_actions,)
        assert_same(name, way, first, play(jnp.array(pays), want["action"]))


def steps_from(env, states, actions, times):
    """What a step from each recorded state gives: from popgym's own numbers, so that rounding does not add up."""
    keys = jax.random.split(jax.random.key(1), len(times))
    state = states._replace(time=times) if hasattr(states, "_replace") else states.replace(time=times)
    return jax.jit(jax.vmap(env.step))(keys, state, actions)


def both_ways(name):
    """Recorded states, actions, times, and what came of them, of all ways together."""
    parts = [recorded(name, way) | {"time": np.arange(len(recorded(name, way)["action"]))} for way in WAYS]
    hidden = [np.concatenate([part["hidden"][at] for part in parts]) for at in (slice(None, -1), slice(1, None))]
    rest = {key: np.concatenate([part[key] for part in parts]) for key in parts[0] if key != "hidden"}
    return *hidden, rest, np.concatenate([observed(name, way)[1:] for way in WAYS])


def cartpole_steps(name):
    """Ours and popgym's steps from the same states of a CartPole."""
    env = registry.make_env(name)
    before, reached, rest, seen = both_ways(name)
    template, _ = env.reset(jax.random.key(0))
    names = ("position", "velocity", "angle", "angular_velocity")
    fields = dict(zip(names, jnp.asarray(before).T, strict=True))
    after = steps_from(
        env, template._replace(**fields), jnp.asarray(rest["action"], jnp.int32), jnp.asarray(rest["time"])
    )
    ours = np.stack([getattr(after.state, name) for name in names], axis=1)
    assert_allclose(ours, reached, atol=2e-6)
    assert_same_ends(after, rest)
    return after.observation, seen, reached


def assert_same_ends(after, rest):
    assert_allclose(after.reward, rest["reward"], rtol=1e-5, atol=1e-7)
    assert_array_equal(after.terminated, rest["terminated"])
    assert_array_equal(after.truncated, rest["truncated"])


@ids("PositionOnlyCartPole", "VelocityOnlyCartpole")
def test_a_cartpole_steps_and_shows_as_in_popgym(name):
    ours, seen, _ = cartpole_steps(name)
    assert_allclose(ours, seen, atol=2e-6)
    state, first = registry.make_env(name).reset(jax.random.key(2))
    assert_array_equal(first, [state.position, state.angle])  # popgym's first observation, also where velocities follow
    assert_array_equal(observed(name, "random")[0], recorded(name, "random")["hidden"][0][[0, 2]])


@ids("NoisyPositionOnlyCartPole")
def test_a_noisy_cartpole_steps_as_in_popgym_and_its_noise_is_as_large(name):
    ours, seen, reached = cartpole_steps(name)
    assert_alike_noise(ours, seen, reached[:, [0, 2]], cartpole.NOISE[name], cartpole.HIGH)


def assert_alike_noise(ours, theirs, clean, deviation, high):
    """Two sets of noisy observations of the same numbers are as far from them, and as often held at the bounds, as
    numbers with such noise drawn anew many times."""
    noise = np.random.default_rng(0).normal(0, deviation, (400, *clean.shape))
    again = np.clip(clean + noise, -high, high)
    for seen in (np.asarray(ours), np.asarray(theirs)):
        assert np.all(np.abs(seen) <= high)
        for measure in (lambda x: np.abs(x - clean), lambda x: x - clean, lambda x: np.abs(x) >= high):
            expected = np.mean(measure(again), axis=(1, 2))  # of one set each
            assert abs(np.mean(measure(seen)) - np.mean(expected)) < 4 * np.std(expected)


def pendulum_steps(name, env):
    """Ours and popgym's steps from the same states of a Pendulum."""
    before, reached, rest, seen = both_ways(name)
    state, _ = env.reset(jax.random.key(0))
    state = jax.tree.map(lambda u: jnp.broadcast_to(u, len(before)), state)
    state = state.replace(theta=jnp.asarray(before[:, 0]), theta_dot=jnp.asarray(before[:, 1]))
    after = steps_from(env, state, jnp.asarray(pendulum.TORQUE.offered(rest["action"])), jnp.asarray(rest["time"]))
    assert_allclose(np.stack([after.state.theta, after.state.theta_dot], axis=1), reached, atol=2e-5)
    assert_same_ends(after, rest)
    assert env.continuous
    return after.observation, seen, reached


@ids("PositionOnlyPendulum")
def test_a_pendulum_steps_and_shows_as_in_popgym(name):
    ours, seen, _ = pendulum_steps(name, pendulum.position_only(name, pendulum.STEPS[name]))
    assert_allclose(ours, seen, atol=1e-5)


@ids("NoisyPositionOnlyPendulum")
def test_a_noisy_pendulum_steps_as_in_popgym_and_its_noise_is_as_large(name):
    env = pendulum.noisy_position_only(name, pendulum.NOISE[name])
    ours, seen, reached = pendulum_steps(name, env)
    clean = np.stack([np.cos(reached[:, 0]), np.sin(reached[:, 0])], axis=1)
    assert_alike_noise(ours, seen, clean, pendulum.NOISE[name], pendulum.HIGH)
