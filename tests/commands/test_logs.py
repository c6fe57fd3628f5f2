"""`compare` and `report` on logs of others, as a newcomer types them: what is understood first, what to type next."""

import itertools
import json
import re
import shlex
import subprocess
import sys

import jaxtyping
import numpy as np
import pytest

from helpers import logs
from morphorl import cli


@pytest.fixture(autouse=True)
def as_users_have_it(tmp_path, monkeypatch):
    """No type checker (tyro's placeholders would not pass it), in an empty folder, with room for a message."""
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def said(monkeypatch, capsys):
    """Run a command in this process; gives its exit code and all that it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphorl", *map(str, arguments)])
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code
        return code, re.sub(r"[\s─]+", " ", "".join(capsys.readouterr()))

    return run


def test_the_first_command_says_what_it_understood_what_came_out_and_what_to_type_next(tmp_path, said):
    logs.two_arms(tmp_path / "logs", gain=50.0)
    code, printed = said("compare", "logs")
    assert code == 0
    understood, _, computed = printed.partition("IQM over seeds")
    assert "CartPole-v1 a2c 8 0–7 40 1,000 training" in understood
    assert "Names by the pattern {arm}/seed_{seed} (recognised; --pattern gives another)" in understood
    assert "r over the sum of l (training): 16 logs" in understood
    assert "CartPole-v1: ppo is higher than a2c: +" in computed
    assert "Next: morphorl report logs" in computed
    assert not (tmp_path / "runs").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]  # nothing is written unasked


def test_numbers_are_written_where_they_are_asked_for(tmp_path, said):
    logs.two_arms(tmp_path / "logs", gain=8.0)
    code, printed = said("compare", "logs", "--against", "ppo", "--power", "--threshold", "100", "--out", "new/out")
    assert code == 0
    assert "seeds of each would be needed" in printed
    written = json.loads((tmp_path / "new" / "out" / "comparisons.json").read_text())
    assert written["against"] == "ppo"
    assert written["comparisons"][0]["arm"] == "a2c"
    assert written["luck"][0]["needed"]["seeds"] > 1


def test_a_report_is_one_page_and_figures_and_labels_are_text_in_it(tmp_path, said):
    hostile = "<script>alert(1)</script>"
    rows = [f'{step},{seed + step},{seed},"{arm}"' for arm in (hostile, "b") for seed in range(8) for step in (10, 20)]
    (tmp_path / "all.csv").write_text("\n".join(["step,return,seed,arm", *rows]))
    code, printed = said("report", "all.csv", "--out", "page")
    assert code == 0, printed
    page = (tmp_path / "page" / "report.html").read_text()
    assert hostile not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\\u003cscript\\u003ealert(1)" in page
    assert {path.name for path in (tmp_path / "page" / "figures").glob("*.svg")} >= {
        f"environment_{name}.svg" for name in ("curves", "profile", "scores", "luck")
    }
    assert "environment_threshold: not drawn: nobody has named a return" in printed


def test_one_arm_is_shown_and_compared_with_nothing(tmp_path, said):
    for seed in range(3):
        logs.monitor(tmp_path / "logs" / "ppo" / f"seed_{seed}", [seed, 2.0], [10, 10])
    code, printed = said("compare", "logs")
    assert code == 0
    assert "ppo is the only arm" in printed


def test_where_names_are_odd_the_last_line_is_a_command_that_reads_them(tmp_path, said):
    for arm, seed in itertools.product(("ppo", "a2c"), range(8)):
        logs.monitor(
            tmp_path / "logs" / f"x-{arm}-final-run{seed}-{seed * 37 + len(arm):x}a{arm[0]}", [seed, 2], [9, 9]
        )
    code, printed = said("compare", "logs")
    assert code == 0
    assert "Every arm has one run, and nothing can be compared" in printed
    assert "15 arms beside" in printed  # in one sentence
    command = printed.rpartition("Next: morphorl ")[2]
    assert "--power" not in command
    assert "CartPole-v1 ppo 8 0–7" in said(*shlex.split(command))[1]


def test_few_seeds_get_no_verdict(tmp_path, said):
    logs.two_arms(tmp_path / "logs", seeds=5, gain=50.0)
    _, printed = said("compare", "logs")
    assert "5 seeds: a comparison needs at least 8" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "PATH: must be a study's folder, or files and folders with logs"),
        (["nowhere"], "PATH = 'nowhere': does not exist"),
        (["logs", "--against", "pp0"], "against = 'pp0': must be one of 'a2c', 'ppo'. Did you mean 'ppo'?"),
        (["logs", "--threshold", "CartPol-v1=3"], "Did you mean 'CartPole-v1'?"),
        (["logs", "--threshold", "high"], "threshold = 'high': must be a number, or ENV=NUMBER"),
        (["logs", "--pattern", "{arm}-{seed}"], "does not fit the run 'logs/a2c/seed_0'"),
        (["logs", "--columns", "step"], "columns = 'step': must be pairs"),
        (["logs", "--format", "tensorbord"], "Did you mean 'tensorboard'?"),
    ],
)
def test_what_is_wrong_is_refused_in_a_sentence(tmp_path, said, arguments, words):
    logs.two_arms(tmp_path / "logs", seeds=1, episodes=2)
    code, printed = said("compare", *arguments)
    assert code == 2
    assert words in printed


def test_options_for_logs_are_refused_with_a_study(tmp_path, said):
    (tmp_path / "study.json").write_text("{}")
    assert said("compare", ".", "--pattern", "{arm}")[1].startswith("error: pattern = '{arm}': is for logs of other")
    assert "looked at alone" in said("report", ".", tmp_path)[1]


def test_neither_command_imports_jax(tmp_path):
    logs.two_arms(tmp_path / "logs")
    np.savez(tmp_path / "logs" / "sac.npz", steps=[10, 20], returns=np.ones((8, 2)), env="CartPole-v1")
    code = (
        "import sys\nfrom morphorl import cli\n"
        "for words in (['compare', 'logs', '--power'], ['report', 'logs', '--out', 'page']):\n"
        "    sys.argv = ['morphorl', *words]\n    cli.main()\n"
        "from morphorl import compare, load_results, to_rliable\n"
        "compare(load_results('logs')), to_rliable('logs')\n"
        "assert not {'jax', 'jaxlib', 'equinox', 'torch'} & sys.modules.keys()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
