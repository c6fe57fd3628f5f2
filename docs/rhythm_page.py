"""Writes the tables and the figure of docs/rhythm.md: what a rhythm does where a swimmer sees its heading alone.

Usage: uv run docs/rhythm_page.py
"""

import json
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float
from tasks_page import interval, number
from written_tables import with_tables

from morphorl.analysis import score_table
from morphorl.analysis.bootstrap import Effect, bootstrap, difference, holm

DOCS = Path(__file__).parent
PAGE, RESULTS = DOCS / "rhythm.md", DOCS / "results" / "rhythm"
REFERENCE, PLAIN = "wave and bank", "plain PPO"
COLUMNS = ("arm", "discount", "untrained", "return at the end", f"{REFERENCE} less this arm", "p, corrected")
PAIRS = (
    ("wave, seen", "reversed wave, seen"),
    ("wave, seen", "synchronous ring, seen"),
    ("wave, seen", "clock, seen"),
    ("wave, seen", "wave, open loop"),
    ("reversed wave, seen", "leaky bank"),
    ("reversed wave, seen", "frame stack"),
    ("correlated noise", PLAIN),
    ("coloured noise", PLAIN),
)
"""Comparisons that were not planned: arm, rival."""
PAIR_COLUMNS = ("arm", "less", "difference at the end", "p, not corrected")
FREQUENCIES, AMPLITUDES, DIRECTIONS = (0.01, 0.02, 0.03, 0.04), ("0.3", "1", "2"), ("wave", "reversed wave")
NAMED = BANK, RHYTHM = "leaky bank", "clock and bank"
"""The arms of `rhythm_pendulum` that are compared with all others."""
LATER, UNPLANNED = ("previous observation", "clock and bank, slowest .15"), "leaky bank, rate .003"
"""The arms of `rhythm_pendulum_more`: those that the bank is compared with, and the one that it is not."""
BODY_COLUMNS = (
    "arm",
    "discount",
    "return in training",
    "return at the end",
    f"{RHYTHM} less this arm",
    "p, corrected",
    f"{BANK} less this arm",
    "p, corrected",
)
RANGE_COLUMNS = ("direction", "cycles a step", *(f"amplitude {one}" for one in AMPLITUDES))


def page() -> str:
    """The page as it should be: its text as it stands, the tables from the results."""
    planned, others = f"### All arms\n\n{arms_table()}", f"### Pairs that were not planned\n\n{pairs_table()}"
    settings, body = f"### Other waves\n\n{range_table()}", f"### A second body\n\n{body_table()}"
    return with_tables(PAGE, "\n\n".join((planned, others, settings, body)))


def arms_table() -> str:
    """Every arm of `rhythm` beside the wave with a bank, best first."""
    table = score_table.read(RESULTS / "report" / score_table.FILE)
    finals = final_returns(table)
    compared = {
        arm: difference(finals[REFERENCE], final, np.mean, paired=True)
        for arm, final in finals.items()
        if arm != REFERENCE
    }
    corrected = dict(zip(compared, holm(np.array([effect.p for effect in compared.values()])), strict=True))
    discounts = discount_of_arms()
    rows = []
    for arm, final in sorted(finals.items(), key=lambda item: -item[1].mean()):
        untrained = number(table.filter(arm=arm)["untrained_return"].drop_nulls().drop_nans().mean())
        lead = (in_words(compared[arm]), p_value(corrected[arm])) if arm in compared else ("", "")
        rows.append((arm, f"{discounts[arm]}", untrained, interval(final), *lead))
    return markdown(COLUMNS, rows)


def pairs_table() -> str:
    """The pairs of arms that the text speaks of beside the planned ones."""
    finals = final_returns(score_table.read(RESULTS / "report" / score_table.FILE))
    effects = [(arm, rival, difference(finals[arm], finals[rival], np.mean, paired=True)) for arm, rival in PAIRS]
    return markdown(PAIR_COLUMNS, [(arm, rival, in_words(one), p_value(one.p)) for arm, rival, one in effects])


def range_table() -> str:
    """The wave with a bank at other frequencies, amplitudes and both directions, from `rhythm_range`."""
    finals = final_returns(score_table.read(RESULTS / "range" / score_table.FILE))
    rows = [
        (way, f"{speed}", *(interval(finals[f"{way}, {speed} cycles a step, amplitude {one}"]) for one in AMPLITUDES))
        for way in DIRECTIONS
        for speed in FREQUENCIES
    ]
    return markdown(RANGE_COLUMNS, rows)


