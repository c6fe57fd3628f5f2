"""The numbers of docs/shift.md that stand in its sentences; docs/shift_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from places import Phrase
from result_files import Results
from shift_page import BEST, PLAIN, TASKS, WITHIN, of, read
from styles import Known, Shown, whole

from morphorl.analysis.bootstrap import difference

FILE = "shift/recovery.parquet"
LENGTH, GRAVITY, PUSHES = list(TASKS)[:3]
NONE, STREAM, BANK = "the same, γ = 0", "Stream AC(λ)", "leaky bank"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    rows = read("recovery")

    def seeds(task: str, arm: str, column: str = "after") -> np.ndarray:
        return of(rows.filter(environment=task), arm, column)

    def lead(task: str, arm: str, rival: str) -> Shown:
        found = difference(seeds(task, arm), seeds(task, rival), np.mean, paired=True)
        return whole(Known(found.value, found.low, found.high, FILE))

    def mean(task: str, arm: str, column: str = "after") -> Shown:
        return Shown(f"{seeds(task, arm, column).mean():.0f}", FILE)

    own = [lead(task, BEST, NONE) for task in TASKS]
    yield Phrase("itself without strength by {} with the longer pole, {} with more gravity, {} with", *own[:3])
    yield Phrase("and {} where they are exchanged within episodes", own[3])
    behind = [lead(task, STREAM, PLAIN) for task in (LENGTH, GRAVITY, PUSHES)]
    yield Phrase("ahead of plain PPO by {}, {} and {}.", *behind)
    yield Phrase("before the switch ({} against {}", mean(PUSHES, STREAM, "before"), mean(PUSHES, PLAIN, "before"))
    ends = (mean(PUSHES, STREAM, "last"), mean(PUSHES, PLAIN, "last"))
    yield Phrase("exchange of the pushes it ends at {}, and plain PPO at {}.", *ends)
    yield Phrase("bank of leaky integrators earns {} after the middle", mean(WITHIN, BANK))
    rivals = ("frame stack", PLAIN, "bistable cell", STREAM, "GRU")
    words = "a frame stack {}, plain PPO {}, a bistable cell {}, Stream AC(λ) {}, a GRU {}."
    yield Phrase(words, *(mean(WITHIN, arm) for arm in rivals))
    yield Phrase("It leads the frame stack by {}", lead(WITHIN, BANK, "frame stack"))
    yield Phrase("behind plain PPO by {},", lead(PUSHES, PLAIN, BANK))
    yield Phrase("Resets end at {} after the exchange", mean(PUSHES, "resets", "last"))
    longer = read("longer")
    later = {arm: Shown(f"{of(longer, arm, 'last').mean():.0f}", "shift/longer.parquet") for arm in (BANK, "GRU")}
    yield Phrase(
        "With four times the steps (16 seeds) the GRU ends at {}, and the bank at {}.", later["GRU"], later[BANK]
    )
    steady = read("without").filter(pl.col("environment") == "Acrobot-v1")
    found = difference(of(steady, BEST, "all"), of(steady, NONE, "all"), np.mean, paired=True)
    yield Phrase("by {} on Acrobot", whole(Known(found.value, found.low, found.high, "shift/without.parquet")))
