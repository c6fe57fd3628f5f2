"""The command line: what is wrong is refused in one sentence and exit code 2, before anything is written."""

import dataclasses
import re
import subprocess
import sys

import jaxtyping
import pytest

from morphorl import cli
from morphorl.commands.studies import Studies
from morphorl.commands.train import Train
from morphorl.ppo.settings import PRESETS, Settings
from morphorl.studies.library import shipped
from morphorl.studies.store import Store
from morphorl.studies.study import Study

TRAIN = ["train", "--env", "CartPole-v1", "--out", "OUT"]


@pytest.fixture(autouse=True)
def as_users_have_it(tmp_path, monkeypatch):
    """No type checker (tyro's placeholders would not pass it), in an empty folder, with room for a message."""
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a command in this process; gives its exit code and all that it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphorl", *arguments])
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return end.value.code, re.sub(r"\s+", " ", printed.out + printed.err)

    return run


REFUSED = [
    # the command, the setting and its value, what is allowed
    (["train", "--env", "CartPol-v1", "--out", "OUT"], "environment = 'CartPol-v1'", "Did you mean 'CartPole-v1'?"),
    ([*TRAIN, "--seeds", "-1"], "seeds = -1", "a whole number of at least 1"),
    ([*TRAIN, "--seeds", "0"], "seeds = 0", "a whole number of at least 1"),
    ([*TRAIN, "--first-seed", "-5"], "first_seed = -5", "a whole number of at least 0"),
    ([*TRAIN, "--steps", "100"], "steps = 100", "at least one rollout of 512 environment steps"),
    ([*TRAIN, "--steps", "100", "--preset", "tuned"], "steps = 100", "at least one rollout of 256 environment steps"),
    ([*TRAIN, "--evaluate-every", "-1"], "evaluate_every = -1", "a whole number of at least 0"),
    ([*TRAIN, "--ppo.minibatches", "7"], "ppo.minibatches = 7", "divide the batch of 512 samples"),
    ([*TRAIN, "--ppo.num-envs", "0"], "ppo.num_envs = 0", "a whole number of at least 1"),
    ([*TRAIN, "--ppo.discount", "1.5"], "ppo.discount = 1.5", "a number from 0 to 1"),
    ([*TRAIN, "--guidance.strength", "inf"], "guidance.strength = inf", "a finite number"),
    ([*TRAIN, "--guidance.strength", "nan"], "guidance.strength = nan", "a finite number"),
    ([*TRAIN, "--dynamics.dt", "-1"], "dynamics.dt = -1.0", "a finite number of at least 0"),
    (
        [*TRAIN, "--dynamics.coupling", "rnig"],
        "'rnig' for argument '--dynamics.coupling'",
        "('mean', 'ring', 'lattice', 'partner')",
    ),
    ([*TRAIN, "--preset", "tunde"], "'tunde' for argument '--preset'", "('standard', 'tuned', 'continuous', 'sb3')"),
    ([*TRAIN, "--guidance.strenght", "1"], "--guidance.strenght", "--guidance.strength"),
    (["train", "--out", "OUT"], "--env", "required"),
    (["reproduce", "--seeds", "-2", "--out", "OUT"], "seeds = -2", "a whole number of at least 1"),
    (["reproduce", "--steps", "5", "--out", "OUT"], "steps = 5", "at least one rollout of 512 environment steps"),
    (["eval", "OUT"], "OUT: holds no agents.json", "a folder that `morphorl train --out` wrote"),
    (["eval", "OUT", "--episodes", "0"], "episodes = 0", "a whole number of at least 1"),
    (["eval", "OUT", "--greedy", "--stochastic"], "--greedy and --stochastic", "not allowed together"),
    (["tarin"], "command = 'tarin'", "Did you mean 'train'?"),
    (
        [],
        "command = ''",
        "must be one of reproduce, train, eval, run, luck, evolve, readouts, pde, kinetics, check, plan, status",
    ),
    (["run", "blind_dynmics"], "study = 'blind_dynmics'", "Did you mean 'blind_dynamics'?"),
    (["run", "../x"], "study = '../x'", "must be a file that ends in .toml, or one of added, blind_dynamics"),
    (["run", "/etc/x"], "study = '/etc/x'", "must be a file that ends in .toml"),
    (["plan", "a/../../b"], "study = 'a/../../b'", "must be a file that ends in .toml"),
    (["run", "gone.toml"], "study = 'gone.toml'", "there is no such file"),
    (["run", "x" * 300], "(300 characters)", "must be a file that ends in .toml"),
    (["run", "x" * 300 + ".toml"], "(305 characters)", "there is no such file"),
    (["run", "blind_dynamics", "--out", "x" * 300], "(300 characters)", "cannot be used (File name too long)"),
    (["run", "blind_dynamics", "--set", 'name="../x"'], "name = '../x'", "1 to 64 letters, digits, '-' or '_'"),
    (["run", "blind_dynamics", "--set", "seeds=10000000000000"], "runs", "must be at most 2,000,000"),
    (["run", "blind_dynamics", "--set", "steps=100"], "steps = 100", "at least one rollout of 512"),
    (["run", "blind_dynamics", "--set", "seeds"], "--set 'seeds'", "must be key=value, such as seeds=4"),
    (["run", "blind_dynamics", "--set", "name=x"], "--set 'name=x'", "text needs quotes"),
    (["run", "blind_dynamics", "--set", "sedes=4"], "sedes: no such key", "Did you mean 'seeds'?"),
    (["run", "blind_dynamics", "--address", "x:1"], "address = 'x:1'", "must not be given without engine = 'ray'"),
    (["evolve", "blind_dynamics"], "blind_dynamics.toml: evolve: missing", "needs an [evolve] table"),
    (["evolve", "evolve_blind", "--set", "evolve.seeds=0"], "evolve.seeds = 0", "a whole number of at least 1"),
    (["evolve", "evolve_blind", "--set", "first_seed=1001"], "evolve.first_seed = 1000", "must not overlap"),
    (["status", "OUT"], "OUT: holds no study", "must be a folder that `morphorl run --out` wrote"),
    (["clean", "OUT"], "nothing to do", "--failed"),
    (["clean", "OUT", "--failed"], "OUT: holds no study", "must be a folder that `morphorl run --out` wrote"),
]


