"""Runs on common steps: up to where all arms of an environment were run, in as many bins as our own curves have.

How far (the *horizon*): an arm was run as long as the median of its runs, an environment as long as its shortest arm.
What lies beyond is left out. A run that ends before `FULL` of the horizon is *short*: it was watched until it ended
(censored there, for steps to a threshold), and keeps its last return from then on. Where more than `MOST_SHORT` of an
arm's runs are short, nobody knows the arm's returns, and they count as unknown.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis.curve_statistics import POINTS
from morphorl.analysis.logs.log import Kind
from morphorl.analysis.logs.reading import Run
from morphorl.analysis.logs.rules import Tidied
from morphorl.config.errors import SettingError

FULL = 0.95
MOST_SHORT = 0.25


class Horizon(NamedTuple):
    """Up to which step the runs of an environment are compared, and by which returns."""

    steps: float
    kind: Kind
    """Returns in training where all runs have them, or those of evaluations."""
    evaluated: bool
    """Whether all runs have evaluations."""
    cut: dict[str, float]
    """The arms that were run longer, and how long."""


def horizon(runs: Sequence[Run], environment: str, until: float | None) -> Horizon:
    """How far and by which returns the runs of an environment are compared.

    Args:
        until: the steps that the user has asked for.

    Raises:
        SettingError: if some runs have returns in training alone and others those of evaluations alone, or no run has
            a step above 0.
    """
    kinds: list[Kind] = [kind for kind in ("training", "evaluation") if all(kind in run.kinds for run in runs)]
    if not kinds:
        only = {kind: next(run for run in runs if kind not in run.kinds) for kind in ("training", "evaluation")}
        raise SettingError(
            f"{environment}: {only['evaluation'].paths[0]} has returns in training alone, and "
            f"{only['training'].paths[0]} those of evaluations alone: they are not the same measure. Give the paths of "
            "one kind."
        )
    lengths: dict[str, list[float]] = {}
    for run in runs:
        lengths.setdefault(run.arm, []).append(last_step(run))
    medians = {arm: float(np.median(ends)) for arm, ends in lengths.items()}
    steps = min(medians.values()) if until is None else min(until, max(medians.values()))
    if steps <= 0:
        raise SettingError(f"{environment}: no run has a step above 0; check which column the steps are.")
    cut = {arm: median for arm, median in medians.items() if median > steps / FULL}
    return Horizon(steps, kinds[0], "evaluation" in kinds, cut)


def last_step(run: Run) -> float:
    """The last step at which anything of a run is known."""
    return float(max(one.steps[-1] for one in run.kinds.values()))


def is_short(run: Run, steps: float) -> bool:
    """Whether a run ends before the horizon."""
    return last_step(run) < FULL * steps


def curves(runs: Sequence[Run], found: Horizon) -> pl.DataFrame:
    """The runs of an environment as rows of our own curves, one for each run and bin.

    `episode_return` is the mean in the bin, null where it has no point; `episodes` counts these; `greedy_return` is the
    mean of the evaluations in the bin.
    """
    edges = np.linspace(0, found.steps, POINTS + 1)[1:]
    parts = []
    for run in runs:
        mean, count = binned(run.kinds[found.kind], found.steps)
        greedy = binned(run.kinds["evaluation"], found.steps)[0] if found.evaluated else np.full(POINTS, np.nan)
        columns = {"env_steps": edges, "episode_return": mean, "episodes": count, "greedy_return": greedy}
        labels = {"environment": run.environment, "arm": run.arm, "seed": run.seed, "cell_seed": run.seed}
        parts.append(pl.DataFrame(columns).with_columns(pl.lit(value).alias(name) for name, value in labels.items()))
    table = pl.concat(parts).with_columns(
        pl.lit("").alias("preset"),
        pl.lit(None, pl.Int64).alias("diverged_at"),
        pl.format("{}/{}/{}", "environment", "arm", "seed").alias("run"),
    )
    return table.with_columns(pl.col("episode_return", "greedy_return").fill_nan(None))


def binned(one: Tidied, steps: float) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """The mean return in each bin up to the horizon (NaN where there is none), and how many points it has."""
    inside = one.steps <= steps * (1 + 1e-11)
    which = np.clip(np.ceil(one.steps[inside] * POINTS / steps - 1e-11).astype(int) - 1, 0, POINTS - 1)
    count = np.bincount(which, minlength=POINTS).astype(float)
    with np.errstate(invalid="ignore"):
        return np.bincount(which, one.returns[inside], minlength=POINTS) / count, count
