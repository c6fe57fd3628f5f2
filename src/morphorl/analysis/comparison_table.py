"""Comparisons as a table, a row for each, whoever made the runs."""

from collections.abc import Mapping, Sequence

import polars as pl

from morphorl.analysis.bootstrap import Effect, Estimate
from morphorl.analysis.comparisons import Comparison


def _with_interval(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


COMPARISON_SCHEMA = {
    **dict.fromkeys(("preset", "environment", "arm", "against"), pl.String),
    **dict.fromkeys((*_with_interval("difference"), "p", *_with_interval("better")), pl.Float64),
    **dict.fromkeys((*_with_interval("median_steps"), *_with_interval("ratio"), "log_rank_p"), pl.Float64),
    **dict.fromkeys(("differs_in", "unknown"), pl.String),
}
"""The columns of what `compare` gives."""


def table(compared: Sequence[Comparison], against: str, differs_in: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """A row for each comparison.

    Args:
        differs_in: for each arm, the settings in which it differs from `against`, in words, where that is known.
    """
    rows = [_row(one, against, differs_in.get(one.arm, ())) for one in compared]
    return pl.DataFrame(rows, schema=COMPARISON_SCHEMA)


def _row(one: Comparison, against: str, differs_in: Sequence[str]) -> dict[str, str | float | None]:
    return {
        "preset": one.preset,
        "environment": one.environment,
        "arm": one.arm,
        "against": against,
        **_interval("difference", one.effect),
        "p": None if one.effect is None else one.effect.p,
        **_interval("better", one.better),
        **_interval("median_steps", one.median),
        **_interval("ratio", one.ratio),
        "log_rank_p": one.log_rank,
        "differs_in": "; ".join(differs_in),
        "unknown": one.unknown,
    }


def _interval(name: str, found: Effect | Estimate | None) -> dict[str, float | None]:
    values = (None, None, None) if found is None else (found.value, found.low, found.high)
    return dict(zip(_with_interval(name), values, strict=True))