@pytest.mark.parametrize(("arguments", "what", "allowed"), REFUSED, ids=[" ".join(a) for a, _, _ in REFUSED])
def test_a_wrong_command_is_refused_by_name_and_writes_nothing(arguments, what, allowed, command, tmp_path):
    code, printed = command(*arguments)
    assert code == 2
    assert what in printed
    assert allowed in printed
    assert "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []


def test_a_message_holds_no_internal_names(command):
    assert "dummy" not in command(*TRAIN, "--guidance.strength", "inf")[1]


def test_errors_go_to_stderr(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["morphorl", *TRAIN, "--seeds", "0"])
    with pytest.raises(SystemExit):
        cli.main()
    assert "seeds = 0" in capsys.readouterr().err


@pytest.mark.parametrize("resume", ["--resume", "--no-resume"])
def test_the_folder_of_another_study_is_refused_and_left_alone(command, tmp_path, resume):
    out = tmp_path / "OUT"
    Store(out).open(Study("train", ("CartPole-v1",), {"agent": Settings(steps=2_000)}, 16), resume=True)
    (out / "shards" / "0.parquet").write_bytes(b"a result")
    before = {path: (path.is_file() and path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*")}
    code, printed = command(*TRAIN, "--steps", "3000", resume)
    assert code == 2
    assert "out = 'OUT': holds another study (arms.agent.steps is 2000 there and 3000 here)" in printed
    assert "must be a new or empty folder, or one of this study" in printed
    assert before == {path: (path.is_file() and path.read_bytes(), path.stat().st_mtime_ns) for path in out.rglob("*")}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Study("train", ("Acrobot-v1",), {"agent": Settings(environment="Acrobot-v1")}, 16), "environments is"),
        (Study("train", ("CartPole-v1",), {"agent": Settings()}, 16, presets=("tuned",)), "presets is"),
    ],
)
def test_agents_of_another_environment_or_preset_are_not_replaced(command, tmp_path, other, said):
    """Their runs would lie beside each other in the store, but there is one file of agents."""
    Store(tmp_path / "OUT").open(other, resume=True, with_agents=True)
    code, printed = command(*TRAIN)
    assert code == 2
    assert f"out = 'OUT': holds another study ({said}" in printed


