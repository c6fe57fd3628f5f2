"""How large a study can be: planning 10,000 and a million runs, and the status of a folder of 10,000 finished ones.

    uv run python benchmarks/scale.py

Each is measured in a process of its own, start and imports included, and again without them.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PLAN = """
import resource, time
from morphorl.studies import study_file
from morphorl.studies.batches import batches, programs
started = time.perf_counter()
study = study_file.load("readings", {changes})
found = list(batches(study.iterate(), set(), 32, 2))
seconds = time.perf_counter() - started
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(f"  {{sum(len(b.runs) for b in found):,}} runs in {{len(found):,}} batches: {{seconds:.1f}} s, {{memory:.2f}} GB")
"""

FOLDER = """
import sys
from pathlib import Path
import numpy as np
from morphorl.config.devices import use_all_cores
use_all_cores()
from morphorl.studies import study_file
from morphorl.studies.batch_training import BatchResult
from morphorl.ppo.training import Curve
from morphorl.studies.store import Store
from morphorl.studies.batches import batches
study, store = study_file.load("readings", {changes}), Store(Path({folder!r}))
store.open(study, resume=True)
noise = np.random.default_rng(0)
for batch in batches(study.iterate(), set(), 32, 2):
    shape = (len(batch.runs), batch.runs[0].settings.updates)
    curve = Curve(noise.uniform(9, 500, shape).astype(np.float32), noise.integers(0, 9, shape, np.int32),
                  np.full(shape, np.nan, np.float32), np.zeros(shape, np.float32))
    store.add(batch.runs, BatchResult(curve, None, np.full(shape[0], -1), np.full(shape[0], 22.0)), with_agents=False)
"""


def main() -> None:
    """Measure and print."""
    run([sys.executable, "-m", "morphorl", "plan", "readings"], quiet=True)  # so that all modules are compiled
    for seeds in (11, 1034):
        changes = [f"seeds={seeds}"]
        started = time.perf_counter()
        run([sys.executable, "-m", "morphorl", "plan", "readings", "--set", changes[0]], quiet=True)
        print(f"morphorl plan readings --set {changes[0]}: {time.perf_counter() - started:.1f} s; without the start:")
        run([sys.executable, "-c", PLAN.format(changes=changes)])
    with tempfile.TemporaryDirectory() as folder:
        run([sys.executable, "-c", FOLDER.format(changes=["seeds=11"], folder=folder)])
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        print(f"a folder of 10,648 finished runs: {size / 1e6:.0f} MB; morphorl status, start included:")
        for _ in range(3):
            started = time.perf_counter()
            run([sys.executable, "-m", "morphorl", "status", folder], quiet=True)
            print(f"  {time.perf_counter() - started:.2f} s")


def run(command: list[str], *, quiet: bool = False) -> None:
    """Run a command to its end, or stop here; with Python's cache of compiled modules, as users have it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL if quiet else None, env=environment)


if __name__ == "__main__":
    main()
