"""The same study on a Ray cluster: the same bits, also if a machine is lost on the way."""

import io
import os
import subprocess
import sys
import time

import pytest
from rich.console import Console

from helpers.small_studies import snapshot
from morphorl.config.errors import SettingError
from morphorl.studies import ray_engine
from morphorl.studies.runner import run
from morphorl.studies.store import Store
from morphorl.studies.study import Study

TOKEN = "a-token-that-only-this-test-knows-0123456789"
STUDY = Study(
    "tiny",
    ("CartPole-v1",),
    {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.1, 0.3]}}, "plain": {"blend": {"kind": "none"}}},
    seeds=96,
    steps=40_960,
    evaluate_every=0,
    settings={"ppo": {"hidden": [8], "epochs": 1}},
)


def quiet():
    return Console(file=io.StringIO(), width=200)


def names(folder):
    return sorted(path.name for path in (folder / "shards").glob("*.parquet"))


def both_are_busy(ray):
    """Whether every core becomes busy soon: a machine takes a moment to begin its next batch."""
    for _ in range(40):
        if ray.available_resources().get("CPU", 0) == 0:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def cluster(monkeypatch):
    """Two machines of two cores each, on this one; the second is the one to lose."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    pytest.importorskip("ray", reason="ray is an extra: uv run --extra ray pytest -m slow")
    from ray.cluster_utils import Cluster

    machine = {"num_cpus": len(os.sched_getaffinity(0)), "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=machine)
    cluster.second = cluster.add_node(num_cpus=machine["num_cpus"])
    yield cluster
    cluster.shutdown()


@pytest.mark.slow
@pytest.mark.optimised
def test_a_study_that_loses_a_machine_ends_with_the_bits_of_this_process(tmp_path, cluster):
    import ray

    run(STUDY, Store(tmp_path / "local"), quiet())
    lost = []

    def losing_one(batches, progress):
        for number, finished in enumerate(ray_engine.cluster(cluster.address)(batches, progress)):
            if number > 0 and not lost and both_are_busy(ray):
                cluster.remove_node(cluster.second, allow_graceful=False)
                lost.append(number)
            yield finished

    assert run(STUDY, Store(tmp_path / "ray"), quiet(), engine=losing_one) == 0
    assert lost  # both machines were training when one was lost
    assert len(names(tmp_path / "local")) == 12
    assert names(tmp_path / "ray") == names(tmp_path / "local")  # checksums of the results


@pytest.mark.slow
def test_a_cluster_lets_nobody_in_without_its_token(tmp_path, cluster):
    command = [sys.executable, "-m", "morphorl", "run", "blind_dynamics", "--engine", "ray"]
    stranger = os.environ | {"RAY_AUTH_TOKEN": "wrong-token-0123456789-wrong-token-0123456789"}
    ran = subprocess.run(
        [*command, "--address", cluster.address], cwd=tmp_path, env=stranger, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert f"address = '{cluster.address}': no cluster can be joined there" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert not list(tmp_path.rglob("shards/*"))


@pytest.mark.slow
def test_a_batch_that_fails_on_a_worker_is_noted_with_its_message(tmp_path, cluster, monkeypatch):
    def failing(batch, devices):
        raise MemoryError(f"no more for {len(batch.runs)} runs")

    monkeypatch.setattr(ray_engine, "train_batch", failing)
    screen = quiet()
    failed = run(STUDY, Store(tmp_path), screen, engine=ray_engine.cluster(cluster.address))
    assert failed == 384
    assert "MemoryError: no more for 32 runs" in screen.file.getvalue()


def test_without_ray_the_engine_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    before = snapshot(tmp_path)
    with pytest.raises(SettingError, match="engine = 'ray': needs the extra 'ray', which is not installed; get it"):
        ray_engine.cluster(None)
    assert snapshot(tmp_path) == before
