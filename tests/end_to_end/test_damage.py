"""Two thousand damaged folders: each command gives the right result, or a sentence; never anything else."""

import collections
import contextlib
import io
import re
import shutil
import signal
import warnings

import jaxtyping
import pytest

from helpers import damage, finished_studies
from helpers.agents import agent
from morphorl import cli
from morphorl.analysis import scores
from morphorl.config.errors import SettingError, StoreError
from morphorl.config.sealed import write_sealed_table
from morphorl.dynamics.guidance.blind import Blind
from morphorl.ppo.checkpoints import save_agents
from morphorl.ppo.settings import PPO, Settings

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
MUTATIONS = {
    "status": 500,
    "summary": 150,
    "compare": 300,
    "luck": 50,
    "figures": 50,
    "report": 50,
    "eval": 450,
    "export": 450,
}
"""2,000 in all; fewer of the commands that take seconds."""
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


@pytest.fixture(autouse=True)
def as_users_have_it():
    """Without the tests' checks of types, which would refuse wrong values before ours do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folders as commands find them: a crossed study in three shards, a published one without, and agents."""
    root = tmp_path_factory.mktemp("whole")
    arms = {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.3]}}}
    study = finished_studies.study(arms, seeds=3, environments=("CartPole-v1",), cell_seeds=3)
    store = finished_studies.finish(root / "study", study, parts=3)
    store.fail(study.runs()[:1], ValueError("a failure of before"))
    (root / "published").mkdir()
    shutil.copy(root / "study" / "study.json", root / "published")
    write_sealed_table(root / "published" / scores.FILE, scores.table(store.curves(study)))
    save_agents(agent(Settings(ppo=PPO(hidden=(4,)), guidance=Blind(strength=0.1))), root / "agents")
    return root


def kinds_of_folder(command):
    if command in ("eval", "export"):
        return ("agents",)
    return ("study", "published") if command in ("summary", "compare", "luck") else ("study",)


def judged(command, folder, right):
    """How the result of a command is judged beside the right one."""
    with alarm(SECONDS):
        try:
            end, printed, written = run(command, folder)
        except Exception as error:
            return f"TRACEBACK {type(error).__name__}: {str(error)[:150]}"
    if end != "0":
        return "a sentence" if end.endswith(".") and "\n" not in end else f"NO SENTENCE {end!r}"
    if written == right[2] and (command != "status" or printed == right[1]):
        return "the right result"
    said = re.search("rests on|is there|Damaged|(?<!18) of 18 runs", printed)
    return "said what is missing" if said else "SILENT CHANGE"


@pytest.mark.slow
@pytest.mark.parametrize("command", OUTPUTS)
def test_a_damaged_folder_gives_the_right_result_or_a_sentence(whole, tmp_path, command):
    folders = {kind: damage.copy(whole / kind, tmp_path / kind) for kind in kinds_of_folder(command)}
    right = {kind: run(command, folder) for kind, folder in folders.items()}
    assert all(end == "0" and set(written) == set(OUTPUTS[command]) for end, _, written in right.values())
    counts, wrong = collections.Counter(), []
    for seed in range(MUTATIONS[command]):
        kind = kinds_of_folder(command)[seed % len(folders)]
        folder = damage.copy(whole / kind, tmp_path / kind)
        done = damage.damage(folder, seed)
        found = judged(command, folder, right[kind])
        if re.search("remove failed|change_a_value failed", done) and found == "SILENT CHANGE":
            found = "the result without a note of a failure"  # which somebody may remove, as `morphorl clean` does
        if "change_a_value" in done and found == "SILENT CHANGE":
            found = "the result of another study"  # for that is what somebody made of it, and sealed
        counts[found] += 1
        if found.split()[0].isupper():
            wrong.append(f"{command} after {done}: {found}")
    print(f"\n{command}: {', '.join(f'{count} × {what}' for what, count in counts.most_common())}")
    assert not wrong, "\n".join(wrong)
