"""Curves, survival and estimates as plain values ready for JSON, whoever made the runs; the page draws them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from morphorl.analysis import curve_statistics, learning_curves
from morphorl.analysis.luck.seed_luck import Shares
from morphorl.config.files import finite_or_none

Plain = dict[str, Any]


def number(value: float, digits: int = 4) -> float | None:
    """A number short enough for a page; null for what is not finite."""
    return finite_or_none(float(f"{value:.{digits}g}"))


def curve_data(curve: learning_curves.Curve) -> Any:
    """A learning curve with its band and its seeds; a sentence if a return is unknown."""
    unknown = int((~np.isfinite(curve.seeds)).any(axis=1).sum())
    if unknown:
        return f"{unknown} of {len(curve.seeds)} runs have an unknown return."
    columns = {name: numbers(getattr(curve, name)) for name in ("middle", "low", "high")}
    return columns | {"steps": _steps(curve.steps), "seeds": [numbers(seed) for seed in curve.seeds]}


def survival_data(found: learning_curves.Survival) -> Plain:
    """A survival curve with its band and its median."""
    columns = {name: numbers(getattr(found, name)) for name in ("share", "low", "high")}
    return columns | {"steps": _steps(found.steps), "median": estimate_data(found.median)}


def estimate_data(estimate: curve_statistics.Estimate) -> Plain:
    """An estimate with its interval."""
    return {"value": number(estimate.value), "low": number(estimate.low), "high": number(estimate.high)}


def numbers(values: Iterable[float]) -> list[float | None]:
    """Numbers short enough for a page."""
    return [number(float(value)) for value in values]


def _steps(values: Iterable[float]) -> list[int]:
    return [round(float(value)) for value in values]


def luck_data(found: Sequence[Shares]) -> list[Plain]:
    """How often few seeds find an arm above another, for each number of them."""
    return [
        {
            "n": one.n,
            "better": estimate_data(one.better),
            "significant": one.significant and estimate_data(one.significant),
        }
        for one in found
    ]
