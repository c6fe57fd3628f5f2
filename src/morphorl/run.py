"""Run a study: train what is missing, batch by batch, and keep each batch as soon as it is done."""

from functools import partial

from rich.console import Console

from morphorl import engines
from morphorl.progress import Progress
from morphorl.store import Store
from morphorl.study import Study, batches


def run(study: Study, store: Store, console: Console, *, resume: bool = True, with_agents: bool = False) -> None:
    """Train every run of the study that the store does not hold yet.

    Raises:
        StoreError: if the store's folder holds something else.
        KeyboardInterrupt: on Ctrl-C; the batches finished before it are in the store.
    """
    store.open(study, resume=resume)
    runs, finished = study.runs(), store.finished()
    with Progress(console, runs, finished) as progress:
        for batch, size in batches(runs, finished, *engines.batch_sizes()):
            result = engines.train_batch(
                batch,
                size,
                partial(progress.compiling, batch[0]),
                partial(progress.advanced, batch),
            )
            store.add(batch, result, with_agents=with_agents)
            progress.finished(batch)
