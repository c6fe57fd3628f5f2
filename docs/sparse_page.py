"""Writes the tables of docs/sparse.md: patterns kept by their returns, where rewards are rare.

Usage: uv run docs/sparse_page.py
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from rhythm_page import in_words, markdown, p_value
from tasks_page import interval
from written_tables import with_tables

from morphorl.analysis import scores
from morphorl.analysis.bootstrap import Effect, difference, holm, ratio_of_medians
from morphorl.analysis.curve_statistics import share

DOCS = Path(__file__).parent
PAGE, RESULTS = DOCS / "sparse.md", DOCS / "results" / "sparse"
RULE = "kept by returns"
COLUMNS = ("arm", "there", "median steps", f"{RULE} less this arm, mean steps", "p, corrected", "ratio of medians")
RETURN_COLUMNS = ("arm", "greedy return at the end", f"{RULE} less this arm", "p, corrected")

Places = dict[str, dict[str, Float[np.ndarray, " seeds"]]]
"""By environment and arm: steps to the threshold, infinite where it was not reached; where there is no threshold, the
greedy return at the end."""


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    table = scores.read(RESULTS / scores.FILE)
    budget = float(table["steps"].to_numpy().max())
    without = set(table.filter(pl.col("threshold").is_null())["environment"])
    places = measured(table, without)
    effects = {
        (place, arm): effect_of(place in without, here[RULE], values, budget)
        for place, here in places.items()
        for arm, values in here.items()
        if arm != RULE
    }
    corrected = dict(zip(effects, holm(np.array([effect.p for effect in effects.values()])), strict=True))
    parts = []
    for place, here in places.items():
        told = {arm: (effects[place, arm], p_value(corrected[place, arm])) for arm in here if arm != RULE}
        table_of = returns_table if place in without else steps_table
        parts.append(f"### {place}\n\n{table_of(here, told, budget)}")
    return with_tables(PAGE, "\n\n".join(parts))


def measured(table: pl.DataFrame, without: set[str]) -> Places:
    """Each seed's measure, seeds in order; a run that diverged was never there, or is as it was untrained."""
    lost = pl.col("diverged_at").is_not_null()
    there = pl.when(lost | pl.col("steps_to_threshold").is_null()).then(np.inf).otherwise("steps_to_threshold")
    final = pl.when(lost).then("untrained_return").otherwise("final_greedy_return")
    known = table.sort("seed").with_columns(there=there, final=final)
    places: Places = {}
    for (place, arm), rows in known.partition_by("environment", "arm", maintain_order=True, as_dict=True).items():
        column = "final" if place in without else "there"
        places.setdefault(str(place), {})[str(arm)] = rows[column].to_numpy()
    return places


def effect_of(
    by_return: bool, rule: Float[np.ndarray, " seeds"], arm: Float[np.ndarray, " seeds"], budget: float
) -> Effect:
    """The rule less an arm: in returns, or in mean steps with the budget for a run that was never there."""
    if by_return:
        return difference(rule, arm, np.mean, paired=True)
    return difference(np.minimum(rule, budget), np.minimum(arm, budget), np.mean, paired=True)


def steps_table(
    here: dict[str, Float[np.ndarray, " seeds"]], told: dict[str, tuple[Effect, str]], budget: float
) -> str:
    """Every arm on one task, soonest first."""
    rows = []
    for arm in sorted(here, key=lambda arm: np.minimum(here[arm], budget).mean()):
        there, median = share(np.isfinite(here[arm])), np.median(here[arm])
        cells = (
            f"{there.value:.0%} ({there.low:.0%} to {there.high:.0%})",
            f"{median:,.0f}" if np.isfinite(median) else f"> {budget:,.0f}",
        )
        lead = ("", "", "") if arm == RULE else (in_steps(told[arm][0]), told[arm][1], ratio(here, arm))
        rows.append((arm, *cells, *lead))
    return markdown(COLUMNS, rows)


def returns_table(
    here: dict[str, Float[np.ndarray, " seeds"]], told: dict[str, tuple[Effect, str]], budget: float
) -> str:
    """Every arm on a task without a threshold, best first."""
    rows = []
    for arm in sorted(here, key=lambda arm: -here[arm].mean()):
        lead = ("", "") if arm == RULE else (in_words(told[arm][0]), told[arm][1])
        rows.append((arm, interval(here[arm]), *lead))
    return markdown(RETURN_COLUMNS, rows)


def in_steps(effect: Effect) -> str:
    """A difference of steps with its interval."""
    value, low, high = (f"{steps:,.0f}".replace("-", "−") for steps in (effect.value, effect.low, effect.high))
    return f"{value} ({low} to {high})"


def ratio(here: dict[str, Float[np.ndarray, " seeds"]], arm: str) -> str:
    """Median steps of the rule in those of an arm, with its interval; empty where the arm has no median."""
    found = ratio_of_medians(here[RULE], here[arm], paired=True)
    if found is None or not np.isfinite([found.value, found.high]).all():
        return ""
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


if __name__ == "__main__":
    PAGE.write_text(page())
