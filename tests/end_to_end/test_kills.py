"""Commands that write results, killed without a word at random moments: what is there is whole, and they go on.

`test_crash.py` does the same to `run`, and `tests/evolution` to `evolve`.
"""

import random
import re
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from helpers import finished_studies
from helpers.agents import agent
from helpers.processes import QUICKLY_COMPILED
from morphorl.dynamics.guidance.blind import Blind
from morphorl.ppo.checkpoints import save_agents
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies.shards import read_all

KILLS = 8
COMMANDS = {
    "compare": ["compare", "FOLDER"],
    "figures": ["figures", "FOLDER"],
    "report": ["report", "FOLDER", "--no-replay"],
    "export": ["export", "FOLDER", "--episodes", "1"],
    "pde": ["pde", "--sweep", "--time", "1", "--size", "16", "--out", "FOLDER/pde"],
}


def start(command, folder):
    words = [word.replace("FOLDER", str(folder)) for word in COMMANDS[command]]
    line = [sys.executable, "-m", "morphorl", *words]
    return subprocess.Popen(line, env=QUICKLY_COMPILED, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def contents(folder):
    """What each file holds that is not the leftover of a writer: those are hidden."""
    return {
        str(path.relative_to(folder)): _content(path)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def _content(path):
    if path.suffix != ".npz":
        return path.read_bytes()
    with np.load(path, allow_pickle=False) as arrays:  # whose archive tells the time
        return {name: arrays[name].tolist() for name in arrays}


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Folders as the commands find them."""
    root = tmp_path_factory.mktemp("begun")
    arms = {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.3]}}}
    finished_studies.finish(root / "study", finished_studies.study(arms, environments=("CartPole-v1",)))
    save_agents(agent(Settings(ppo=PPO(hidden=(4,)), guidance=Blind(strength=0.1))), root / "agents")
    (root / "nothing").mkdir()
    return root


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_killed_eight_times_leaves_whole_files_and_goes_on(begun, tmp_path, command):
    of = {"export": "agents", "pde": "nothing"}.get(command, "study")
    undisturbed, killed = (shutil.copytree(begun / of, tmp_path / name) for name in ("undisturbed", "killed"))
    before = contents(killed)
    assert start(command, shutil.copytree(begun / of, tmp_path / "first")).wait() == 0  # which fills the cache
    began = time.monotonic()
    assert start(command, undisturbed).wait() == 0
    seconds = time.monotonic() - began
    right = contents(undisturbed)
    assert set(right) > set(before)

    chance, kills = random.Random(0), 0
    while kills < KILLS:
        process = start(command, killed)
        time.sleep(seconds * (1 - chance.random() ** 2 / 2))  # more often late, when files are written
        alive = process.poll() is None
        kills, seconds = kills + alive, seconds if alive else 0.9 * seconds  # the machine has less to do than before
        process.kill()
        process.communicate()
        for name, content in contents(killed).items():
            assert content == right[name], name
    last = start(command, killed)
    said, _ = last.communicate()
    assert last.returncode == 0, said
    assert contents(killed) == right


WRITERS = """
name = "tiny"
environments = ["CartPole-v1"]
seeds = 2
steps = 2_048
evaluate_every = 0
settings.ppo = {hidden = [8], epochs = 1}
[arms."γ = {guidance.strength}"]
guidance.strength = [0.0, 0.3]
"""


@pytest.mark.slow
def test_of_two_writers_started_at_once_one_works_and_the_other_says_who_holds_the_folder(tmp_path):
    study = tmp_path / "tiny.toml"
    study.write_text(WRITERS)
    chance, refused = random.Random(0), 0
    for i in range(20):
        folder = tmp_path / f"out{i}"
        line = [sys.executable, "-m", "morphorl", "run", str(study), "--out", str(folder)]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        one = subprocess.Popen(line, env=QUICKLY_COMPILED, **pipes)
        time.sleep(chance.uniform(0, 0.05))
        other = subprocess.Popen(line, env=QUICKLY_COMPILED, **pipes)
        said = {process.pid: process.communicate()[0] for process in (one, other)}
        ends = {process.pid: process.returncode for process in (one, other)}
        assert 0 in ends.values(), said
        for pid in (pid for pid, end in ends.items() if end != 0):
            winner = next(other for other in ends if other != pid)
            assert ends[pid] == 2
            assert re.search(f"process {winner} on .* is writing there", said[pid]), said[pid]
            refused += 1
        good, damaged = read_all(folder)
        runs = [run for shard in good for run in shard.runs]
        assert not damaged
        assert len(runs) == len(set(runs)) == 4
    assert refused >= 10
