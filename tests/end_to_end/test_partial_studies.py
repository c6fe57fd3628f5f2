"""A folder that lacks runs of its study, after a kill, a failure or damage: every output says how many it rests on."""

import dataclasses
import json

import pytest

from helpers import finished_studies
from morphorl import cli
from morphorl.analysis.finished_study import compare, load_results
from morphorl.config.errors import SettingError, StoreError
from morphorl.studies.store import Store

CROSSED = {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.3]}}}


def crossed(**more):
    return finished_studies.study(CROSSED, seeds=4, environments=("CartPole-v1",), cell_seeds=3, **more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A crossed study of 24 runs in three shards, one of which is damaged."""
    root = tmp_path_factory.mktemp("partial") / "study"
    finished_studies.finish(root, crossed(), parts=3)
    damaged = min(root.glob("shards/*.parquet"))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    return root


SAID = "CartPole-v1, standard: rests on 16 of the study's 24 runs."
INCOMPLETE = [{"preset": "standard", "environment": "CartPole-v1", "runs": 16, "planned": 24}]


@pytest.mark.parametrize(
    ("command", "written"),
    [("compare", "comparisons.json"), ("summary", "summary.json"), ("figures", None), ("report", None)],
)
def test_what_rests_on_fewer_runs_says_so(folder, capsys, command, written):
    cli.parse([command, str(folder), *["--no-replay"] * (command == "report")])()
    printed = capsys.readouterr().out
    assert SAID in printed
    if command == "report":
        assert "16 of 24 runs" in (folder / "report.html").read_text()
    if written:
        assert json.loads((folder / written).read_text())["incomplete"] == INCOMPLETE
    if command == "figures":
        assert SAID.replace(" ", "") in _text_of(folder / "figures" / "cartpole.svg")


def test_a_figure_says_what_it_lacks_and_not_what_others_do(tmp_path, capsys):
    both = finished_studies.study(CROSSED, seeds=3)
    one = dataclasses.replace(both, environments=("CartPole-v1",))
    finished_studies.finish(tmp_path, one)
    Store(tmp_path).open(both, resume=True)
    cli.parse(["figures", str(tmp_path)])()
    assert "StatelessCartPole-v1, standard: none of the study's 6 runs is there." in capsys.readouterr().out
    assert "none of" not in (tmp_path / "figures" / "cartpole.svg").read_text()


def test_a_whole_study_says_nothing(tmp_path, capsys):
    finished_studies.finish(tmp_path / "study", crossed())
    cli.parse(["compare", str(tmp_path / "study")])()
    assert "rests on" not in capsys.readouterr().out
    assert "incomplete" not in json.loads((tmp_path / "study" / "comparisons.json").read_text())


def test_an_arm_to_compare_with_of_which_no_run_is_there_is_named(tmp_path):
    finished_studies.finish(tmp_path / "study", crossed())
    results = load_results(tmp_path / "study")
    results = results._replace(scores=results.scores.filter(arm="γ = 0.3"))
    with pytest.raises(SettingError, match=r"^against: .* 'γ = 0', of which there is no run; must be one of 'γ = 0.3'"):
        compare(results)


def test_luck_of_a_crossed_study_in_which_no_episode_ends_is_unknown(tmp_path, capsys):
    finished_studies.finish(tmp_path / "silent", crossed(), silent=("γ = 0", "γ = 0.3"))
    cli.parse(["luck", str(tmp_path / "silent")])()
    assert "unknown" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["compare", "figures", "summary", "luck", "report"])
def test_a_study_that_was_started_again_with_other_seeds_and_stopped_at_once_has_no_runs(tmp_path, command):
    finished_studies.finish(tmp_path, crossed())
    Store(tmp_path).open(dataclasses.replace(crossed(), first_seed=100), resume=True)
    with pytest.raises(StoreError, match=r"no finished run of its study .* with seeds from 100; give the same"):
        cli.parse([command, str(tmp_path)])()


def _text_of(svg):
    return svg.read_text().replace(" ", "")
