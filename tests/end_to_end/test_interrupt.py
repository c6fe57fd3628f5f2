import re
import signal
import subprocess
import sys
import time

import polars as pl

from helpers.processes import QUICKLY_COMPILED


def reproduce(out):
    command = [sys.executable, "-m", "morphorl", "reproduce", "--preset", "standard", "--seeds", "8"]
    command += ["--steps", "8000", "--out", str(out)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=QUICKLY_COMPILED)


DROPPED = """
import gc, signal, time
from morphorl import cli

def collected(phase, info):
    gc.callbacks.remove(collected)
    signal.raise_signal(signal.SIGINT)

def command():
    gc.callbacks.append(collected)
    gc.collect()
    time.sleep(60)

cli.parse = lambda arguments: command
cli.main()
"""


def test_ctrl_c_that_python_drops_in_a_callback_arrives_all_the_same():
    stopped = subprocess.run([sys.executable, "-c", DROPPED, "train"], capture_output=True, text=True)
    assert stopped.returncode == 130, stopped.stderr
    assert not stopped.stderr


SWALLOWED = """
import signal, sys
from morphorl import cli
from morphorl.studies import batch_training

def command():
    try:
        signal.raise_signal(signal.SIGINT)
    except:
        pass
    next(batch_training.local([None], None))

cli.parse = lambda arguments: command
cli.main()
"""


def test_ctrl_c_that_a_library_catches_ends_the_training_before_the_next_batch():
    stopped = subprocess.run([sys.executable, "-c", SWALLOWED, "train"], capture_output=True, text=True)
    assert stopped.returncode == 130, stopped.stderr


def test_ctrl_c_keeps_finished_batches_and_the_same_command_goes_on(tmp_path):
    stopped = reproduce(tmp_path)
    while not list(tmp_path.glob("shards/*.parquet")):
        assert stopped.poll() is None
        time.sleep(0.05)
    stopped.send_signal(signal.SIGINT)
    said, _ = stopped.communicate()
    assert stopped.returncode == 130, said
    assert f"morphorl reproduce --preset standard --seeds 8 --steps 8000 --out {tmp_path}" in said
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("shards/*.parquet")}
    assert kept
    assert not (tmp_path / "curves.parquet").exists()

    resumed = reproduce(tmp_path)
    said, _ = resumed.communicate()
    assert resumed.returncode == 0
    assert re.search(r"\d+/128 runs", said)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    curves = pl.read_parquet(tmp_path / "curves.parquet")
    updates = curves.group_by("environment", "arm", "seed").len()
    assert updates.height == 2 * 8 * 8
    assert updates["len"].unique().to_list() == [8000 // 512]
    assert (tmp_path / "figures" / "stateless_cartpole.svg").exists()
