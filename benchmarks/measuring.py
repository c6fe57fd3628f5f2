"""Measuring rates: one process (or several) per row, kept alive, and repeats of all rows in turn."""

import contextlib
import dataclasses
import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

WORKERS = Path(__file__).parent / "workers"


class WorkerError(RuntimeError):
    """A worker ended before its time."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the comparison: who does how much at once, and the command that does it."""

    name: str
    agents: int
    """Agents trained at once, over all processes."""
    worker: str
    """Name of the file in `workers/`."""
    arguments: tuple[object, ...]
    python: str
    """The interpreter of the environment that the worker needs."""
    processes: int = 1
    """How many such processes work side by side."""
    flop_per_step: float | None = None
    """Floating-point operations in matrix products, per environment step; None if not counted."""


@dataclasses.dataclass
class Measurement:
    """The repeats of one row, the same number for every row and taken in turn."""

    row: Row
    amounts: list[float] = dataclasses.field(default_factory=list)
    """What each repeat got done: environment steps (or floating-point operations, or 1 for a whole command)."""
    seconds: list[float] = dataclasses.field(default_factory=list)
    processor_seconds: list[float] = dataclasses.field(default_factory=list)
    """Processor time of each repeat, summed over the row's threads and processes."""
    peak_bytes: float = 0
    """Largest resident memory, summed over the row's processes."""

    @property
    def rates(self) -> list[float]:
        """Amount per second of each repeat."""
        return [amount / seconds for amount, seconds in zip(self.amounts, self.seconds, strict=True)]


class Worker:
    """The running processes of one row; starting them includes one repeat to compile and to warm up."""

    def __init__(self, row: Row, logs: Path, environment: dict[str, str], stack: contextlib.ExitStack) -> None:
        self.log = logs / f"{row.name} {row.agents}.log".replace(" ", "_")
        command = [row.python, str(WORKERS / f"{row.worker}.py"), *map(str, row.arguments)]
        log = stack.enter_context(self.log.open("w"))
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log, "text": True}
        self.processes = [
            stack.enter_context(subprocess.Popen(command, env=environment, **pipes)) for _ in range(row.processes)
        ]
        for process in self.processes:
            self._answer(process)

    def repeat(self, measurement: Measurement) -> None:
        """Let all processes do one repeat at the same time, and add what they say; the slowest one's time counts."""
        for process in self.processes:
            print(file=process.stdin, flush=True)
        answers = [self._answer(process) for process in self.processes]
        measurement.amounts.append(sum(answer["amount"] for answer in answers))
        measurement.seconds.append(max(answer["seconds"] for answer in answers))
        measurement.processor_seconds.append(sum(answer["processor_seconds"] for answer in answers))
        measurement.peak_bytes = sum(answer["peak_bytes"] for answer in answers)

    def _answer(self, process: subprocess.Popen) -> dict[str, float]:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise WorkerError(f"{self.log} ends with:\n{self.log.read_text()[-2000:]}")
        return json.loads(line)


def measure(rows: list[Row], repeats: int, logs: Path, say: Callable[[str], None]) -> list[Measurement]:
    """Start every row's processes, then go round the rows `repeats` times.

    In turn, because a machine's speed drifts: rows that are compared share each round. Every process stays alive, so
    that none is measured while compiling, and has a cache of compiled programs of its own, empty at first, so that
    memory does not depend on what ran before.

    Args:
        logs: the folder for what the workers print.
        say: told what is being done.

    Raises:
        WorkerError: if a worker fails.
    """
    logs.mkdir(parents=True, exist_ok=True)
    measurements = [Measurement(row) for row in rows]
    with contextlib.ExitStack() as stack:
        caches = stack.enter_context(tempfile.TemporaryDirectory())
        workers = []
        for index, row in enumerate(rows):
            say(f"starting {row.name} ({row.agents})")
            environment = os.environ | {"MORPHORL_CACHE": f"{caches}/{index}"}
            workers.append(Worker(row, logs, environment, stack))
        for index in range(repeats):
            say(f"round {index + 1} of {repeats}")
            for worker, measurement in zip(workers, measurements, strict=True):
                worker.repeat(measurement)
    return measurements


def install(name: str, python: str, packages: tuple[str, ...], folder: Path) -> str:
    """A virtual environment with these packages, made or completed as needed; returns its interpreter.

    pip, not uv, installs: it takes a CPU build of PyTorch where one is set up for it, uv always the index's default one
    of several gigabytes.
    """
    target = folder / name
    interpreter = str(target / "bin" / "python")
    create = ["uv", "venv", "--quiet", "--allow-existing", "--seed", "--python", python, str(target)]
    subprocess.run(create, check=True)
    subprocess.run([interpreter, "-m", "pip", "install", "--quiet", *packages], check=True, capture_output=True)
    return interpreter
