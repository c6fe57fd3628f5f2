"""Two thousand damaged folders: each command gives the right result, or a sentence; never anything else."""

import collections
import contextlib
import io
import os
import random
import signal
import warnings

import pytest

from helpers import damage, finished_studies
from helpers.agents import agent
from morphorl import cli
from morphorl.config.errors import SettingError, StoreError
from morphorl.dynamics.guidance.blind import Blind
from morphorl.ppo.checkpoints import save_agents
from morphorl.ppo.settings import PPO, Settings

MUTATIONS = int(os.environ.get("N", 2_000))
SECONDS = 20
"""A command that takes longer hangs."""
OUTPUTS = {
    "status": (),
    "summary": ("summary.json",),
    "compare": ("comparisons.json",),
    "luck": ("luck.json",),
    "figures": ("figures/cartpole.svg",),
    "report": ("report.html",),
    "eval": ("evaluation_greedy.json",),
    "export": ("export/agents.json", "export/agents.safetensors", "export/README.md"),
}
"""Each command that reads a finished folder, and what it writes."""
OF_AGENTS = ("eval", "export")
OPTIONS = {"report": ["--no-replay"], "eval": ["--episodes", "1"], "export": ["--episodes", "1"]}


def run(command, folder):
    """What a command does: `0` or the sentence that it ends with, what it printed, and what it wrote."""
    printed = io.StringIO()
    arguments = [command, str(folder), *OPTIONS.get(command, ())]
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            cli.parse(arguments)()
            end = "0"
        except (SettingError, StoreError, OSError) as error:  # what `main` tells in a sentence
            end = str(error)
    written = {name: (folder / name).read_bytes() for name in OUTPUTS[command] if (folder / name).is_file()}
    return end, printed.getvalue(), written


@contextlib.contextmanager
def alarm(seconds):
    def ring(*_):
        raise AssertionError(f"takes more than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A finished crossed study in three shards with all that commands leave, agents, and what each command gives."""
    root = tmp_path_factory.mktemp("whole")
    arms = {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.3]}}}
    study = finished_studies.study(arms, seeds=3, environments=("CartPole-v1",), cell_seeds=3)
    store = finished_studies.finish(root / "study", study, parts=3)
    store.fail(study.runs()[:1], ValueError("a failure of before"))
    small = Settings(ppo=PPO(hidden=(4,)), guidance=Blind(strength=0.1))
    save_agents(agent(small), root / "agents")
    right = {}
    for command in OUTPUTS:
        folder = root / ("agents" if command in OF_AGENTS else "study")
        right[command] = run(command, folder)
        assert right[command][0] == "0", right[command]
        assert set(right[command][2]) == set(OUTPUTS[command])
    return root, right


def verdict(command, found, right):
    """How a command's result is judged beside the right one."""
    end, printed, written = found
    if end != "0":
        return "a sentence" if end.endswith(".") and "\n" not in end else f"no sentence: {end!r}"
    if "rests on" in printed or "damaged" in printed or "runs done" in printed:
        return "told"
    return "right" if written == right[2] else "SILENT CHANGE"


@pytest.mark.slow
def test_damaged_folders_give_the_right_result_or_a_sentence(folders, tmp_path):
    root, right = folders
    counts = collections.Counter()
    wrong = []
    for seed in range(MUTATIONS):
        command = random.Random(seed).choice(list(OUTPUTS))
        folder = damage.copy(root / ("agents" if command in OF_AGENTS else "study"), tmp_path / "damaged")
        done = damage.damage(folder, seed)
        for name in OUTPUTS[command]:  # what a command wrote before does not count
            with contextlib.suppress(OSError):
                (folder / name).unlink()
        with alarm(SECONDS):
            try:
                judged = verdict(command, run(command, folder), right[command])
            except Exception as error:
                judged = f"TRACEBACK {type(error).__name__}: {str(error)[:100]}"
        counts[command, judged.partition(":")[0]] += 1
        if judged not in ("a sentence", "told", "right") and not ("change_a_value" in done and "SILENT" in judged):
            wrong.append(f"{command} after {done}: {judged}")
    for (command, judged), count in sorted(counts.items()):
        print(f"{command:8} {judged:14} {count}")
    assert not wrong, "\n".join(wrong)
