"""Environments of the user's own: by name, checked, part of a run's identity; each way to break one is told."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gymnax.environments import spaces
from gymnax.environments.classic_control.cartpole import CartPole
from numpy.testing import assert_allclose

from morphorl.config import trust
from morphorl.config.errors import SettingError
from morphorl.config.trust import UntrustedError
from morphorl.dynamics.conformance.findings import ConformanceError
from morphorl.environments import registry
from morphorl.environments.conformance import check_environment
from morphorl.environments.foreign import environment_from
from morphorl.ppo.settings import Settings, foreign_sources, refuse_unimportable
from morphorl.studies import batch_training, ray_engine
from morphorl.studies.batches import batches
from morphorl.studies.run import Run

HERE = __name__
TASKS = "my_lab.tasks:Foraging"


@pytest.fixture
def my_lab(monkeypatch):
    """The example's folder, as a user has it: in the working folder, and typed on the command line."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))
    monkeypatch.setattr(trust, "TRUSTED", {"my_lab"})
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
        del sys.modules[name]
    registry.make_env.cache_clear()


def test_the_example_keeps_the_contract_and_ends_at_its_time(my_lab):
    check_environment(TASKS)
    env = registry.make_env(TASKS)
    assert (env.id, env.num_features, env.num_actions, env.time_limit, env.threshold) == (TASKS, 3, 3, 50, 15.0)


def test_its_source_is_part_of_a_runs_identity(my_lab, monkeypatch):
    assert set(foreign_sources(Settings(TASKS))) == {TASKS}
    before = Settings(TASKS).digest
    changed = sys.modules["my_lab.tasks"].__file__
    monkeypatch.setattr("inspect.getsource", lambda module: Path(changed).read_text() + "# edited")
    assert Settings(TASKS).digest != before


def test_an_untrusted_module_is_not_imported():
    with pytest.raises(UntrustedError, match=r"--trust my_lab\.tasks"):
        registry.make_env(TASKS)
    assert "my_lab" not in sys.modules


def test_a_worker_trusts_what_its_driver_has_trusted(my_lab, monkeypatch):
    batch = next(iter(batches([Run("agent", Settings(TASKS), 0, 0)], set(), 1, 1)))
    monkeypatch.setattr(trust, "TRUSTED", set())  # as in a process of its own
    for name in ("my_lab.tasks", "my_lab"):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(ray_engine, "_set_up", lambda devices: None)
    monkeypatch.setattr(batch_training, "train_batch", lambda runs, *_, **__: registry.make_env(TASKS).id)
    registry.make_env.cache_clear()
    assert ray_engine.train_batch(batch, 1) == TASKS


# --- One way and the other --------------------------------------------------------------------------------------------


def _reset(key):
    state = jax.random.normal(key, (2,))
    return state, state


def _step(key, state, action):
    return state + action, state, -jnp.sum(state**2), jnp.abs(state[0]) > 50


Functions = environment_from(_reset, _step, actions=((-2.0, 0.0), (2.0, 4.0)), time_limit=7)


class Renamed(CartPole):
    threshold = 123.0


def test_a_class_after_gymnaxs_is_what_gymnaxs_own_is():
    ours, theirs = registry.make_env(f"{HERE}:Renamed"), registry.make_env("CartPole-v1")
    assert ours.threshold == 123.0
    state, observation = ours.reset(jax.random.key(0))
    assert_allclose(observation, theirs.reset(jax.random.key(0))[1])
    assert_allclose(ours.step(jax.random.key(1), state, jnp.array(1)).observation[1], observation[1], atol=0.5)


def test_two_functions_get_actions_in_their_own_units_and_are_truncated_at_the_limit():
    env = registry.make_env(f"{HERE}:Functions")
    state, _ = env.reset(jax.random.key(0))
    after = env.step(jax.random.key(1), state, jnp.array([1.0, -9.0]))
    assert_allclose(after.state[0], state[0] + np.array([2.0, 0.0]), rtol=1e-6)
    ends = []
    for _ in range(7):
        after = env.step(jax.random.key(1), state, jnp.zeros(2))
        state = after.state
        ends.append((bool(after.terminated), bool(after.truncated)))
    assert ends == [(False, False)] * 6 + [(False, True)]


