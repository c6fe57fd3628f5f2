"""`morphorl doctor`."""

import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import sys
import time
from pathlib import Path

import jax
import numpy as np
from rich.table import Table
from rich.text import Text

import morphorl
from morphorl.commands.shared import console
from morphorl.config.devices import cache_folder
from morphorl.config.extras import EXTRAS
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.study import Run

PACKAGES = ("jax", "jaxlib", "equinox", "optax", "gymnax", "gymnasium", "numpy", "polars", "tyro")


@dataclasses.dataclass
class Doctor:
    """Say what a bug report needs: versions, devices, cache, extras; and train a tiny agent to see that it works."""

    def __call__(self) -> None:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, value in facts().items():
            table.add_row(name, value)
        console.print(table, highlight=False)
        seconds, problem = self_test()
        if problem is not None:
            console.print(Text.assemble(("self-test", "red"), f": {problem}"), soft_wrap=True)
            sys.exit(1)
        told = f": two agents trained as they should, in {seconds:.1f} s"
        console.print(Text.assemble(("self-test", "green"), told))


def facts() -> dict[str, str]:
    """What a bug report needs to know of this installation, in words."""
    devices = jax.devices()
    installed = [name for name, module in EXTRAS.items() if importlib.util.find_spec(module)]
    return {
        "morphorl": morphorl.__version__,
        "Python": f"{platform.python_version()} on {platform.platform()}",
        "packages": ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES),
        "extras": ", ".join(installed) or "none",
        "devices": f"{len(devices)} of kind {devices[0].device_kind} ({devices[0].platform})",
        "cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}",
        "cache": _cache(cache_folder()),
    }


def self_test() -> tuple[float, str | None]:
    """Train two agents that differ in their seed; gives the seconds that it took, and what is wrong, if anything."""
    ppo = PPO(num_envs=2, rollout_steps=16, minibatches=1, epochs=1, hidden=(8,))
    settings = Settings(steps=256, evaluate_every=0, ppo=ppo)
    started = time.perf_counter()
    try:
        result = batch_training.train_batch([Run("self-test", settings, seed, seed) for seed in range(2)], 2)
    except Exception as error:  # whatever it is, it is what the report should say
        return time.perf_counter() - started, f"{type(error).__name__}: {str(error).splitlines()[0]}"
    weights = result.agents.actor.weights[0]
    problem = None
    if (result.diverged_at >= 0).any() or not np.isfinite(weights).all():
        problem = "training gave numbers that are not finite."
    elif np.array_equal(weights[0], weights[1]):
        problem = "two seeds gave the same agent."
    return time.perf_counter() - started, problem


def _cache(folder: Path) -> str:
    if not folder.exists():
        return f"{folder} (empty)"
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    writable = "" if os.access(folder, os.W_OK) else ", not writable: every start compiles anew"
    return f"{folder} ({size / 1e6:.0f} MB{writable})"
