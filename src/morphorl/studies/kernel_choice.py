"""Which kernel trains a study where the user leaves it open: the one it was begun with, else the one that pays."""

import dataclasses
import os
from pathlib import Path
from typing import Literal

from morphorl.config.errors import StoreError
from morphorl.environments.base import is_host
from morphorl.ppo import kernels
from morphorl.ppo.kernels import KERNELS, Kernel
from morphorl.studies.study import Study

KernelOption = Literal["auto", "xla", "fused"]
"""What a command line may say."""
WORTH_STEPS = 3_000_000
"""Environment steps of a study from which on the fused kernel saves the two seconds that loading it takes: at 470k
steps a second in place of 363k (docs/speed.md). Compiling it, once, takes what some 25 million steps save."""


def with_kernel(study: Study, folder: Path, kernel: KernelOption) -> Study:
    """A study with the kernel that is to train it.

    `auto` is the kernel of the study that the folder holds. In a new folder it is `fused` where this machine can use
    it (`kernels.unavailable`) and the study has three million environment steps or more that it can learn from, else
    `xla`.
    """
    chosen = kernel if kernel != "auto" else _held(study, folder) or _worthwhile(study)
    return study if study.kernel == chosen else dataclasses.replace(study, kernel=chosen)


def _held(study: Study, folder: Path) -> str | None:
    """The kernel of the study in a folder; None if it holds none."""
    if not os.path.exists(folder / "study.json"):  # False for a name too long, which opening the folder tells
        return None
    from morphorl.config.sealed import read_sealed_json  # imports Polars, as the store does
    from morphorl.studies.store import Store

    try:
        return read_sealed_json(folder / "study.json").get("kernel", "xla")
    except StoreError:  # it is damaged: whole runs tell
        finished = Store(folder).finished()
        candidates = (dataclasses.replace(study, kernel=kernel) for kernel in KERNELS)
        return next((one.kernel for one in candidates if finished & {run.id for run in one.iterate()}), None)
    except OSError:  # opening the folder tells what is wrong with it
        return None


def _worthwhile(study: Study) -> Kernel:
    arms = (settings for preset in study.presets for settings in study.expand(preset).values())
    steps = sum(settings.steps for settings in arms if kernels.takes(settings))
    environments = sum(not is_host(environment) for environment in study.environments)
    steps *= environments * study.seeds * (study.cell_seeds or 1)
    return "fused" if steps >= WORTH_STEPS and kernels.unavailable() is None else "xla"
