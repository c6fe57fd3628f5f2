"""A label is text: whatever it looks like, no command stumbles over it, and it stands where it belongs as it is."""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from helpers.finished_studies import TINY
from morphorl import cli
from morphorl.commands.shared import console
from morphorl.config.sealed import write_sealed_json
from morphorl.report import summary
from morphorl.studies import shards

LABELS = {  # as they are, and as a terminal shows them
    "use_bias[/b] γ [red] [/] :smile:": "use_bias[/b] γ [red] [/] :smile:",
    "\\[0.1] ../../up </script><b>&amp; --> ]]>": "\\[0.1] ../../up </script><b>&amp; --> ]]>",
    "above _$\\frac$": r"_$\frac$",
}
WIDE = 400


def study_file(folder):
    """A study of nine tiny crossed runs an arm, as a file."""
    once = {
        "name": "labels",
        "environments": ["CartPole-v1"],
        "seeds": 3,
        "cell_seeds": 3,
        "steps": 320,
        "evaluate_every": 0,
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in once.items()]
    lines += ["[settings.ppo]", *(f"{name} = {value}" for name, value in TINY["ppo"].items())]
    for number, label in enumerate(LABELS):
        lines += [f"[arms.{json.dumps(label)}]", f"guidance.strength = {number / 100}"]
    path = folder / "labels.toml"
    path.write_text("\n".join(lines), "utf-8")
    return path


def said(*words):
    """What a command prints on a wide screen."""
    screen = io.StringIO()
    width, console._width = console._width, WIDE
    with contextlib.redirect_stdout(screen), contextlib.redirect_stderr(screen):
        cli.parse([str(word) for word in words])()
    console._width = width
    return screen.getvalue()


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """The folder of a finished study of such labels, and what `morphorl run` showed on a terminal."""
    folder = tmp_path_factory.mktemp("labels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FORCE_COLOR", "1")
        patch.setenv("COLUMNS", str(WIDE))
        screen = said("run", study_file(folder), "--out", folder / "out")
    return folder / "out", screen


def test_a_label_loses_no_data(ran):
    folder, screen = ran
    done = {run for shard in shards.read_all(folder)[0] for run in shard.runs}
    assert done == set(shards.planned(folder)["run"])
    assert shards.failures(folder) == []
    assert "failed" not in screen


def test_the_display_of_a_run_shows_labels_as_they_are(ran):
    """On a terminal, whose live table was what failed."""
    assert [label for label in LABELS.values() if label not in ran[1]] == []
    assert "\x1b[2J" not in ran[1]
    assert "\a" not in ran[1]


@pytest.mark.parametrize("command", ["compare", "luck", "summary"])
def test_a_command_shows_labels_as_they_are(ran, command):
    screen = said(command, ran[0])
    assert [label for label in LABELS.values() if label not in screen] == []
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", screen)


def test_status_shows_what_went_wrong_as_it_is(ran):
    note = ran[0] / "failed" / "0.json"
    message = "ValueError: no [/such] :smile:\x1b[2J"
    write_sealed_json(note, {"runs": ["0"], "message": message, "at": "now"})
    try:
        assert "no [/such] :smile:\\x1b[2J" in said("status", ran[0])
    finally:
        note.unlink()


def test_figures_take_labels_for_text(ran):
    said("figures", ran[0])
    drawn = sorted((ran[0] / "figures").glob("*.svg"))
    assert {path.stem for path in drawn} >= {"cartpole", "cartpole_strength", "cartpole_luck"}
    for path in drawn:
        ElementTree.parse(path)  # which a control character would end


def test_the_report_holds_labels_as_they_are(ran):
    said("report", ran[0], "--no-replay")
    page = (ran[0] / "report.html").read_text("utf-8")
    data = json.loads(re.findall(r'<script[^>]*type="application/json"[^>]*>(.*?)</script>', page, re.S)[0])
    assert [arm["label"] for arm in data["arms"]] == list(LABELS)
    assert "</script><b>" not in page


def test_files_lie_where_they_belong(ran):
    names = {path.name for path in ran[0].parent.iterdir()}
    assert names == {"out", "labels.toml"}


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ("StatelessCartPole-v1", "stateless_cartpole"),
        ("CartPole-v1", "cartpole"),
        ("gym:ALE/Pong-v5", "gym_a_l_e_pong"),
        ("gym:a/../../b-v0", "gym_a_b"),
        ("popgym-RepeatFirstEasy-v0+action", "popgym_repeat_first_easy_action"),
        ("..", "environment"),
        ("/etc/passwd", "etc_passwd"),
    ],
)
def test_the_name_of_a_file_leads_nowhere(environment, name):
    assert re.sub("_+", "_", summary.file_name(environment)) == name


def test_a_run_whose_reader_is_gone_goes_on_to_its_end(ran):
    """`morphorl run … | head -1`: all is written, and one line says why nothing more is shown."""
    out = ran[0]
    (out / "summary.json").unlink(missing_ok=True)
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "morphorl", "run", str(out.parent / "labels.toml"), "--out", str(out)],
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
    )  # fmt: skip
    os.close(writing)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("\n") == ended.stderr.count("the training goes on without it") == 1
    assert (out / "summary.json").exists()


def test_a_command_whose_reader_is_gone_ends_without_a_word(ran):
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-m", "morphorl", "status", str(ran[0])],
        stdout=writing, stderr=subprocess.PIPE, text=True, timeout=300, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("words", [["--help"], ["plan", "--help"], ["status", "γ"], ["plan", "turing_map"]])
def test_no_terminal_lacks_letters(words, tmp_path):
    """Where the encoding has no γ, commands show what it has."""
    ended = subprocess.run(
        [sys.executable, "-m", "morphorl", *words],
        capture_output=True, cwd=tmp_path, env=os.environ | {"PYTHONIOENCODING": "ascii"}, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == (2 if "γ" in words else 0), ended.stderr
    assert b"Traceback" not in ended.stderr
