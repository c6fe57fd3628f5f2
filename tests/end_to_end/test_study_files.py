"""Whatever a study file is or holds, `plan` and `run` answer in one sentence, and write nothing."""

import os
import re
import sys

import jaxtyping
import pytest

from morphorl import cli

FILE = """
name = "question"
environments = ["CartPole-v1"]
seeds = 2
steps = 1024
[settings]
ppo.hidden = [8]
dynamics.bound = 10.0
[arms.plain]
blend.kind = "none"
[arms."γ = {guidance.strength}"]
guidance.strength = [0.0, 0.1]
"""


@pytest.fixture(autouse=True)
def as_users_have_it(tmp_path, monkeypatch):
    """No type checker, in an empty folder, with room for a message."""
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "4000")
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def refused(command, monkeypatch, capsys):
    """What the command says of study.toml, which it refuses in one sentence."""
    before = sorted(os.listdir())
    monkeypatch.setattr(sys, "argv", ["morphorl", command, "study.toml"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    said = re.sub(r"\s+", " ", capsys.readouterr().err).strip()
    assert end.value.code == 2
    assert said.startswith("error: ")
    assert len(said) < 2_100
    assert sorted(os.listdir()) == before
    return said


CHANGES = {
    "a date as name": ('"question"', "1979-05-27", "name = 1979-05-27: must be"),
    "a date in a setting": ("10.0", "1979-05-27T07:32:00Z", "settings.dynamics.bound = 1979-05-27 07:32:00"),
    "a time in a sweep": ("[0.0, 0.1]", "[07:32:00]", "guidance.strength = 07:32:00: must be"),
    "thousands of digits": ("seeds = 2", f"seeds = {'9' * 5_000}", "a whole number of more than 64 bits"),
    "thousands of hexadecimal digits": ("10.0", f"0x{'f' * 5_000}", "must be a whole number of 64 bits"),
    "a bound above all numbers": ("10.0", "1e400", "1e400: must be a number below 1.8e308, or inf"),
    "a bound of double precision": ("10.0", "1e308", "dynamics.bound = 1e+308: must be 0, or of a size"),
    "an infinite strength": ("[0.0, 0.1]", "inf", "guidance.strength = inf: must be a finite number"),
    "a strength that is none": ("[0.0, 0.1]", "[nan]", "guidance.strength = nan: must be a finite number"),
    "a true strength": ("[0.0, 0.1]", "[true]", "guidance.strength = True: must be a finite number"),
    "lists of lists": ("[0.0, 0.1]", "[[0.0], [0.1]]", "guidance.strength = [0.0]: must be a finite number"),
    "a kind in a list of lists": ('"none"', '[["none"]]', "blend.kind = ['none']: must be one of"),
    "a width that is true": ("[8]", "[true]", "ppo.hidden = (True,): must be one or more whole numbers"),
    "a width of a billion": ("[8]", "[1000000000]", "calls for"),
    "a trillion environments": (
        "steps = 1024\n[settings]",
        "steps = 1000000000000000\n[settings]\nppo.num_envs = 1000000000000",
        "calls for",
    ),
    "a trillion episodes": (
        "seeds = 2",
        "seeds = 2\nevaluation_episodes = 1000000000000",
        "evaluation_episodes = 1000",
    ),
    "no environment": ('"CartPole-v1"', '""', "environment = '': must be one of CartPole-v1"),
    "an environment of a line and a NUL": ('"CartPole-v1"', r'"a\n\u0000"', "environment = 'a\\n\\x00': must be one"),
    "an environment of Gymnasium's without name": ('"CartPole-v1"', '"gym:"', "environment = 'gym:'"),
    "an environment twice": ('"CartPole-v1"', '"CartPole-v1", "CartPole-v1"', "must not name one twice"),
    "an empty label": ("arms.plain", 'arms.""', "must be a label of one character or more"),
    "a label of no setting": ("{guidance.strength}", "{guidance.strenght}", "Did you mean 'guidance.strength'?"),
    "half a brace": ("{guidance.strength}", "{", "a brace in the label has no partner"),
    "a label of two lines": ("arms.plain", r'arms."a\nb\u0000"', "must be a label of one line"),
    "a long value": ('"none"', f'"{"x" * 50_000}"', "(50000 characters)"),
    "a long name": ("seeds = 2", f"seeds = 2\n{'x' * 50_000} = 1", "(50000 characters): no such key"),
    "deep tables": ("seeds = 2", f"seeds = 2\na{'.a' * 200_000} = 1", "must be at most 20 deep"),
    "deep lists": ("[0.0, 0.1]", f"{'[' * 100_000}", "must be at most 20 deep"),
}


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(("old", "new", "said"), CHANGES.values(), ids=CHANGES)
def test_what_a_file_holds_is_refused_in_a_sentence(command, old, new, said, tmp_path, monkeypatch, capsys):
    assert old in FILE
    (tmp_path / "study.toml").write_text(FILE.replace(old, new, 1))
    assert said in refused(command, monkeypatch, capsys)


WRONG_FILES = {
    "a folder": (lambda path: path.mkdir(), "is a folder, a pipe or a device; must be a file"),
    "a pipe": (os.mkfifo, "is a folder, a pipe or a device; must be a file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is a folder, a pipe or a device; must be a file"),
    "a link to nothing": (lambda path: path.symlink_to("gone"), "there is no such file"),
    "no UTF-8": (lambda path: path.write_bytes(b"name = '\xff'"), "is not TOML: 'utf-8' codec can't decode"),
    "two megabytes": (
        lambda path: path.write_bytes(b"#" * 2_000_000),
        "has 2,000,000 bytes; must be at most 1,000,000",
    ),
    "empty": (lambda path: path.touch(), "name: missing; a study needs"),
}


@pytest.mark.parametrize("command", ["plan", "run"])
@pytest.mark.parametrize(("make", "said"), WRONG_FILES.values(), ids=WRONG_FILES)
def test_what_is_no_study_file_is_refused_and_never_waited_for(command, make, said, tmp_path, monkeypatch, capsys):
    make(tmp_path / "study.toml")
    assert said in refused(command, monkeypatch, capsys)


@pytest.mark.parametrize(("said", "kernel"), [("", "xla"), ("kernel = 'fused'\n", "fused")])
def test_a_plan_says_how_much_memory_and_which_kernel(said, kernel, tmp_path, monkeypatch, capsys):
    (tmp_path / "study.toml").write_text(said + FILE)
    monkeypatch.setattr(sys, "argv", ["morphorl", "plan", "study.toml"])
    cli.main()
    shown = capsys.readouterr().out
    assert re.search(r"MB +memory for the runs at once", shown)
    assert f"The kernel that trains it here is {kernel}," in shown
