"""Nothing is written outside: a folder with a link that leads out of it is refused by every command, untouched."""

import json
import sys

import jaxtyping
import pytest

from helpers.finished_studies import BLIND, finish, study
from helpers.small_studies import snapshot
from morphorl import cli
from morphorl.config.errors import StoreError
from morphorl.config.files import MARKS, refuse_links_out

OF_A_STUDY = [
    ["compare"], ["figures"], ["report", "--no-replay"], ["luck"], ["odds"], ["multiverse"], ["summary"], ["status"],
    ["clean", "--failed"],
    ["run", "blind_dynamics", "--out"], ["reproduce", "--out"], ["evolve", "evolve_blind", "--out"],
    ["train", "--env", "CartPole-v1", "--out"],
]  # fmt: skip
"""Commands, without the folder that they write into at their end."""
OF_AGENTS = [
    ["eval"], ["watch"], ["watch", "--gif"], ["play", "--no-open"],
    ["export"], ["export", "--out", "elsewhere/new"], ["push", "--to", "a/b"],
]  # fmt: skip
OF_A_NEW_FOLDER = [["pde", "--out"], ["kinetics", "--out"], ["export", "AGENT", "--out"], ["luck", "STUDY", "--out"]]

PLACES = ["shards/damaged", "failed", "tracking", "standard", "luck.json", "report.html", "generation_000/shards/x"]


@pytest.fixture(autouse=True)
def as_users_have_it(tmp_path, monkeypatch):
    """No type checker, which tyro's placeholders would not pass, in a folder of its own with another one beside it."""
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "thesis.tex").write_text("three years")
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def refused(monkeypatch, capsys, tmp_path):
    """Assert that a command refuses a link, and that nothing is written anywhere."""

    def check(words, link):
        before = snapshot(tmp_path)
        monkeypatch.setattr(sys, "argv", ["morphorl", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = "".join(capsys.readouterr())
        assert end.value.code == 2, printed
        assert f"{link}: is a link that leads out of" in printed
        assert snapshot(tmp_path) == before

    return check


def plant(path, target):
    """A link in place of what is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("command", OF_A_STUDY, ids=" ".join)
@pytest.mark.parametrize("link", ["figures", "standard/figures/cartpole.png"])
def test_every_command_of_a_study_refuses(tmp_path, refused, command, link):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.json").write_text("{}")
    plant(tmp_path / "out" / link, tmp_path / "elsewhere" / "thesis.tex")
    refused([*command, "out"], f"out/{link}")


@pytest.mark.parametrize("link", PLACES)
@pytest.mark.parametrize("target", ["elsewhere", "elsewhere/thesis.tex", "/dev/full"])
def test_wherever_the_link_lies_and_leads(tmp_path, refused, link, target):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "scores.parquet").write_text("")
    plant(tmp_path / "out" / link, tmp_path / target)
    refused(["summary", "out"], f"out/{link}")


@pytest.mark.parametrize("command", OF_AGENTS, ids=" ".join)
@pytest.mark.parametrize("link", ["export", "export/agents.json", "watch.html"])
def test_every_command_of_agents_refuses(tmp_path, refused, command, link):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "agents.json").write_text("{}")
    plant(tmp_path / "agents" / link, tmp_path / "elsewhere" / "thesis.tex")
    refused([command[0], "agents", *command[1:]], f"agents/{link}")


@pytest.mark.parametrize("command", OF_A_NEW_FOLDER, ids=" ".join)
def test_every_command_with_an_output_refuses(tmp_path, refused, command):
    plant(tmp_path / "out" / "summary.json", tmp_path / "elsewhere" / "thesis.tex")
    refused([*command, "out"], "out/summary.json")


@pytest.mark.parametrize("words", [["run", "blind_dynamics"], ["evolve", "evolve_blind"], ["luck", "crossed"]])
def test_so_is_the_folder_that_is_taken_where_none_is_named(tmp_path, refused, words):
    name = words[1]
    plant(tmp_path / "runs" / name / "shards", tmp_path / "elsewhere")
    refused(words, f"runs/{name}/shards")


def test_real_results_are_not_written_elsewhere(tmp_path, monkeypatch, refused):
    """A study of two presets that is whole, so that nothing but the link keeps a command from writing."""
    finish(tmp_path / "out", study(BLIND, seeds=3, environments=("CartPole-v1",), presets=("standard", "tuned")))
    plant(tmp_path / "out" / "tuned", tmp_path / "elsewhere")
    for command in (["summary"], ["figures"], ["compare"], ["odds"]):
        refused([*command, "out"], "out/tuned")


def test_a_link_that_stays_inside_is_none_of_these(tmp_path):
    (tmp_path / "out" / "figures").mkdir(parents=True)
    (tmp_path / "out" / "study.json").write_text(json.dumps({}))
    (tmp_path / "out" / "figures" / "latest").symlink_to("../study.json")
    (tmp_path / "link").symlink_to("out")
    refuse_links_out(tmp_path / "out")
    refuse_links_out(tmp_path / "link")  # the folder itself may be one: the user named it
    refuse_links_out(tmp_path / "none")


def test_a_link_in_a_circle_ends(tmp_path):
    (tmp_path / "study.json").write_text("{}")
    (tmp_path / "figures").symlink_to("figures")
    refuse_links_out(tmp_path)


def test_what_lies_deep_in_a_folder_of_other_things_is_not_ours(tmp_path):
    """`morphorl pde --out .` beside a virtual environment, whose links lead to Python."""
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    refuse_links_out(tmp_path)
    for mark in MARKS:
        (tmp_path / mark).touch()
        with pytest.raises(StoreError, match="venv/bin/python: is a link that leads out"):
            refuse_links_out(tmp_path)
        (tmp_path / mark).unlink()
