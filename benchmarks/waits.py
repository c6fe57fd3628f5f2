"""How long people wait: until the first numbers of a training and of `reproduce`, and for the plan of a large study.

Usage: uv run benchmarks/waits.py [--repeats 3]     # on an idle machine

Three starts: the very first, when Python compiles every module and XLA every program; the first of a new version, when
bytecode is there and no program; and any later one.
"""

import dataclasses
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tyro
from rich.console import Console
from rich.table import Table

NUMBERS = re.compile(r"latest return.* \d|runs +$")
"""A line that shows a return, or the end of a plan."""
COMMANDS = {
    "train, 16 seeds": ["train", "--env", "CartPole-v1", "--seeds", "16", "--steps", "5000", "--out", "out"],
    "reproduce": ["reproduce", "--out", "out"],
    "plan readings": ["plan", "readings"],
}
STARTS = {"the very first": (False, False), "bytecode, no program": (True, False), "later": (True, True)}
"""Whether bytecode and compiled programs are kept from the start before."""


@dataclasses.dataclass
class Options:
    """Median seconds until the first numbers stand on the screen."""

    repeats: int = 3


def seconds(command: list[str], folder: Path, bytecode: bool, programs: bool) -> float:
    """From the start of a process to its first line with numbers, with what is kept in a folder."""
    for kept, name in ((bytecode, "bytecode"), (programs, "cache"), (False, "out")):
        if not kept:
            shutil.rmtree(folder / name, ignore_errors=True)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "MORPHORL_CACHE": str(folder / "cache")}
    began = time.perf_counter()
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen([sys.executable, "-m", "morphorl", *command], env=env, cwd=folder, **pipes) as process:
        assert process.stdout is not None
        shown = next((line for line in process.stdout if NUMBERS.search(line)), None)
        took = time.perf_counter() - began
        process.kill()
    if shown is None:
        raise RuntimeError(f"morphorl {' '.join(command)} showed no number.")
    return took


def main(options: Options) -> None:
    """Measure and print."""
    table = Table("seconds", *STARTS)
    with tempfile.TemporaryDirectory() as folder:
        for name, command in COMMANDS.items():
            medians = []
            for kept in STARTS.values():
                seconds(command, Path(folder), *kept)  # leaves what is kept for the next
                times = [seconds(command, Path(folder), *kept) for _ in range(options.repeats)]
                medians.append(f"{statistics.median(times):.1f} ({min(times):.1f} to {max(times):.1f})")
            table.add_row(name, *medians)
    Console().print(table)


if __name__ == "__main__":
    main(tyro.cli(Options))
