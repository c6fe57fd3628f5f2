"""Writes the tables of docs/sparse.md: patterns kept by their returns, where rewards are rare.

Usage: uv run docs/sparse_page.py
"""

from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from rhythm_page import markdown, p_value

from morphorl.analysis import scores
from morphorl.analysis.bootstrap import Effect, difference, holm, ratio_of_medians
from morphorl.analysis.curve_statistics import share

DOCS = Path(__file__).parent
PAGE, RESULTS = DOCS / "sparse.md", DOCS / "results" / "sparse"
BEGIN, END = "<!-- tables: docs/sparse_page.py -->\n", "<!-- end of tables -->\n"
RULE = "kept by returns"
COLUMNS = ("arm", "there", "median steps", f"{RULE} less this arm, mean steps", "p, corrected", "ratio of medians")

Steps = dict[tuple[str, str], Float[np.ndarray, " seeds"]]
"""Steps to the threshold by environment and arm, infinite where it was not reached."""


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    table = scores.read(RESULTS / scores.FILE)
    steps, budget = steps_of(table), float(table["steps"].max())
    effects = effects_of(steps, budget)
    corrected = dict(zip(effects, holm(np.array([effect.p for effect in effects.values()])), strict=True))
    places = table["environment"].unique(maintain_order=True)
    parts = [f"### {place}\n\n{task_table(place, steps, budget, effects, corrected)}" for place in places]
    return f"{before}{BEGIN}\n" + "\n\n".join(parts) + f"\n\n{END}{after}"


def steps_of(table: pl.DataFrame) -> Steps:
    """Each seed's steps, in the order of the seeds; a run that diverged was never there."""
    lost = pl.col("diverged_at").is_not_null() | pl.col("steps_to_threshold").is_null()
    known = table.sort("seed").with_columns(there=pl.when(lost).then(np.inf).otherwise("steps_to_threshold"))
    parts = known.partition_by("environment", "arm", maintain_order=True, as_dict=True)
    return {(str(place), str(arm)): rows["there"].to_numpy() for (place, arm), rows in parts.items()}


def effects_of(steps: Steps, budget: float) -> dict[tuple[str, str], Effect]:
    """The rule less each other arm, in mean steps with the budget for a run that was never there."""
    return {
        (place, arm): difference(
            np.minimum(steps[place, RULE], budget), np.minimum(there, budget), np.mean, paired=True
        )
        for (place, arm), there in steps.items()
        if arm != RULE
    }


def task_table(
    place: str,
    steps: Steps,
    budget: float,
    effects: dict[tuple[str, str], Effect],
    corrected: dict[tuple[str, str], float],
) -> str:
    """Every arm on one task, soonest first."""
    here = {arm: there for (where, arm), there in steps.items() if where == place}
    rows = []
    for arm in sorted(here, key=lambda arm: np.minimum(here[arm], budget).mean()):
        there, median = share(np.isfinite(here[arm])), np.median(here[arm])
        cells = (
            f"{there.value:.0%} ({there.low:.0%} to {there.high:.0%})",
            f"{median:,.0f}" if np.isfinite(median) else f"> {budget:,.0f}",
        )
        key = (place, arm)
        lead = ("", "", "") if arm == RULE else (in_steps(effects[key]), p_value(corrected[key]), ratio(here, arm))
        rows.append((arm, *cells, *lead))
    return markdown(COLUMNS, rows)


def in_steps(effect: Effect) -> str:
    """A difference of steps with its interval."""
    value, low, high = (f"{steps:,.0f}".replace("-", "−") for steps in (effect.value, effect.low, effect.high))
    return f"{value} ({low} to {high})"


def ratio(here: dict[str, Float[np.ndarray, " seeds"]], arm: str) -> str:
    """Median steps of the rule in those of an arm, with its interval; empty where the arm has no median."""
    found = ratio_of_medians(here[RULE], here[arm], paired=True)
    return "" if found is None else f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"


if __name__ == "__main__":
    PAGE.write_text(page())
