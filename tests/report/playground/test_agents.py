"""Agents of a folder: those that the page can compute play live, others are recorded or refused."""

import base64
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from examples.my_lab.fhn import FitzHughNagumo

from helpers.agents import KINDS, agent
from helpers.finished_studies import BLIND, finish, study
from morphorl.config.errors import SettingError, StoreError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.pde.gierer_meinhardt import PRESETS
from morphorl.environments.cartpole import GRAVITY
from morphorl.environments.wrappers import Task
from morphorl.ppo.checkpoints import save_agents
from morphorl.ppo.settings import Settings
from morphorl.report import replay
from morphorl.report.playground import agents, playground_data, playground_page, shipped
from morphorl.report.playground.live_agents import live, single, why_not
from morphorl.studies import stored_agents
from morphorl.studies.store import Store

LIVE = ["guided", "tuned, softmax on a lattice", "winner on a ring", "memory", "plain"]
RECORDED = {
    "reservoir": (KINDS["reservoir"], "its dynamics are echo_state"),
    "GRU": (KINDS["GRU"], "its network is gru"),
    "reservoir memory": (KINDS["reservoir memory"], "its memory is echo_state"),
    "field": (Settings(dynamics=GiererMeinhardt(sites=32)), "its dynamics are gierer_meinhardt"),
    "foreign": (
        Settings(dynamics=FitzHughNagumo(), guidance=Blind(strength=0.1)),
        "its dynamics are examples.my_lab.fhn:FitzHughNagumo",
    ),
}


def of(settings, folder):
    save_agents(agent(settings), folder)
    return agents.of_folder(folder)


@pytest.mark.parametrize("name", LIVE)
def test_what_the_page_can_compute_plays_live(name, tmp_path):
    shown, _ = of(KINDS[name], tmp_path)
    assert shown[0]["live"]["environment"] == KINDS[name].environment
    assert shown[0]["recorded"] is None
    assert (shown[0]["label"], shown[0]["stage"], shown[0]["steps"]) == ("seed 3", "final", 100_000)
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize("name", RECORDED)
def test_all_else_on_a_cartpole_plays_an_episode_that_was_recorded(name, tmp_path):
    settings, why = RECORDED[name]
    shown, remarks = of(settings, tmp_path)
    assert shown[0]["live"] is None
    assert shown[0]["why"] == why
    row = shown[0]["recorded"]
    numbers = sum(state["rows"] * state["columns"] for state in row["states"])
    positions = np.frombuffer(base64.b64decode(row["episode"]["position"]["data"]), "<i2")
    assert row["length"] == len(positions) / 2
    assert row["length"] * max(1, numbers) <= agents.MOST_NUMBERS
    assert row["outcome"].startswith("the pole is up for ")
    assert (
        remarks == "Agents marked '(comes with morphorl)' are not from this folder."
    )  # there is nothing to push among its own
    assert why in playground_page.page(shown, "morphorl play")


def test_other_environments_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(
        SettingError, match=r"environment = gym:Pendulum-v1: must be one of CartPole-v1, .* for the play"
    ):
        of(KINDS["continuous"], tmp_path)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    nowhere = tmp_path / "nowhere"
    with pytest.raises(StoreError, match=f"^{re.escape(str(nowhere))}: there is no such folder"):
        agents.of_folder(nowhere)


def test_a_folder_without_agents_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(StoreError, match=r"holds no agents\.json"):
        agents.of_folder(tmp_path)


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ("gym:Pendulum-v1", "environment = gym:Pendulum-v1: must be one of CartPole-v1"),
        ("CartPole-v1", "keeps no agents"),
    ],
)
def test_a_study_without_agents_to_play_is_refused_in_a_sentence(environment, why, tmp_path):
    Store(tmp_path).open(study(environments=(environment,)), resume=True)
    with pytest.raises(SettingError, match=why):
        agents.of_folder(tmp_path)


def test_agents_of_a_study_whose_values_are_not_finite_are_left_out(tmp_path, monkeypatch):
    Store(tmp_path).open(
        study(arms={"plain PPO": {"blend": {"kind": "none"}}}, environments=("CartPole-v1",)), resume=True
    )

    def keep(*factors):
        three = jax.tree.map(
            lambda u: jnp.concatenate([factor * u for factor in factors]), agent(KINDS["plain"]).arrays
        )
        monkeypatch.setattr(stored_agents, "staged_agents", lambda _, runs: {run.id: three for run in runs})

    keep(1, 2, jnp.nan)
    shown, remarks = agents.of_folder(tmp_path)
    assert [one["stage"] for one in shown if "comes with" not in one["label"]] == ["early", "middle"]
    assert remarks.startswith("Left out are 1 whose values are not finite. Agents marked")
    keep(jnp.nan, jnp.nan, jnp.nan)
    with pytest.raises(SettingError, match="values of all its agents are not finite"):
        agents.of_folder(tmp_path)


