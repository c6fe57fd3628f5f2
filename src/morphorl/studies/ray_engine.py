"""Training batches on a Ray cluster: the driver sends batches, gets results back, and alone writes.

A batch is an idempotent task: whoever trains it, and however often, the result is the same. Ray runs the tasks of
machines that are lost elsewhere; the store decides what is still missing.
"""

import functools
import importlib
import logging
import os
import warnings
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import jax

from morphorl.config import trust
from morphorl.config.errors import SettingError
from morphorl.config.extras import MissingExtraError, missing
from morphorl.environments.base import module_of
from morphorl.studies.batches import Batch
from morphorl.studies.progress import Progress

RETRIES = 10
"""How often a batch is tried again when the machine or process that trained it is lost."""
WAIT_SECONDS = 1.0


def cluster(address: str | None):
    """An engine (see `runner.Engine`) on the Ray cluster at an address such as `192.168.0.1:6379`, or one of its own.

    Raises:
        SettingError: if Ray is not installed, or the cluster cannot be reached or used.
    """
    return partial(_train_all, _import_ray(), address)


def _train_all(ray: Any, address: str | None, batches: Iterable[Batch], progress: Progress) -> Generator:
    devices = len(jax.devices())
    _join(ray, address)
    try:
        _refuse_small_machines(ray, devices)
        task = ray.remote(num_cpus=devices, max_retries=RETRIES)(train_batch)
        waiting, running = iter(batches), {}
        while True:
            free = 1 + _places(ray, devices) - len(running)  # one in reserve; fewer than none when a machine is lost
            for batch in islice(waiting, max(free, 0)):
                running[task.remote(batch, devices)] = batch
                progress.started(batch.runs)
            if not running:
                return
            for done in ray.wait(list(running), num_returns=1, timeout=WAIT_SECONDS)[0]:
                batch, outcome = running.pop(done), _outcome(ray, done)
                if not isinstance(outcome, Exception):
                    returns = outcome.curve.episode_return
                    progress.advanced(batch.runs, returns.shape[1], returns[:, -1])
                yield batch, outcome
    finally:
        ray.shutdown()


def train_batch(batch: Batch, devices: int):
    """What a worker does: train a batch with so many host devices, as many as the driver has.

    The number of devices is part of what decides a result's bits.
    """
    _set_up(devices)
    from morphorl.studies import batch_training  # which must not be imported before JAX is set up

    if (module := module_of(batch.runs[0].settings.environment)) is not None:  # which the driver has trusted
        trust.trust(module)
    return batch_training.train_batch(batch.runs, batch.size, mixed=batch.mixed, staged=batch.staged)


@functools.cache  # JAX can be set up only once in a process
def _set_up(devices: int) -> None:
    from morphorl.config.devices import use_all_cores

    use_all_cores()
    jax.config.update("jax_num_cpu_devices", devices)


def _outcome(ray: Any, done: Any):
    try:
        return ray.get(done)
    except ray.exceptions.RayTaskError as error:
        return error.cause if isinstance(error.cause, Exception) else error
    except ray.exceptions.RayError as error:
        return error


def _import_ray() -> Any:
    # Whoever reaches a cluster's port may run any code in it: a token is asked for, unless the user says otherwise.
    # Ray reads this when it is imported.
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    try:
        ray = importlib.import_module("ray")
        importlib.import_module("ray.exceptions")
    except ImportError as error:
        raise MissingExtraError(missing("ray", "engine = 'ray'")) from error
    return ray


def _join(ray: Any, address: str | None) -> None:
    quiet: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
    try:
        # JAX warns of forks, for a child would inherit its threads; Ray's are replaced by other programs at once.
        warnings.filterwarnings("ignore", "os.fork", RuntimeWarning)
        if address is None:
            ray.init(address="local", include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise SettingError(
            f"address = {address!r}: no cluster can be joined there ({said[0]}). docs/scale.md says how to start one."
        ) from error


def _nodes(ray: Any) -> Iterator[int]:
    """The CPU cores of each machine that is there."""
    return (int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"])


def _places(ray: Any, devices: int) -> int:
    return sum(cores // devices for cores in _nodes(ray))


def _refuse_small_machines(ray: Any, devices: int) -> None:
    if not _places(ray, devices):
        raise SettingError(
            f"engine = 'ray': a batch takes {devices} cores, as many as this machine has, and the largest machine of "
            f"the cluster has {max(_nodes(ray), default=0)}; start the study on a machine with fewer cores."
        )
