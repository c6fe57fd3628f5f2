"""Agents of a study, played where they were not trained."""

import pytest

from helpers.small_studies import fill
from morphorl.commands.eval import Eval
from morphorl.config.errors import SettingError
from morphorl.config.sealed import read_sealed_table
from morphorl.ppo import evaluation
from morphorl.ppo.checkpoints import AgentsError
from morphorl.studies import elsewhere
from morphorl.studies.runner import run_study
from morphorl.studies.store import Store
from morphorl.studies.stored_agents import trained_agents
from morphorl.studies.study import Study

PLAIN = {"blend": {"kind": "none"}, "ppo": {"hidden": [8], "num_envs": 4, "rollout_steps": 16}}
ARMS = {"one": PLAIN, "other": PLAIN | {"memory": {"kind": "stack"}}}
MAZES = Study("mazes", ("TMaze-1",), ARMS, 2, steps=64)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mazes")
    assert run_study(MAZES, folder, with_agents=True, progress=False) == 0
    return Store(folder)


def test_every_agent_is_played_in_every_place_and_scores_what_it_scores_alone(finished):
    played = elsewhere.play(finished, MAZES, ["TMaze-3", "TMaze-1"], 5)
    assert len(played) == 2 * len(MAZES.runs())
    assert played["played_in"].unique(maintain_order=True).to_list() == ["TMaze-3", "TMaze-1"]
    chosen = [run for run in MAZES.runs() if run.arm == "other"]
    returns = evaluation.evaluate(trained_agents(finished, chosen), 5, environment="TMaze-3")
    found = played.filter(arm="other", played_in="TMaze-3")
    assert found["seed"].to_list() == [0, 1]
    assert found["return"].to_list() == pytest.approx(returns.mean(axis=1).tolist())
    assert found["returns"].to_list() == [pytest.approx(one) for one in returns.tolist()]


def test_the_command_writes_every_seeds_score_and_shows_an_arm_a_row(finished, capsys):
    Eval(finished.root, episodes=5, env=("TMaze-3", "TMaze-1"))()
    written = read_sealed_table(finished.root / elsewhere.FILE)
    assert written.equals(elsewhere.play(finished, MAZES, ["TMaze-3", "TMaze-1"], 5))
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("Trained in TMaze-1", "TMaze-3", "one", "other", elsewhere.FILE))


def test_a_run_that_diverged_has_no_return_and_stays(tmp_path):
    store = Store(tmp_path)
    few = Study("few", ("TMaze-1",), {"one": PLAIN}, 2, steps=64)
    store.open(few, resume=True)
    fill(store, few.runs(), diverged=[1], with_agents=True)
    played = elsewhere.play(store, few, ["TMaze-1"], 2)
    assert played["return"].is_null().to_list() == [False, True]


def test_agents_that_were_not_kept_and_other_sizes_are_refused(finished, tmp_path):
    store = Store(tmp_path)
    store.open(MAZES, resume=True)
    fill(store, MAZES.runs())
    with pytest.raises(AgentsError, match="holds no agents; must be of a run with --agents"):
        elsewhere.play(store, MAZES, ["TMaze-3"], 2)
    with pytest.raises(SettingError, match="environment = 'CartPole-v1': has 4 features and 2 discrete actions"):
        elsewhere.play(finished, MAZES, ["CartPole-v1"], 2)
