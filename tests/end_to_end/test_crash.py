"""Killed without a word at random moments, a study still ends with every run once, and each with the same bits."""

import os
import random
import subprocess
import sys
import time

import polars as pl
import pytest

STUDY = """
name = "tiny"
environments = ["CartPole-v1"]
seeds = 640
steps = 12_288
evaluate_every = 0
settings.ppo.hidden = [8]
settings.ppo.epochs = 1

[arms."γ = {guidance.strength}"]
guidance.strength = [0.0, 0.05, 0.1, 0.3]
"""
KILLS = 20


def start(folder, study):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "morphorl", "run", str(study), "--out", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def shards(folder):
    return sorted(path.name for path in folder.glob("shards/*.parquet"))


def kill_at_random(folder, study, chance, first_shard):
    """Start, and kill at a random moment: as often on the way to the first result as soon after it."""
    before, process = len(shards(folder)), start(folder, study)
    if chance.random() < 0.5:
        time.sleep(chance.uniform(0, first_shard))
    else:
        while len(shards(folder)) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.5))
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


@pytest.mark.slow
def test_a_study_killed_twenty_times_holds_every_run_once_with_the_bits_of_an_undisturbed_one(tmp_path):
    study, undisturbed, killed = tmp_path / "tiny.toml", tmp_path / "undisturbed", tmp_path / "killed"
    study.write_text(STUDY)
    assert start(undisturbed, study).wait() == 0  # which also fills the cache of compiled programs
    whole = shards(undisturbed)
    assert len(whole) == 2560 / 32

    began, process = time.monotonic(), start(tmp_path / "timed", study)
    while not shards(tmp_path / "timed"):
        time.sleep(0.02)
    first_shard = time.monotonic() - began
    process.kill()
    process.communicate()

    chance, progress = random.Random(0), []
    while len(progress) < KILLS:
        assert kill_at_random(killed, study, chance, first_shard), "the study ended before it was killed often enough"
        progress.append(len(shards(killed)))
    assert 0 < progress[-1] < len(whole)
    assert len(set(progress)) > 3  # several of the lives got something done
    last = start(killed, study)
    said, _ = last.communicate()
    assert last.returncode == 0, said

    assert shards(killed) == whole  # a shard's name is its content's checksum
    assert not list(killed.glob("shards/.*"))
    one, other = (pl.read_parquet(folder / "curves.parquet") for folder in (undisturbed, killed))
    assert one.equals(other)
    assert one.group_by("arm", "seed").len()["len"].unique().to_list() == [12_288 // 512]
    assert one.select("arm", "seed").n_unique() == 2560
