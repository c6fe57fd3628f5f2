"""Dynamics of the user's own in stored files: not imported unasked, and not taken for what they were before an edit."""

import importlib
import sys

import pytest

import morphorl
from morphorl import cli
from morphorl.config import kinds, trust
from morphorl.config.errors import SettingError
from morphorl.config.sealed import read_sealed_json, write_sealed_json
from morphorl.config.trust import UntrustedError
from morphorl.environments import registry
from morphorl.ppo.checkpoints import AgentsError
from morphorl.studies import results
from morphorl.studies.store import StoreError

SOURCE = """
from pathlib import Path

import jax.numpy as jnp

from morphorl.config.fields import FRACTION, setting
from morphorl.dynamics.base import Dynamics

(Path(__file__).parent / "imported").touch()
GAIN = 1.0


class Leaky(Dynamics):
    rate: float = setting(0.1, FRACTION)

    def init(self, key, shape):
        return jnp.zeros(shape)

    def step(self, state, observation, guide):
        return state + self.rate * (observation[:, None] - state) + guide(state)

    def read(self, state, observation):
        return GAIN * state.sum(0)
"""
SWEEP = {"dynamics": {"kind": "their_lab:Leaky", "rate": [0.1, 0.3]}}
TINY = {"ppo": {"num_envs": 2, "rollout_steps": 16, "minibatches": 2, "epochs": 1, "hidden": [4]}}


def forget():
    """What a new process knows of the module: nothing."""
    sys.modules.pop("their_lab", None)
    trust.TRUSTED.clear()
    importlib.invalidate_caches()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with their module, agents that were trained with it, and a study that sweeps it."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "their_lab.py").write_text(SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(folder)
        patch.setattr(trust, "TRUSTED", {"their_lab"})
        study = morphorl.Study("theirs", ("CartPole-v1",), {"r = {dynamics.rate}": SWEEP}, 1, settings=TINY, steps=64)
        morphorl.run_study(study, "study", progress=False)
        patch.setattr(trust, "TRUSTED", {"their_lab"})
        leaky = kinds.resolve(morphorl.Dynamics, "their_lab:Leaky")
        ppo = study.runs()[0].settings.ppo
        trained = morphorl.train(
            "CartPole-v1", dynamics=leaky(), ppo=ppo, steps=64, seeds=2, evaluate_every=0, progress=False
        )
        morphorl.save_agents(trained.agents, "agents")
        forget()
        (folder / "imported").unlink()
        yield folder
        forget()


@pytest.fixture
def as_new(folder):
    forget()
    yield folder
    (folder / "their_lab.py").write_text(SOURCE)
    (folder / "imported").unlink(missing_ok=True)


def test_what_stored_files_name_is_not_imported(as_new):
    for read in (
        lambda: morphorl.load_agents("agents"),
        lambda: morphorl.load_results("study"),
        lambda: results.load(as_new / "study"),
    ):
        with pytest.raises(UntrustedError, match=r"say\s+--trust their_lab"):
            read()
    for command in (["eval", "agents"], ["compare", "study"], ["summary", "study"], ["report", "study"]):
        with pytest.raises(UntrustedError, match="--trust their_lab"):
            cli.parse(command)()
    assert not (as_new / "imported").exists()


IMPORTS = """
from pathlib import Path
import gymnasium
from gymnasium.envs.classic_control import CartPoleEnv

(Path(__file__).parent / "imported").touch()
gymnasium.register("Theirs-v0", CartPoleEnv, max_episode_steps=500)
"""
STUDY = """
name = "theirs"
environments = ["gym:their_envs:Theirs-v0"]
seeds = 1
steps = 64
settings.ppo = {num_envs = 2, rollout_steps = 16, minibatches = 2, epochs = 1, hidden = [4]}
[arms.plain]
blend.kind = "none"
"""
ENVIRONMENT = "gym:their_envs:Theirs-v0"


@pytest.fixture
def their_envs(as_new):
    """Their module that registers an environment, a study file that names it, and what stored files would hold."""
    (as_new / "their_envs.py").write_text(IMPORTS)
    (as_new / "theirs.toml").write_text(STUDY)
    stored = as_new / "stored"
    stored.mkdir(exist_ok=True)
    study, agents = read_sealed_json(as_new / "study" / "study.json"), read_sealed_json(as_new / "agents/agents.json")
    settings = [one | {"environment": ENVIRONMENT, "dynamics": {"kind": "none"}} for one in agents["settings"]]
    write_sealed_json(stored / "study.json", study | {"environments": [ENVIRONMENT], "arms": {"a": {}}})
    write_sealed_json(stored / "agents.json", agents | {"settings": settings})
    yield as_new
    sys.modules.pop("their_envs", None)


def test_no_environment_of_a_stored_file_or_a_plan_is_imported(their_envs):
    commands = [[name, "stored"] for name in ("eval", "export", "compare", "summary", "figures", "report", "luck")]
    for command in [*commands, ["plan", "theirs.toml"]]:
        with pytest.raises(UntrustedError, match=f"environment = '{ENVIRONMENT}': .* say --trust their_envs"):
            cli.parse(command)()
    assert not (their_envs / "imported").exists()


def test_the_study_file_that_one_runs_may_name_an_environment_and_the_command_says_which_file(their_envs, capsys):
    cli.parse(["run", "theirs.toml", "--out", "ran"])()
    assert f"Imports their_envs from {their_envs / 'their_envs.py'}" in capsys.readouterr().out
    assert (their_envs / "imported").exists()
    forget()
    cli.parse(["compare", "ran", "--trust", "their_envs"])


@pytest.mark.parametrize("name", ["gym::X-v0", "gym:a:b:c", "gym:a-b:X-v0", "gym:.:X-v0", "gym:", "gym:No-v0"])
def test_an_environment_that_is_none_is_refused_in_a_sentence(name):
    with pytest.raises(SettingError, match=r"^environment = .*must be .*\.$"):
        registry.make_env(name)


def test_an_edited_source_is_not_taken_for_the_one_before(as_new):
    trust.trust("their_lab")
    assert len(morphorl.load_agents("agents").seeds) == 2
    assert results.trusting(morphorl.load_results("study").study) == " --trust their_lab"
    forget()
    (as_new / "their_lab.py").write_text(SOURCE.replace("GAIN = 1.0", "GAIN = 2.5"))
    trust.trust("their_lab")
    with pytest.raises(AgentsError, match="was trained with another source of their_lab:Leaky"):
        morphorl.load_agents("agents")
    with pytest.raises(StoreError, match="the source of its dynamics or guidance has been changed since"):
        morphorl.load_results("study")
