"""What a batch costs the driving process, the network and the disk: the measured parts of `simulate.py`."""

import logging
import os
import pickle
import secrets
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import report
from morphorl.config import files
from morphorl.config.devices import use_all_cores_if_free
from morphorl.environments import registry
from morphorl.ppo import training
from morphorl.studies import memory_estimate, shards
from morphorl.studies.batch_training import BatchResult
from morphorl.studies.batches import Batch, batches, programs, stacked
from morphorl.studies.store import Store, tabulate
from morphorl.studies.study import Study

RUNS = (32, 1024)
"""Sizes of the batches measured: that of two cores, and that of 64."""
PENDING, MACHINES = 1000, 4
"""Batches under way when Ray is asked for one that is done, and machines of the largest cluster made here."""


def study(seeds: int) -> Study:
    """The post's system on CartPole-v1, 98 updates of 8 × 128 steps, evaluation off: one program."""
    arms = {"post": {"guidance": {"strength": 0.1}}}
    return Study("simulated", ("CartPole-v1",), arms, seeds=seeds, settings={"ppo": {"num_envs": 8}}, evaluate_every=0)


def measure() -> dict[str, Any]:
    """Seconds of the driver and of the disk, and bytes, by the size of a batch; and what Ray's calls take."""
    use_all_cores_if_free()
    return {"machine": report.machine(), "batches": [_of_batch(runs) for runs in RUNS], "ray": _of_ray()}


def _of_batch(runs: int) -> dict[str, float]:
    """One batch of so many runs, through the driver's own functions; medians."""
    question = study(runs)
    batch, result = next(batches(question.iterate(), set(), runs, 2)), _result(question)
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # a disk: flushes to a folder in memory cost nothing
        store = Store(Path(folder))
        store.open(question, resume=True)
        computing, flushing = _adding(store, batch, result)
        written = list((Path(folder) / "shards").glob("*.parquet"))
        reading = _seconds(lambda: shards.read_all(Path(folder)))[0] / len(written)
        size = statistics.median(path.stat().st_size for path in written)
    table, sent = tabulate(batch.runs, result), pickle.dumps(result, protocol=5)
    return {
        "runs": runs,
        "batch_bytes": len(pickle.dumps(batch)),
        "result_bytes": len(sent),
        "shard_bytes": size,
        "row_bytes": table.estimated_size() / len(table),
        "program_bytes": memory_estimate.of_program(programs(batch.runs)[0], runs),
        "send_seconds": _seconds(lambda: pickle.dumps(batch))[0],
        "receive_seconds": _seconds(lambda: pickle.loads(sent))[0],
        "store_seconds": computing,
        "flush_seconds": flushing,
        "status_seconds": reading,
    }


def _result(question: Study) -> BatchResult:
    """A result with the shapes of a real one, and noise in it, which does not compress as zeros do."""
    runs, noise = question.runs(), np.random.default_rng(0)
    env = registry.make_env(runs[0].settings.environment)

    def init(settings, seed, cell_seed):
        return training.init(settings, env, seed, cell_seed)

    agents = jax.eval_shape(jax.vmap(init), *stacked(runs, frozenset())).agent
    shape = (len(runs), runs[0].settings.updates)
    curve = training.Curve(
        jnp.asarray(noise.uniform(9, 500, shape), jnp.float32),
        jnp.asarray(noise.integers(0, 9, shape)),
        jnp.full(shape, jnp.nan),
        jnp.zeros(shape),
    )
    kept = jax.tree.map(lambda u: noise.bytes(u.size * u.dtype.itemsize), agents)  # as large, and as little alike
    curve = jax.tree.map(np.asarray, curve)  # as workers send it
    return BatchResult(curve, kept, np.full(len(runs), -1), np.full(len(runs), 22.0))


def _adding(store: Store, batch: Batch, result: BatchResult) -> tuple[float, float]:
    """Seconds of the processor to write a shard, and of the clock for its two flushes."""
    flush, flushing = files._flush, []  # no public function stops between the two

    def timed(path: Path) -> None:
        flushing.append(_seconds(lambda: flush(path), repeats=1)[1])

    def add() -> None:
        result.untrained_return[0] += 1  # another content, another file
        store.add(batch.runs, result, with_agents=False)

    files._flush = timed
    try:
        computing, _ = _seconds(add)
    finally:
        files._flush = flush
    return computing, 2 * statistics.median(flushing)


def _of_ray() -> dict[str, float]:
    """What Ray's calls take of the driver's processor beside what pickle takes, on clusters of one to four machines."""
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}  # before Ray is imported
    import ray  # pyright: ignore[reportMissingImports]
    from ray.cluster_utils import Cluster  # pyright: ignore[reportMissingImports]

    warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=cluster.address, logging_level=logging.ERROR, log_to_driver=False)
    try:
        nodes = [_asking(ray, cluster, machines) for machines in range(1, 1 + MACHINES)]
        task, started = ray.remote(num_cpus=1)(lambda: time.sleep(3600.0)), time.process_time()
        pending = [task.remote() for _ in range(PENDING)]
        submit = (time.process_time() - started) / PENDING
        done = ray.put(np.zeros(1))
        alone = _seconds(lambda: ray.wait([done], num_returns=1))[0]
        among = _seconds(lambda: ray.wait([*pending, done], num_returns=1))[0]
    finally:
        ray.shutdown()
        cluster.shutdown()
    each, base = np.polyfit(range(1, 1 + MACHINES), nodes, 1)
    return {
        "submit_seconds": submit,
        "wait_seconds": alone,
        "wait_seconds_per_pending": max(0.0, among - alone) / PENDING,
        "nodes_seconds": max(0.0, float(base)),
        "nodes_seconds_per_machine": max(0.0, float(each)),
    }


def _asking(ray: Any, cluster: Any, machines: int) -> float:
    """Least seconds to list a cluster's machines, after making it so large: the engine lists them for every batch.

    The least, since Ray's other threads count too.
    """
    if len(ray.nodes()) < machines:
        cluster.add_node(num_cpus=1)
    return _seconds(ray.nodes, repeats=300, middle=min)[0]


def _seconds(
    function: Callable[[], object], repeats: int = 10, middle: Callable[[Sequence[float]], float] = statistics.median
) -> tuple[float, float]:
    """Seconds of this process's processor time, and of the clock."""
    spent = []
    for _ in range(repeats):
        processor, clock = time.process_time(), time.perf_counter()
        function()
        spent.append((time.process_time() - processor, time.perf_counter() - clock))
    processors, clocks = zip(*spent, strict=True)
    return middle(processors), middle(clocks)
