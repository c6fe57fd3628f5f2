"""Stable-Baselines3's `evaluations.npz`: what `EvalCallback` keeps, several episodes at each of some steps."""

from collections.abc import Iterator
from pathlib import Path

from morphorl.analysis.logs import arrays
from morphorl.analysis.logs.log import Asked, Log, points
from morphorl.config.errors import StoreError

NAME = "Stable-Baselines3's evaluations"
WHAT = "evaluations.npz of Stable-Baselines3 (timesteps, and results of several episodes each)"
RANK = 0


def claims(path: Path, head: bytes) -> bool:
    """By the name that `EvalCallback` gives."""
    return path.name == "evaluations.npz"


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """The mean return of the episodes of each evaluation."""
    for path in paths:
        found = arrays.read(path, ("timesteps", "results"))
        steps, results = found["timesteps"], found["results"]
        if steps.ndim != 1 or results.ndim != 2 or len(steps) != len(results):
            raise StoreError(
                f"{path}: timesteps of shape {steps.shape} and results of {results.shape}: must be (evaluations,) and "
                "(evaluations, episodes)."
            )
        yield Log(path, "", "evaluation", {}, points(steps, results.mean(axis=1)), "results over timesteps")
