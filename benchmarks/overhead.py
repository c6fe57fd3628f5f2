"""What driver, store and progress cost beside the training itself, over one `morphorl reproduce`.

    uv run python benchmarks/overhead.py            # 32 seeds, 100,000 steps: three minutes on two cores
    uv run python benchmarks/overhead.py 8 20000    # smaller

Wall time from the study file to the last shard, less the time inside the compiled programs (compiling them included).
The start of Python and the figures are not part of it: they do not grow with the study's training.
"""

import io
import sys
import tempfile
import time
from functools import partialmethod
from pathlib import Path

from morphorl.config.devices import use_all_cores

use_all_cores()

from rich.console import Console  # noqa: E402

from morphorl.studies import batch_training, study_file  # noqa: E402
from morphorl.studies.progress import Progress  # noqa: E402
from morphorl.studies.runner import run  # noqa: E402
from morphorl.studies.store import Store  # noqa: E402


class Stopwatch:
    """The seconds spent in a function, over all its calls."""

    def __init__(self, function) -> None:
        self.function = function
        self.seconds = 0.0

    def __call__(self, *arguments, **options):
        started = time.perf_counter()
        try:
            return self.function(*arguments, **options)
        finally:
            self.seconds += time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    seeds, steps = (int(argument) for argument in (sys.argv[1:] or ("32", "100000")))
    training, shown, stored = Stopwatch(batch_training.train_batch), Stopwatch(Progress.advanced), Stopwatch(Store.add)
    for owner, name, watch in (
        (batch_training, "train_batch", training),
        (Progress, "advanced", shown),
        (Store, "add", stored),
    ):
        setattr(owner, name, partialmethod(watch) if isinstance(owner, type) else watch)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        study = study_file.load("blind_dynamics", [f"seeds={seeds}", f"steps={steps}"])
        run(study, Store(Path(folder)), Console(file=io.StringIO()))
        wall = time.perf_counter() - started
    beside = wall - training.seconds + shown.seconds  # progress is shown from inside the training
    print(f"wall {wall:.1f} s, of which beside the training {beside:.2f} s = {beside / wall:.2%}")
    rest = beside - stored.seconds - shown.seconds
    print(f"  store {stored.seconds:.2f} s, progress {shown.seconds:.2f} s, the rest {rest:.2f} s")


if __name__ == "__main__":
    main()
