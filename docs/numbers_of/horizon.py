"""The numbers of docs/horizon.md that stand in its sentences; docs/horizon_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from horizon_page import BISTABLE, HELD, LATE, TAUGHT, TESTED, foretold, rights
from places import Phrase
from result_files import Results
from styles import Known, Shown, percent, ratio

from morphorl.analysis.bootstrap import bootstrap, difference
from morphorl.config.sealed import read_sealed_table

FOLDER = "horizon"
FILE = "horizon/played.parquet"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    played = read_sealed_table(results.root / FILE)

    def right(arm: str, task: str, delay: int) -> Shown:
        value, low, high = bootstrap(np.mean, rights(played, arm, task, delay))
        return ratio.value(Known(value, low, high, FILE))

    def lead(arm: str, rival: str, task: str, delay: int) -> Known:
        found = difference(rights(played, arm, task, delay), rights(played, rival, task, delay), np.mean, paired=True)
        return Known(found.value, found.low, found.high, FILE)

    def holding(arm: str, task: str, delay: int = TESTED) -> Shown:
        return Shown(str((rights(played, arm, task, delay) >= HELD).sum()), FILE)

    yield Phrase(
        "({} in the quiet maze, {} in the chain), and no seed",
        *(right("leaky cell", task, 64) for task in ("TMaze", "MemoryChain")),
    )
    yield Phrase(
        "({} and {} of 32 in the maze)",
        *(holding(arm, "TMaze", TAUGHT) for arm in ("leaky cell", "leaky cell, guided")),
    )
    noisy = lead("leaky cell, guided", "leaky cell", "NoisyTMaze", TESTED)
    yield Phrase("above 0 as predicted ({}), yet", ratio.comma(noisy))
    yield Phrase(
        "is right in {}, a guess in {}.",
        *(right(arm, "NoisyTMaze", TESTED) for arm in ("leaky cell, guided", "no memory")),
    )
    yield Phrase("without guidance by {}.", ratio(lead("driven cell", "driven cell, guided", "NoisyTMaze", TESTED)))
    yield Phrase("above the GRU ({} and {} of 32)", *(holding("GRU", task) for task in ("TMaze", "MemoryChain")))
    yield Phrase(
        "the leaky bank does as well: {} and {} of 32",
        *(holding("leaky bank", task) for task in ("TMaze", "MemoryChain")),
    )
    yield Phrase("leads the bistable cell there by {}.", ratio(lead("GRU", BISTABLE, "NoisyTMaze", LATE)))
    yield Phrase("holds in {} of 32, the bank in {}.", *(holding(arm, "NoisyTMaze") for arm in ("GRU", "leaky bank")))
    yield Phrase("right in .75, and {} was seen", right(BISTABLE, "NoisyTMaze", TESTED))

    found = foretold(played).filter(pl.col("points") > 0).with_columns(told=(pl.col("points") == 2) == pl.col("holds"))
    quiet, noise, gru = (
        found.filter(condition)
        for condition in (pl.col("task") == "TMaze", pl.col("task") == "NoisyTMaze", pl.col("arm") == "GRU")
    )
    yield Phrase(
        "{} of all agents ({} of {}), {} in the quiet maze",
        _share(found), Shown(str(found["told"].sum()), FILE), Shown(str(len(found)), FILE), _share(quiet),
    )  # fmt: skip
    yield Phrase("with a single state, and {} under noise", _share(noise))
    yield Phrase("there it foretells {} and {}.", *(_share(gru.filter(task=task)) for task in ("TMaze", "NoisyTMaze")))
    yield Phrase(
        "with two states {} of {} hold, of those with one {} of {}.",
        *(
            Shown(str(number), FILE)
            for points in (2, 1)
            for number in (gru.filter(points=points)["holds"].sum(), len(gru.filter(points=points)))
        ),
    )


def _share(rows: pl.DataFrame) -> Shown:
    return percent.value(Known(float(rows["told"].to_numpy().mean()), float("nan"), float("nan"), FILE))
