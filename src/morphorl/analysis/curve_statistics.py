"""From curves to scores: returns on a common grid, steps to a threshold, and each arm's summary over seeds."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
import scipy  # special at its first use; never stats, whose import takes as long as a comparison
from jaxtyping import Bool, Float

from morphorl.analysis.bootstrap import Estimate, EvidenceError, bootstrap, iqm

EARLY, FINAL = 0.2, 0.1
"""Shares of the training steps that "early return" (the first) and "final return" (the last) average over."""

POINTS = 50
"""Points of the grid that curves are averaged on before anything is measured."""


class Statistic(NamedTuple):
    """How a statistic is summarised over seeds, and whether it needs greedy evaluations."""

    over_seeds: Callable
    evaluated: bool = False


STATISTICS = {
    "final_return": Statistic(iqm),
    "area_under_curve": Statistic(iqm),
    "early_return": Statistic(iqm),
    "early_greedy_return": Statistic(iqm, evaluated=True),
    "final_greedy_return": Statistic(iqm, evaluated=True),
    "steps_to_threshold": Statistic(np.median, evaluated=True),
}
"""Every statistic of a summary by its name."""


def on_grid(
    curves: pl.DataFrame, points: int
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, "seeds points"]]:
    """The episode returns of one arm on a common grid: per seed, the mean over the episodes that ended in each bin.

    A bin in which no episode ended keeps the last value known; before the first episode's end, the first one. A seed
    with an episode whose return is not a number is NaN throughout.

    Returns:
        The right edges of the bins in environment steps, and one row of returns per seed.

    Raises:
        EvidenceError: if the rows are none, or not one for each run and update.
    """
    curves = curves.sort("seed", "cell_seed", "env_steps")
    steps = curves["env_steps"].unique().sort().to_numpy()
    runs = curves.group_by("seed", "cell_seed").agg(pl.len(), distinct=pl.col("env_steps").n_unique())
    if not len(steps) or not ((runs["len"] == len(steps)) & (runs["distinct"] == len(steps))).all():
        raise EvidenceError(
            f"{len(curves)} rows of {len(runs)} runs with {len(steps)} updates: must be one row per run and update, "
            "of one arm in one environment under one preset."
        )
    returns = curves["episode_return"].fill_null(np.nan).to_numpy().reshape(-1, len(steps))
    episodes = curves["episodes"].fill_null(0).to_numpy().reshape(-1, len(steps))
    # Less a little: the edge of a bin that is no whole number of steps may lie beyond it by rounding.
    which = np.ceil(steps * points / steps[-1] - 1e-11).astype(int) - 1
    in_bin = np.eye(points)[which]
    with np.errstate(invalid="ignore"):
        mean = np.where(episodes > 0, returns * episodes, 0) @ in_bin / (episodes @ in_bin)
    return np.linspace(0, steps[-1], points + 1)[1:], carry_over(mean)


def carry_over(rows: Float[np.ndarray, "seeds points"]) -> Float[np.ndarray, "seeds points"]:
    """Fill each NaN with the value before it, and leading ones with the first value of the row."""
    known = ~np.isnan(rows)
    first = np.argmax(known, axis=1)[:, None]
    latest = np.maximum.accumulate(np.where(known, np.arange(rows.shape[1]), first), axis=1)
    return np.take_along_axis(rows, latest, axis=1)


def steps_to(threshold: float, curves: pl.DataFrame) -> Float[np.ndarray, " seeds"]:
    """Environment steps to the second of two greedy evaluations in a row at or above a threshold; inf if never."""
    evaluated = curves.drop_nulls("greedy_return").sort("seed", "cell_seed", "env_steps")
    runs = evaluated.with_columns(above=pl.col("greedy_return") >= threshold).with_columns(
        twice=pl.col("above") & pl.col("above").shift(1).over("seed", "cell_seed").fill_null(False)
    )
    first = _of_each_run(pl.col("env_steps").filter("twice").min(), runs, curves)
    return np.where(np.isnan(first), np.inf, first)


def crossed(curves: pl.DataFrame, scores: Float[np.ndarray, " runs"]) -> Float[np.ndarray, "cell_seeds seeds"]:
    """The scores of one arm's runs, sorted by seed and cell seed, as a matrix: a row per pattern, a column per learner.

    Raises:
        EvidenceError: if not every cell seed was run with every seed.
    """
    runs = curves.select("seed", "cell_seed").unique().sort("seed", "cell_seed")
    seeds, cell_seeds = (runs[name].n_unique() for name in ("seed", "cell_seed"))
    if not len(runs) == len(scores) == seeds * cell_seeds:
        raise EvidenceError(
            f"{len(runs)} runs of {cell_seeds} cell seeds and {seeds} seeds: a variance split needs every pair of them."
        )
    return scores.reshape(seeds, cell_seeds).T


def early(returns: Float[np.ndarray, "seeds points"]) -> Float[np.ndarray, " seeds"]:
    """Early return: the mean over the first 20% of the steps."""
    return returns[:, : round(EARLY * returns.shape[1])].mean(axis=1)


def final(returns: Float[np.ndarray, "seeds points"]) -> Float[np.ndarray, " seeds"]:
    """Final return: the mean over the last 10% of the steps."""
    return returns[:, -round(FINAL * returns.shape[1]) :].mean(axis=1)


def peak(returns: Float[np.ndarray, "seeds points"]) -> Float[np.ndarray, " seeds"]:
    """The best mean over any 10% of the steps in a row, of which the final return is one."""
    window = round(FINAL * returns.shape[1])
    return np.lib.stride_tricks.sliding_window_view(returns, window, axis=1).mean(axis=2).max(axis=1)


def measure(curves: pl.DataFrame, threshold: float | None) -> dict[str, Float[np.ndarray, " seeds"]]:
    """The scores of one arm's runs in one environment: those of `STATISTICS` that its curves hold, and the peak."""
    _, returns = on_grid(curves, POINTS)
    greedy = curves.drop_nulls("greedy_return")
    measured = {
        "final_return": final(returns),
        "area_under_curve": returns.mean(axis=1),
        "early_return": early(returns),
        "peak_return": peak(returns),
    }
    if len(greedy):
        soon = greedy.filter(pl.col("env_steps") <= EARLY * curves["env_steps"].to_numpy().max())
        if len(soon):
            measured["early_greedy_return"] = _of_each_run(pl.col("greedy_return").mean(), soon, curves)
        measured["final_greedy_return"] = _of_each_run(
            pl.col("greedy_return").sort_by("env_steps").last(), greedy, curves
        )
    if len(greedy) and threshold is not None:
        measured["steps_to_threshold"] = steps_to(threshold, curves)
    return measured


