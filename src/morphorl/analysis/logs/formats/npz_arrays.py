"""Arrays in an NPZ file: what a script of CleanRL's or rejax's kind saves with `np.savez`, in this layout.

| array | shape | |
|---|---|---|
| `steps` | (points,) or (seeds, points) | environment steps |
| `returns` | (points,), (seeds, points) or (seeds, points, episodes) | in training; the mean over episodes counts |
| `evaluations` | the same | returns of evaluations; at least one of the two |
| `seeds` | (seeds,) | whole numbers; 0, 1, … if not there |
| `arm`, `env` | () | text; from the file's name if not there |

`rejax`'s training gives lengths and returns of (seeds, points, episodes): the latter are `evaluations`.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from morphorl.analysis.logs import arrays
from morphorl.analysis.logs.log import Asked, Kind, Log, points
from morphorl.config.errors import StoreError

NAME = "arrays"
WHAT = "NPZ with the arrays steps and returns or evaluations (seeds × points × episodes), and seeds, arm, env"
RANK = 1

KINDS: dict[str, Kind] = {"returns": "training", "evaluations": "evaluation"}


def claims(path: Path, head: bytes) -> bool:
    """Any NPZ file."""
    return path.suffix == ".npz"


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """A log for each seed."""
    for path in paths:
        found = arrays.read(path, ["steps"], [*KINDS, "seeds", "arm", "env"])
        labels = {name: str(found[name].reshape(-1)[0]) for name in ("arm", "env") if found.get(name, np.zeros(0)).size}
        if not found.keys() & KINDS.keys():
            raise StoreError(f"{path}: has neither returns nor evaluations; must have one of them beside steps.")
        for name in found.keys() & KINDS.keys():
            yield from _logs(path, name, found, labels)


def _logs(path: Path, name: str, found: dict[str, np.ndarray], labels: dict[str, str]) -> Iterator[Log]:
    steps, returns = found["steps"], found[name]
    if steps.dtype.kind not in "iuf" or returns.dtype.kind not in "iuf":
        raise StoreError(f"{path}: steps and {name} must be numbers, and are {steps.dtype} and {returns.dtype}.")
    alone = returns.ndim == 1
    returns = returns[None] if alone else returns
    mean = returns.mean(axis=2) if returns.ndim == 3 else returns
    if mean.ndim != 2 or steps.shape[-1:] != mean.shape[1:] or (steps.ndim == 2 and steps.shape != mean.shape):
        raise StoreError(
            f"{path}: steps of shape {steps.shape} and {name} of {found[name].shape}: must be (points,) and "
            "(seeds, points) or (seeds, points, episodes)."
        )
    seeds = found.get("seeds")
    if seeds is not None and seeds.shape != (len(mean),):
        raise StoreError(f"{path}: seeds of shape {seeds.shape}: must be ({len(mean)},), as many as rows of {name}.")
    numbers = range(len(mean)) if seeds is None else [int(seed) for seed in seeds]
    for row, number in enumerate(numbers):
        own = labels if alone and seeds is None else labels | {"seed": str(number)}
        of_run = points(steps[row] if steps.ndim == 2 else steps, mean[row])
        yield Log(path, "", KINDS[name], own, of_run, f"{name} over steps", is_folder=False)