def test_ctrl_c_promises_only_what_is_kept(monkeypatch, capsys):
    def stopped(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "parse", stopped)
    for name, kept in (("train", True), ("eval", False)):
        monkeypatch.setattr(sys, "argv", ["morphorl", name])
        with pytest.raises(SystemExit):
            cli.main()
        assert ("Finished batches are kept" in capsys.readouterr().out) == kept


def test_a_folder_of_other_things_is_refused(command, tmp_path):
    (tmp_path / "OUT").mkdir()
    (tmp_path / "OUT" / "thesis.tex").write_text("three years")
    code, printed = command("reproduce", "--out", "OUT", "--no-resume")
    assert code == 2
    assert "out = 'OUT': holds other files and no study.json; must be a new or empty folder" in printed
    assert [path.name for path in (tmp_path / "OUT").iterdir()] == ["thesis.tex"]


def test_the_installed_command_refuses_in_one_line(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-m", "morphorl", *TRAIN, "--seeds", "-1"], cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert (ran.stdout + ran.stderr).strip() == "error: seeds = -1: must be a whole number of at least 1."
    assert list(tmp_path.iterdir()) == []


def test_studies_are_listed_a_line_each_and_one_is_told_in_full(capsys, command):
    Studies()()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(shipped())
    Studies("rhythm")()
    assert "on fresh seeds." in " ".join(capsys.readouterr().out.split())
    code, printed = command("studies", "rhytm")
    assert (code, "Did you mean 'rhythm'?" in printed) == (2, True)


def test_markup_in_a_value_is_shown_as_it_is(command):
    assert "'[red]CartPole[/red]'" in command("train", "--env", "[red]CartPole[/red]", "--out", "OUT")[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], ["reproduce", "train", "eval", "run", "plan", "status", "clean", "studies"]),
        (["run", "--help"], ["STUDY", "--out", "--engine", "--address", "--set", "--no-resume"]),
        (["plan", "--help"], ["STUDY", "--set"]),
        (["status", "--help"], ["DIR"]),
        (["clean", "--help"], ["DIR", "--failed"]),
        (["reproduce", "--help"], ["--seeds", "--steps", "--preset", "--out", "--no-resume"]),
        (["train", "--help"], ["--env", "--seeds", "--guidance.strength", "--dynamics.coupling", "--ppo.minibatches"]),
        (["eval", "--help"], ["DIR", "--episodes", "--greedy", "--stochastic", "--env"]),
        (["pde", "--help"], ["--preset", "--dims", "--guidance.strength", "--sweep", "--equation.saturation"]),
    ],
)
def test_every_command_explains_itself(arguments, words, command):
    code, printed = command(*arguments)
    assert code == 0
    assert [word for word in words if word not in printed] == []


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("place", [0, 1])
def test_a_preset_decides_the_defaults_and_single_options_what_differs(preset, place, monkeypatch):
    where = [["--preset", preset], [f"--preset={preset}"]][place]
    monkeypatch.setattr(sys, "argv", ["morphorl", *TRAIN, *where, "--ppo.learning-rate", "0.01"])
    called = []
    monkeypatch.setattr(Train, "__call__", lambda train: called.append(train))
    cli.main()
    assert called[0].ppo == dataclasses.replace(PRESETS[preset], learning_rate=0.01)


def test_an_interrupted_command_says_how_to_go_on(command, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("morphorl.commands.reproduce.run_study", interrupted)
    code, printed = command("reproduce", "--seeds", "2", "--out", "a folder")
    assert code == 130
    assert "morphorl reproduce --seeds 2 --out 'a folder'" in printed