def _of_each_run(value: pl.Expr, rows: pl.DataFrame, curves: pl.DataFrame) -> Float[np.ndarray, " runs"]:
    """A value of each run of `curves`, in the order of its seeds; NaN for one of which `rows` has none."""
    runs = curves.select("seed", "cell_seed").unique()
    values = rows.group_by("seed", "cell_seed").agg(value=value.cast(pl.Float64))
    joined = runs.join(values, on=["seed", "cell_seed"], how="left").sort("seed", "cell_seed")
    return joined["value"].fill_null(np.nan).to_numpy()


def summarise(measured: Mapping[str, Float[np.ndarray, " seeds"]]) -> dict[str, Estimate]:
    """The statistics of one arm in one environment over its seeds, from what `measure` gives."""
    known = {name: measured[name] for name in STATISTICS if name in measured}
    summary = {
        name: Estimate(*map(float, bootstrap(STATISTICS[name].over_seeds, x)), n=len(x)) for name, x in known.items()
    }
    if "steps_to_threshold" in known:
        summary["reached_threshold"] = share(np.isfinite(known["steps_to_threshold"]))
    return summary


def share(succeeded: Bool[np.ndarray, " seeds"]) -> Estimate:
    """The share of successes and its exact 95% interval (Clopper and Pearson, 1934)."""
    n, k = len(succeeded), int(succeeded.sum())
    low = scipy.special.betaincinv(k, n - k + 1, 0.025) if k > 0 else 0.0
    high = scipy.special.betaincinv(k + 1, n - k, 0.975) if k < n else 1.0
    return Estimate(k / n, float(low), float(high), n)
