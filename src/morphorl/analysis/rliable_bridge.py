"""From a table of scores, or of curves, to the dictionaries that rliable's functions take."""

from collections.abc import Iterable

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.analysis.comparisons import RETURNS
from morphorl.analysis.curve_statistics import POINTS, on_grid
from morphorl.analysis.score_table import known
from morphorl.config.errors import SettingError, did_you_mean

Scores = dict[str, Float[np.ndarray, "seeds environments"]]
Curves = dict[str, Float[np.ndarray, "seeds environments points"]]


def scores(table: pl.DataFrame, statistic: str) -> Scores:
    """For each arm, a matrix of scores with a row for each run and a column for each environment.

    Raises:
        SettingError: for a statistic that there is none of, or arms whose environments have other numbers of runs.
        EvidenceError: if the statistic was not measured in every run.
    """
    if statistic not in RETURNS:
        hint = did_you_mean(statistic, RETURNS)
        raise SettingError(f"statistic = {statistic!r}: must be 'curve' or one of {', '.join(RETURNS)}.{hint}")
    environments = table["environment"].unique(maintain_order=True).to_list()
    return {
        arm: np.stack(_equally_many(arm, (known(_rows(table, name, arm), statistic) for name in environments)), axis=1)
        for arm in table["arm"].unique(maintain_order=True)
    }


def curves(table: pl.DataFrame) -> Curves:
    """The same with an axis for 50 points in training, as rliable's sample-efficiency curves take them."""
    environments = table["environment"].unique(maintain_order=True).to_list()
    return {
        arm: np.stack(
            _equally_many(arm, (on_grid(_rows(table, name, arm), POINTS)[1] for name in environments)), axis=1
        )
        for arm in table["arm"].unique(maintain_order=True)
    }


def _rows(table: pl.DataFrame, environment: str, arm: str) -> pl.DataFrame:
    return table.filter(environment=environment, arm=arm).sort("seed", "cell_seed")


def _equally_many(arm: str, columns: Iterable[np.ndarray]) -> list[np.ndarray]:
    found = list(columns)
    counts = {len(column) for column in found}
    if len(counts) > 1:
        raise SettingError(
            f"{arm!r} has {' and '.join(map(str, sorted(counts)))} runs in different environments: rliable's matrices "
            "need as many in each."
        )
    return found
