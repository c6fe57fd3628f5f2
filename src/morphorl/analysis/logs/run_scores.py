"""The scores of others' runs: a row for each, in the columns that our own runs have."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis.curve_statistics import EARLY, carry_over, early, final, peak
from morphorl.analysis.logs.grid import Horizon, binned, is_short, last_step
from morphorl.analysis.logs.reading import Run
from morphorl.analysis.score_table import SCHEMA


def table(runs: Sequence[Run], found: Horizon, threshold: float | None, unknown: set[str]) -> pl.DataFrame:
    """The scores of the runs of one environment.

    Args:
        threshold: the return from which the task counts as solved; None if nobody has said.
        unknown: arms whose returns over the whole horizon nobody knows: they are NaN.
    """
    returns = carry_over(np.stack([binned(run.kinds[found.kind], found.steps)[0] for run in runs]))
    returns[[run.arm in unknown for run in runs]] = np.nan
    columns: dict[str, object] = {
        "early_return": early(returns),
        "area_under_curve": returns.mean(axis=1),
        "final_return": final(returns),
        "peak_return": peak(returns),
    }
    if found.evaluated:
        columns |= _evaluated(runs, found, unknown)
    if threshold is not None:
        columns["steps_to_threshold"] = np.array([steps_to(run, found, threshold) for run in runs])
    labels: dict[str, object] = {
        "preset": [""] * len(runs),
        "environment": [run.environment for run in runs],
        "arm": [run.arm for run in runs],
        "seed": [run.seed for run in runs],
        "cell_seed": [run.seed for run in runs],
        "threshold": [threshold] * len(runs),
        "steps": [round(watched(run, found)) for run in runs],
    }
    filled = pl.DataFrame({**labels, **columns})
    absent = [pl.lit(None).alias(name) for name in SCHEMA if name not in filled.columns]
    return filled.with_columns(*absent).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def watched(run: Run, found: Horizon) -> float:
    """Until which step a run was watched: the horizon, or where it ended if it is short."""
    return last_step(run) if is_short(run, found.steps) else found.steps


def steps_to(run: Run, found: Horizon, threshold: float) -> float:
    """Steps to the second of two in a row at or above the threshold, infinite if never.

    Two evaluations in a row where all runs have them, else the mean returns of two bins in a row, of those with any.
    """
    if found.evaluated:
        one = run.kinds["evaluation"]
        inside = one.steps <= found.steps
        steps, returns = one.steps[inside], one.returns[inside]
    else:
        mean, count = binned(run.kinds["training"], found.steps)
        edges = np.linspace(0, found.steps, len(mean) + 1)[1:]
        steps, returns = np.minimum(edges, watched(run, found))[count > 0], mean[count > 0]
    above = returns >= threshold
    twice = np.flatnonzero(above[1:] & above[:-1])
    return float(steps[twice[0] + 1]) if len(twice) else np.inf


def _evaluated(runs: Sequence[Run], found: Horizon, unknown: set[str]) -> dict[str, Float[np.ndarray, " runs"]]:
    last, soon = np.full(len(runs), np.nan), np.full(len(runs), np.nan)
    for i, run in enumerate(runs):
        one = run.kinds["evaluation"]
        inside = one.returns[one.steps <= found.steps]
        first = one.returns[one.steps <= EARLY * found.steps]
        if len(inside) and run.arm not in unknown:
            last[i] = inside[-1]
            soon[i] = first.mean() if len(first) else np.nan
    return {"final_greedy_return": last, "early_greedy_return": soon}