def test_a_recorded_episode_is_of_its_moment():
    settings = Settings(dynamics=EchoState(), blend=Blend(weight=0.5, handover=0.5))
    one = single(agent(settings).arrays, 0)
    for steps, weight in ((0, 0.5), (settings.steps, 0.0)):
        row = agents.recorded(agents.Shown("handed over", "final", steps, 3, settings, one))
        network, readout, blended = (unpacked(row["episode"][name]) for name in ("network", "readout", "blended"))
        np.testing.assert_allclose(blended, (1 - weight) * network + weight * readout, atol=1e-3)
        assert np.abs(network - readout).max() > 0.1


def unpacked(told):
    return np.frombuffer(base64.b64decode(told["data"]), "<i2") * told["unit"]


def test_a_recorded_environment_is_as_sticky_as_the_task():
    settings = Settings(task=Task(sticky=True, repeat=1.0), blend=Blend(kind="none"))
    one = single(agent(settings).arrays, 0)
    stuck = replay.played(settings, one, 1.0)
    assert len(set(stuck.action.tolist())) == 2  # what was chosen
    velocity = np.diff(stuck.position[1:, 0])
    assert (np.diff(np.abs(velocity)) > 0).all()  # what was executed: the first action, again and again
    assert why_not(settings) == "its task is sticky"


@pytest.mark.parametrize("guidance", [Modulated(strength=0.2), NoGuidance(strength=0.2)])
def test_a_rule_that_does_nothing_in_an_episode_has_no_strength(guidance):
    settings = Settings(guidance=guidance)
    assert live(settings, single(agent(settings).arrays, 0), 1.0)["strength"] == 0


def test_the_weight_is_that_of_the_stage():
    settings = Settings(blend=Blend(weight=0.4, handover=0.5))
    one = single(agent(settings).arrays, 0)
    assert [live(settings, one, at)["weight"] for at in (0.25, 0.375, 1.0)] == pytest.approx([0.4, 0.2, 0.0])


def test_a_study_shows_its_agents_early_in_the_middle_and_at_the_end(tmp_path, monkeypatch):
    small = study(BLIND, environments=("CartPole-v1",))
    finish(tmp_path, small)
    one = agent(Settings()).arrays
    three = jax.tree.map(lambda u: jnp.concatenate([u, 2 * u, 3 * u]), one)
    monkeypatch.setattr(stored_agents, "staged_agents", lambda _, runs: {run.id: three for run in runs})
    shown, remarks = agents.of_folder(tmp_path)
    own = [one for one in shown if "comes with" not in one["label"]]
    assert len(own) == agents.MOST_AGENTS
    assert remarks.startswith(f"{agents.MOST_AGENTS} of ")
    assert [one["stage"] for one in own[:3]] == ["early", "middle", "final"]
    assert [one["label"] for one in own[::3]] == ["plain PPO", "zero readout", "γ = 0"]
    biases = [base64.b64decode(one["live"]["layers"][0]["weight"]) for one in own[:3]]
    assert len(set(biases)) == 3


def test_numbers_come_from_the_package():
    told = playground_data.shared()
    assert told["constants"]["gravity"] == GRAVITY
    assert told["training"]["ppo"]["value_clip"] is None  # infinite
    assert told["field"]["equation"]["inhibitor_diffusion"] == PRESETS["spots"].inhibitor_diffusion
    json.dumps(told, allow_nan=False)


def test_the_map_that_comes_along_is_that_of_linear_theory():
    known = playground_data.field()
    rows, columns = slice(0, 11, 5), slice(0, 25, 12)
    found = shipped.boundary(
        PRESETS["spots"], jnp.asarray(shipped.SATURATIONS[rows]), jnp.asarray(shipped.RATIOS[columns])
    )
    np.testing.assert_allclose(np.asarray(known["map"]["strengths"])[rows, columns], found, atol=2e-6)
    assert known["map"]["ratios"] == shipped.RATIOS.tolist()
    np.testing.assert_allclose(known["rest"], [1.0, 1.0], atol=1e-5)


def test_the_agents_that_come_along_are_those_that_are_named():
    told = playground_data.shipped_agents()
    assert list(dict.fromkeys(one["label"] for one in told)) == list(shipped.CHOSEN.values())
    assert [one["stage"] for one in told] == ["early", "middle", "final"] * 3
    assert {one["seed"] for one in told} == {20_000}
