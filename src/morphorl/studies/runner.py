"""Run a study: train what is missing, batch by batch, and keep each batch as soon as it is done."""

from collections.abc import Callable, Generator, Iterable
from contextlib import closing

from rich.console import Console

from morphorl.studies import batch_training, time_estimate
from morphorl.studies.batch_training import Outcome
from morphorl.studies.lock import locked
from morphorl.studies.progress import Progress
from morphorl.studies.store import Store
from morphorl.studies.study import Batch, Study, batches

Engine = Callable[[Iterable[Batch], Progress], Generator[tuple[Batch, Outcome]]]
"""Trains batches in any order, and gives each back with its outcome; what it does not give back, a later start does."""


def run(
    study: Study,
    store: Store,
    console: Console,
    *,
    resume: bool = True,
    with_agents: bool = False,
    engine: Engine = batch_training.local,
    together: bool = False,
) -> int:
    """Train every run of the study that the store does not hold yet.

    Args:
        together: whether progress shows all arms in one row.

    Returns:
        The number of runs that failed, now or before, and are therefore missing.

    Raises:
        SettingError: if an arm's settings are not allowed; nothing is written then.
        StoreError: if the store's folder holds something else, is in use, or cannot be written.
        KeyboardInterrupt: on Ctrl-C; the batches finished before it are in the store.
    """
    runs = study.runs()
    store.check(study, with_agents=with_agents)
    with locked(store.root):
        for path in store.open(study, resume=resume, with_agents=with_agents):
            told = f"[yellow]Damaged[/yellow]: {path.name} is set aside in {path.parent}; its runs are done again."
            console.print(told, soft_wrap=True, highlight=False)
        finished, failed = store.finished(), store.failed()
        pending = batches(runs, finished | failed, *batch_training.batch_sizes())
        progress = Progress(console, runs, finished, store.root, together=together)
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
        console.print(
            f"[yellow]{len(missing)} runs failed[/yellow] and are missing; `morphorl status {store.root}` tells why, "
            f"and after `morphorl clean {store.root} --failed` the same command tries them again.",
            soft_wrap=True,
            highlight=False,
        )
    return len(missing)