def body_table() -> str:
    """Every arm of `rhythm_pendulum` and of what it had left out, best first, beside those that the plan names."""
    table = on_the_pendulum()
    finals = final_returns(table)
    planned = [arm for arm in finals if arm not in (*LATER, UNPLANNED)]
    pairs = [(RHYTHM, arm) for arm in planned if arm != RHYTHM]
    pairs += [(BANK, arm) for arm in (*planned, *LATER) if arm not in NAMED]
    effects = [difference(finals[one], finals[arm], np.mean, paired=True) for one, arm in pairs]
    corrected = holm(np.array([effect.p for effect in effects]))
    leads = {pair: (in_words(effect), p_value(p)) for pair, effect, p in zip(pairs, effects, corrected, strict=True)}
    discounts = discount_of_arms("pendulum") | discount_of_arms("pendulum_more")
    rows = []
    for arm, final in sorted(finals.items(), key=lambda item: -item[1].mean()):
        in_training = interval(table.filter(arm=arm)["area_under_curve"].to_numpy())
        over = (*leads.get((RHYTHM, arm), ("", "")), *leads.get((BANK, arm), ("", "")))
        rows.append((arm, f"{discounts[arm]}", in_training, interval(final), *over))
    return markdown(BODY_COLUMNS, rows)


def on_the_pendulum() -> pl.DataFrame:
    """The scores of all arms that met the pendulum, on the same seeds."""
    parts = [score_table.read(RESULTS / folder / score_table.FILE) for folder in ("pendulum", "pendulum_more")]
    return pl.concat(parts)


def in_words(effect: Effect) -> str:
    """An effect with its interval."""
    return f"{number(effect.value)} ({number(effect.low)} to {number(effect.high)})"


def figure() -> None:
    """Every seed of every arm, with the mean and its 95% interval, best first."""
    from morphorl.report.figures import canvas  # brings matplotlib, which the numbers do without

    finals = final_returns(score_table.read(RESULTS / "report" / score_table.FILE))
    arms = sorted(finals, key=lambda arm: finals[arm].mean())
    with canvas.in_style():
        drawn, axes = canvas.subplots(figsize=(7.5, 5.6))
        for place, arm in enumerate(arms):
            mean, low, high = bootstrap(np.mean, finals[arm])
            axes.plot(finals[arm], np.full(len(finals[arm]), place), "o", color="#7fa8d1", alpha=0.5, markersize=4)
            axes.errorbar(mean, place, xerr=[[mean - low], [high - mean]], fmt="D", color="#b3402a", markersize=5)
        axes.set_yticks(range(len(arms)), arms)
        axes.set_xlabel("greedy return at the end (dot: a seed; diamond: mean, 95% interval)")
        axes.axvline(0, color="0.8", linewidth=1, zorder=0)
        drawn.savefig(RESULTS / "arms.svg", metadata={"Date": None})


def final_returns(table: pl.DataFrame) -> dict[str, Float[np.ndarray, " seeds"]]:
    """The greedy return of each seed at the end, by arm.

    A run that diverged counts as it was untrained; where even that overflowed, as plain PPO of its seed untrained.
    """
    untrained = table.filter(arm=PLAIN).select("seed", plain="untrained_return")
    kept = pl.when(pl.col("diverged_at").is_null()).then("final_greedy_return").otherwise("untrained_return")
    known = table.join(untrained, on="seed", how="left").sort("seed")
    filled = known.with_columns(final=kept.fill_nan(None).fill_null(pl.col("plain")))
    return {
        str(arm): rows["final"].to_numpy()
        for (arm,), rows in filled.partition_by("arm", maintain_order=True, as_dict=True).items()
    }


def discount_of_arms(study: str = "report") -> dict[str, float]:
    """The discount that each arm got from its tuning."""
    known = json.loads((RESULTS / study / "study.json").read_text())
    shared = known["settings"].get("ppo", {})
    return {arm: (shared | settings.get("ppo", {}))["discount"] for arm, settings in known["arms"].items()}


def p_value(p: float) -> str:
    """Two digits, or a bound."""
    return "< .001" if p < 0.001 else f"{p:.2g}".removeprefix("0")


def markdown(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (columns, ("---",) * len(columns), *rows)]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page())
    figure()