# --- Broken ones ------------------------------------------------------------------------------------------------------


def broken(step=_step, reset=_reset, **changes):
    return environment_from(reset, step, **{"actions": ((-1.0,), (1.0,)), "time_limit": 5} | changes)


Callback = broken(lambda k, s, a: (jax.debug.print("{}", s[0]), _step(k, s, a))[1])
Other = broken(lambda k, s, a: ((s, s), s, 0.0, False))
Integer = broken(lambda k, s, a: (jnp.round(s).astype(int), s, 0.0, False))
Reused = broken(lambda k, s, a: (s, jax.random.normal(k, (2,)) + jax.random.uniform(k, (2,)), 0.0, False))
Infinite = broken(lambda k, s, a: (s * 1e30, s, 0.0, False))
Longer = broken(lambda k, s, a: (s, jnp.zeros(3), 0.0, False))
Wide = broken(lambda k, s, a: (s, s, -(a**2), False))
Raises = broken()._replace(step=lambda k, s, a: s["nothing"])
Endless = broken()._replace(time_limit=4)
Both = broken()
Both = Both._replace(
    step=lambda k, s, a, step=Both.step: (lambda after: after._replace(terminated=after.truncated))(step(k, s, a))
)


class Outside(CartPole):
    def observation_space(self, params):
        return spaces.Box(-0.01, 0.01, (4,), jnp.float32)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Callback", "step calls Python"),
        ("Other", "another structure than reset"),
        ("Integer", "int32.*the two must be alike"),
        ("Reused", "step draws from one key twice"),
        ("Infinite", "observation is not finite"),
        ("Longer", r"reset observes \(2,\) and step \(3,\)"),
        ("Raises", "raises TypeError"),
        ("Endless", "no end within 4 steps"),
        ("Both", "each step that is truncated is terminated too"),
        ("Wide", r"reward has shape \(1,\); must be a single number"),
        ("Outside", r"observation \d goes from .*; observation_space says -0.01 to 0.01"),
    ],
)
def test_each_way_to_break_the_contract_is_told(name, words):
    with pytest.raises(ConformanceError, match=words):
        check_environment(f"{HERE}:{name}")


@pytest.mark.parametrize(
    ("name", "words"),
    [("Function", "has no Function; must be one of its environments: .*Did you mean 'Functions'"),
     ("broken", "must be a class after gymnax's")],
)  # fmt: skip
def test_what_is_no_environment_is_refused(name, words):
    with pytest.raises(SettingError, match=words):
        registry.make_env(f"{HERE}:{name}")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"time_limit": 0}, "time_limit = 0: must be a whole number of at least 1"),
        ({"actions": 0}, "actions = 0: must be a whole number of at least 1"),
        ({"actions": ((-1.0,), (1.0, 1.0))}, "as many lower bounds as upper ones"),
        ({"actions": ((1.0,), (1.0,))}, "each lower bound must be below its upper one"),
    ],
)
def test_a_wrong_value_is_refused_by_name(changes, words):
    with pytest.raises(SettingError, match=words):
        broken(**changes)


class Square(CartPole):
    def action_space(self, params=None):
        return spaces.Box(-1.0, 1.0, (2, 2), jnp.float32)


def test_an_action_space_that_nobody_can_use_is_refused():
    with pytest.raises(SettingError, match=r"its action space is .*; must be Discrete, or a Box of one dimension"):
        registry.make_env(f"{HERE}:Square")


def test_a_check_beside_the_action_before_is_a_check_too(my_lab):
    check_environment(f"{TASKS}+action")


def test_an_environment_that_no_other_process_can_import_is_not_saved(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "Here", Functions, raising=False)
    with pytest.raises(SettingError, match="environment = '__main__:Here': must be one that can be imported"):
        refuse_unimportable(Settings("__main__:Here"))


@pytest.mark.parametrize("name", ["CartPole-v1", "SparseMountainCar-v0", "Pendulum-v1"])
def test_some_that_come_along_keep_the_contract(name):
    check_environment(name)
