"""Run a study: train what is missing, batch by batch, and keep each batch as soon as it is done."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from morphorl.config import devices
from morphorl.config.consoles import TextConsole
from morphorl.config.errors import SettingError
from morphorl.ppo import kernels
from morphorl.ppo.settings import refuse_unimportable
from morphorl.studies import batch_training, memory_estimate, stages, time_estimate
from morphorl.studies.batch_training import Outcome
from morphorl.studies.batches import Batch, batches, programs
from morphorl.studies.lock import locked
from morphorl.studies.progress import Progress
from morphorl.studies.store import Store
from morphorl.studies.study import Study

Engine = Callable[[Iterable[Batch], Progress], Generator[tuple[Batch, Outcome]]]
"""Trains batches in any order, and gives each back with its outcome; what it does not give back, a later start does."""


def run_study(
    study: Study,
    folder: str | Path,
    *,
    resume: bool = True,
    with_agents: bool = False,
    engine: Literal["local", "ray"] = "local",
    address: str | None = None,
    progress: bool = True,
) -> int:
    """Train every run of a study that its folder does not hold yet.

    It may be stopped or killed at any moment: the same call goes on where it was. `load_results` reads what came out.
    Of the first seed of each arm on a CartPole the early, middle and final agents are kept for replays (`stages.py`).

    Args:
        folder: where everything is written; a new one, or one that holds the same study.
        resume: whether to keep the finished runs that the folder holds.
        with_agents: whether to keep the trained agents too, which are then all of one environment and one preset.
        engine: train on this machine, or on a Ray cluster.
        address: the cluster's address, such as 192.168.0.1:6379; without, a cluster is started here.
        progress: whether to show how the runs stand.

    Returns:
        The number of runs that failed, now or before, and are therefore missing.

    Raises:
        SettingError: if an arm's settings are not allowed, or take more memory than there is, or its dynamics cannot
            be imported by name, or its kernel cannot be used here; and in a process that was forked after JAX had
            started.
        StoreError: if the folder holds something else, is in use, or cannot be written.

    Example:
        >>> arms = {"plain PPO": {"blend": {"kind": "none"}}, "post": {"guidance": {"strength": 0.1}}}
        >>> run_study(Study("question", ("CartPole-v1",), arms, seeds=16), "runs/question")
    """
    if address is not None and engine != "ray":
        raise SettingError(f"address = {address!r}: must not be given without engine = 'ray'.")
    console = console_for(progress)
    return run(
        study, Store(Path(folder)), console, resume=resume, with_agents=with_agents, engine=_engine(engine, address)
    )


def console_for(progress: bool) -> Console:
    """A console that shows progress, or one that shows nothing."""
    return TextConsole() if progress else TextConsole(quiet=True, force_terminal=False)


def _engine(name: str, address: str | None) -> Engine:
    if name == "local":
        return batch_training.local
    from morphorl.studies import ray_engine  # an extra, which is not always there

    return ray_engine.cluster(address)


def run(
    study: Study,
    store: Store,
    console: Console,
    *,
    resume: bool = True,
    with_agents: bool = False,
    engine: Engine = batch_training.local,
    together: bool = False,
    replays: bool = True,
) -> int:
    """Train every run of a study that the store does not hold yet: `run_study`, its parts chosen one by one.

    Args:
        together: whether progress shows all arms in one row.
        replays: whether to keep the agents that the report shows in replays (`stages.py`).

    Returns:
        The number of runs that failed, now or before, and are therefore missing.

    Raises:
        SettingError: if an arm's settings are not allowed, or in a process that was forked after JAX had started;
            nothing is written then.
        StoreError: if the store's folder holds something else, is in use, or cannot be written.
        KeyboardInterrupt: on Ctrl-C; the batches finished before it are in the store.
    """
    runs = study.runs()
    for settings in {id(run.settings): run.settings for run in runs}.values():
        refuse_unimportable(settings)
    kernels.refuse_unavailable(study.kernel)
    sizes = devices.batch_sizes()
    memory_estimate.refuse_too_large(programs(runs), sizes[0])
    store.check(study, with_agents=with_agents)
    with locked(store.root):
        damaged = store.open(study, resume=resume, with_agents=with_agents)
        finished, failed = store.finished(), store.failed()
        staged = frozenset(run.id for run in stages.first_runs(study)) if replays else frozenset()
        pending = batches(runs, finished | failed, *sizes, staged)
        progress = Progress(console, runs, finished, store.root, together=together)
        for path in damaged:
            told = f": {path.name} is set aside in {path.parent}; its runs are done again."
            progress.say(Text.assemble(("Damaged", "yellow"), told))
        with progress, closing(engine(pending, progress)) as outcomes:
            for batch, outcome in outcomes:
                if isinstance(outcome, Exception):
                    store.fail(batch.runs, outcome)
                    progress.failed(batch.runs, outcome)
                else:
                    store.add(batch.runs, outcome, with_agents=with_agents)
                    progress.finished(batch.runs)
        time_estimate.remember(progress.speeds())
    missing = store.failed() & {run.id for run in runs}
    if missing:
        told = (
            f" and are missing; `morphorl status {store.root}` tells why, and after `morphorl clean {store.root} "
            "--failed` the same command tries them again."
        )
        progress.say(Text.assemble((f"{len(missing)} runs failed", "yellow"), told))
    return len(missing)
