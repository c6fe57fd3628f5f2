"""`morphorl doctor`."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import jax
import numpy as np
from rich.table import Table
from rich.text import Text

import morphorl
from morphorl.commands.shared import console
from morphorl.config.devices import cache_folder
from morphorl.config.extras import EXTRAS
from morphorl.ppo import kernels

if TYPE_CHECKING:
    from morphorl.ppo.training import TrainState

PACKAGES = ("jax", "jaxlib", "equinox", "optax", "gymnax", "gymnasium", "numpy", "polars", "tyro")


@dataclasses.dataclass
class Doctor:
    """Say what a bug report needs: versions, devices, cache, extras; and train a few agents to see that it works, and
    that the numbers are right."""

    def __call__(self) -> None:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, value in facts().items():
            table.add_row(name, value)
        console.print(table)
        for test in self_tests():
            colour = "green" if test.passed else "red"
            console.print(Text.assemble((test.name, colour), f": {test.sentence}"), soft_wrap=True)
            if not test.passed:
                sys.exit(1)


class Test(NamedTuple):
    """One of the doctor's tests, and what it found."""

    name: str
    passed: bool
    sentence: str


def facts() -> dict[str, str]:
    """What a bug report needs to know of this installation, in words."""
    installed = [name for name, module in EXTRAS.items() if importlib.util.find_spec(module)]
    return {
        "morphorl": morphorl.__version__,
        "Python": f"{platform.python_version()} on {platform.platform()}",
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        "extras": ", ".join(installed) or "none",
        "devices": _devices(),
        "kernel": _kernel(),
        "cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}",
        "cache": _cache(cache_folder()),
    }


def self_tests() -> Iterator[Test]:
    """Train a few agents that differ in their seeds, and then see whether their numbers are right."""
    started = time.perf_counter()
    try:
        from morphorl.studies import number_check  # imports gymnax, which fails where JAX has no device

        made = number_check.updates()
        problem = _problem(made[-1].after)
        seconds = time.perf_counter() - started
        yield Test("self-test", problem is None, problem or f"agents trained as they should, in {seconds:.1f} s")
        right, sentence = number_check.check(made)
        yield Test("numbers", right, sentence)
        if kernels.unavailable() is None:
            yield Test("fused kernel", *number_check.check_fused(made))
    except Exception as error:  # whatever it is, it is what the report should say
        yield Test("self-test", False, _first_line(error))


def _problem(state: "TrainState") -> str | None:
    """What is wrong with agents that have been trained, if anything."""
    weights = np.asarray(state.agent.actor.weights[0])
    if (np.asarray(state.diverged_at) >= 0).any() or not np.isfinite(weights).all():
        return "training gave numbers that are not finite."
    if np.array_equal(weights[0], weights[1]):
        return "two seeds gave the same agent."
    return None


def _devices() -> str:
    try:
        devices = jax.devices()
    except RuntimeError as error:
        return f"none ({_first_line(error)})"
    return f"{len(devices)} of kind {devices[0].device_kind} ({devices[0].platform})"


def _kernel() -> str:
    try:
        reason = kernels.unavailable()
    except RuntimeError:  # no device at all, which is said beside it
        return "none"
    if reason:
        return f"xla; 'fused' cannot be used here: {reason}"
    return "fused for long studies, xla for all else"


def _first_line(error: Exception) -> str:
    """What went wrong, in a line."""
    return ": ".join([type(error).__name__, *str(error).splitlines()[:1]])


def _cache(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} (empty)"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    writable = "" if os.access(folder, os.W_OK) else ", not writable: every start compiles anew"
    return f"{folder} ({size / 1e6:.0f} MB{writable})"
