"""The public names: what they import and when, and a user's way from training to a verdict."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import morphorl
from helpers import finished_studies
from morphorl.analysis import comparisons, verdicts
from morphorl.config.errors import SettingError
from morphorl.config.fields import FRACTION, setting
from morphorl.studies import batch_training, one_setting, stored_agents
from morphorl.studies.store import Store

TINY = morphorl.PPO(num_envs=2, rollout_steps=16, minibatches=2, epochs=1, hidden=(4,))
SEEDS = 4


class Leaky(morphorl.Dynamics):
    """u' = rate·(x − u) + guidance: a user's own system, in a file of their own."""

    rate: float = setting(0.1, FRACTION)
    """Share of the way to the observation that a step goes."""

    def init(self, key, shape):
        return jnp.zeros(shape)

    def step(self, state, observation, guide):
        return state + self.rate * (observation[:, None] - state) + guide(state)

    def read(self, state, observation):
        return state.sum(0)


def train(**changes):
    """Four tiny agents in one program, which all tests share; with other dynamics it is another one."""
    few = {"dynamics": Leaky(), "ppo": TINY, "steps": 96, "seeds": SEEDS, "evaluate_every": 0, "progress": False}
    return morphorl.train("CartPole-v1", **(few | changes))


@pytest.fixture(scope="module")
def trained():
    return train()


def small_study():
    """Two arms of two seeds: as many runs as `train` has, and the same program."""
    arms = {
        label: morphorl.Settings(steps=96, evaluate_every=0, ppo=TINY, dynamics=Leaky(rate=rate))
        for label, rate in (("slow", 0.1), ("fast", 0.5))
    }
    return morphorl.Study("leaky", ("CartPole-v1",), arms, seeds=SEEDS // 2)


def assert_same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


# --- A user's way -----------------------------------------------------------------------------------------------------


def test_train_evaluate_save_load(trained, tmp_path):
    assert trained.agents.seeds == [0, 1, 2, 3]
    assert trained.curves.group_by("seed").len()["len"].to_list() == [3] * SEEDS
    returns = morphorl.evaluate(trained.agents, episodes=2)
    assert returns.shape == (SEEDS, 2)
    morphorl.save_agents(trained.agents, f"{tmp_path}/new/agents")
    loaded = morphorl.load_agents(f"{tmp_path}/new/agents")
    assert_same(loaded.arrays, trained.agents.arrays)
    np.testing.assert_array_equal(morphorl.evaluate(loaded, episodes=2), returns)


def test_training_in_memory_is_training_in_a_folder(trained, tmp_path):
    """Bit for bit: there is one way, whoever asks for it."""
    study = one_setting.as_study(trained.agents.settings[0], SEEDS, 0, "standard")
    assert morphorl.run_study(study, tmp_path, with_agents=True, progress=False) == 0
    store = Store(tmp_path)
    assert_same(stored_agents.trained_agents(store, study.runs()).arrays, trained.agents.arrays)
    ours, theirs = (curves.sort("seed", "env_steps") for curves in (trained.curves, store.curves(study)))
    assert ours.select(theirs.columns).equals(theirs)


def test_run_load_compare_judge(tmp_path, monkeypatch):
    study = small_study()
    assert morphorl.run_study(study, str(tmp_path), progress=False) == 0
    results = morphorl.load_results(str(tmp_path))
    assert results.study == study
    assert results.scores["arm"].to_list() == ["slow"] * 2 + ["fast"] * 2
    assert len(results.curves()) == 3 * SEEDS
    table = morphorl.compare(results)
    assert table.select("arm", "against", "differs_in").rows() == [
        ("fast", "slow", "dynamics.rate 0.5, not 0.1"),
    ]
    assert table["difference"].to_list() == [None]
    assert "at least 8" in table["unknown"][0]
    assert morphorl.judge(results).is_empty()
    monkeypatch.setattr(batch_training, "train_batch", None)  # so that nothing can be trained again
    assert morphorl.run_study(study, tmp_path, progress=False) == 0


def test_tables_are_what_the_comparisons_and_verdicts_say(tmp_path):
    study = finished_studies.study()
    finished_studies.finish(tmp_path, study, {"γ = 0.3": 1.5})
    results = morphorl.load_results(tmp_path)
    told = comparisons.compare(results.scores, "zero readout", "final_return")
    table = morphorl.compare(tmp_path, against="zero readout", statistic="final_return")
    assert table["arm"].to_list() == [one.arm for one in told]
    for name, part in (("difference", "effect"), ("better", "better"), ("median_steps", "median"), ("ratio", "ratio")):
        for end, value in (("", "value"), ("_low", "low"), ("_high", "high")):
            expected = [getattr(getattr(one, part), value) for one in told]
            np.testing.assert_array_equal(table[name + end].to_numpy(), expected)
    assert table["p"].to_list() == [one.effect.p for one in told if one.effect]
    assert table["log_rank_p"].to_list() == [one.log_rank for one in told]
    (judged,) = verdicts.judge(study, "standard", results.scores)
    table = morphorl.judge(results)
    assert table["claim"].to_list() == [verdict.claim for verdict in judged.verdicts]
    assert table["verdict"].to_list() == [verdict.verdict for verdict in judged.verdicts]
    np.testing.assert_array_equal(table["effect"].to_numpy(), [verdict.effect for verdict in judged.verdicts])


def test_nothing_is_blended_without_dynamics(monkeypatch):
    """Plain PPO, whose runs are those of `morphorl train --blend.kind none`."""
    asked = []

    def refuse(runs, *_):
        asked.extend(runs)
        raise NotImplementedError

    monkeypatch.setattr(batch_training, "train_batch", refuse)
    with pytest.raises(NotImplementedError):
        train(dynamics=None)
    plain = morphorl.Settings(steps=96, evaluate_every=0, ppo=TINY, blend=morphorl.Blend(kind="none"))
    assert {run.settings.digest for run in asked} == {plain.digest}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ppo": "tunde"}, "ppo = 'tunde': must be PPO.*Did you mean 'tuned'?"),
        ({"dynamics": None, "blend": morphorl.Blend()}, "dynamics = None: must be a system where `blend` is given"),
        ({"seeds": 0}, "seeds = 0: must be a whole number of at least 1"),
        ({"first_seed": -1}, "first_seed = -1: must be a whole number of at least 0"),
        ({"steps": 8}, "steps = 8: must be at least one rollout"),
    ],
)
def test_a_wrong_value_is_refused_by_name(wrong, sentence):
    with pytest.raises(SettingError, match=sentence):
        train(**wrong)


def test_other_wrong_values(trained, tmp_path):
    with pytest.raises(SettingError, match="episodes = 0: must be a whole number of at least 1"):
        morphorl.evaluate(trained.agents, episodes=0)
    with pytest.raises(SettingError, match="address = 'x:1': must not be given without engine = 'ray'"):
        morphorl.run_study(small_study(), tmp_path, address="x:1")
    finished_studies.finish(tmp_path, finished_studies.study(seeds=1))
    with pytest.raises(
        SettingError, match=r"statistic = 'early_retrun': must be one of .* Did you mean 'early_return'"
    ):
        morphorl.compare(tmp_path, statistic="early_retrun")


# --- Classes that nobody can import -----------------------------------------------------------------------------------


OF_A_SCRIPT = type("Leaky", (Leaky,), {"__module__": "__main__"})
OF_A_FUNCTION = type("Leaky", (Leaky,), {"__module__": __name__, "__qualname__": "make.<locals>.Leaky"})


def test_a_class_of_a_script_or_notebook_is_trained(trained):
    assert_same(train(dynamics=OF_A_SCRIPT()).agents.arrays, trained.agents.arrays)


@pytest.mark.parametrize("cls", [OF_A_SCRIPT, OF_A_FUNCTION], ids=["of a script", "of a function"])
def test_what_could_not_be_read_again_is_not_saved(cls, trained, tmp_path):
    settings = morphorl.Settings(steps=96, ppo=TINY, dynamics=cls())
    with pytest.raises(SettingError, match=r"dynamics.kind = '.*Leaky': must be a class that can be imported"):
        morphorl.save_agents(trained.agents._replace(settings=[settings] * SEEDS), tmp_path / "agents")
    with pytest.raises(SettingError, match=r"put Leaky at the top level of a file of its own"):
        morphorl.run_study(one_setting.as_study(settings, SEEDS, 0, "standard"), tmp_path / "study", progress=False)
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_in_dynamics_of_the_users_own_is_raised_as_it_is():
    class Broken(Leaky):
        def step(self, state, observation, guide):
            raise ZeroDivisionError("in line 3 of the user's own file")

    with pytest.raises(ZeroDivisionError, match="in line 3"):
        train(dynamics=Broken())


# --- What is imported, and when ---------------------------------------------------------------------------------------


def python(code):
    """Run code in a process of its own; gives what it prints."""
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_all_names_are_there_for_people_and_for_type_checkers():
    assert set(morphorl.__all__) <= set(dir(morphorl))
    for name in morphorl.__all__:
        assert getattr(morphorl, name).__doc__ or name == "PRESETS"
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        morphorl.trian  # noqa: B018
    tree = ast.parse(Path(str(morphorl.__file__)).read_text())
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in checked.body for alias in node.names}  # pyright: ignore
    assert seen.keys() == set(morphorl.__all__)
    for name, module in seen.items():
        assert getattr(morphorl, name) is getattr(sys.modules[str(module)], name)


@pytest.mark.parametrize("code", ["import morphorl", "from morphorl import cli; print(cli.usage())"])
def test_a_start_needs_no_library(code):
    heavy = {"jax", "numpy", "gymnasium", "gymnax", "equinox", "polars", "rich", "tyro", "matplotlib"}
    said = python(f"import sys\n{code}\nprint('loaded:', *{heavy!r} & set(sys.modules))")
    assert said.endswith("loaded:")


@pytest.mark.parametrize("imports", ["morphorl, gymnasium", "gymnasium, morphorl", "gymnasium"])
def test_gymnasium_knows_our_environments(imports):
    """In whichever order the two are imported; and where only Gymnasium is, by its own `module:id`."""
    code = f"""
        import {imports}
        if {imports == "gymnasium"}:
            try:
                gymnasium.make("morphorl:morphorl/None-v0")  # there is none: nothing else needs to be imported
            except gymnasium.error.NameNotFound:
                pass
        for name in ("StatelessCartPole-v1", "CartPoleNoVel-v1"):
            print(gymnasium.spec("morphorl/" + name).entry_point)
    """
    told = [
        f"morphorl.environments.gymnasium_cartpole:Gymnasium{name}" for name in ("StatelessCartPole", "CartPoleNoVel")
    ]
    assert python(code).split() == told


@pytest.mark.parametrize(
    ("before", "devices"),
    [
        ("", "len(os.sched_getaffinity(0))"),
        ("jax.config.update('jax_num_cpu_devices', 3)", "3"),
        ("os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=3'", "3"),
        ("jax.devices()", "1"),
    ],
    ids=["free", "told", "told by a flag", "started"],
)
def test_jax_gets_all_cores_unless_it_has_started_or_been_told(before, devices):
    code = f"""
        import os
        import jax
        {before}
        from morphorl.config.devices import use_all_cores_if_free
        use_all_cores_if_free()
        assert len(jax.devices()) == {devices}, jax.devices()
    """
    python(code)
