"""The numbers of docs/horizon.md that stand in its sentences; docs/horizon_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from horizon_page import BISTABLE, LONGEST, TAUGHT, TESTED, foretold, holding, rights
from places import Phrase
from result_files import Results
from scipy.stats import binomtest
from styles import Known, Shown, percent, ratio

from morphorl.analysis.bootstrap import bootstrap, difference
from morphorl.config.sealed import read_sealed_table

ADDED = ("slower bank", "frame stack")
"""The arms that the first plan did not have."""
FILE, LATE_FILE = "horizon/played.parquet", "horizon_late/played.parquet"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    played, late = (read_sealed_table(results.root / file) for file in (FILE, LATE_FILE))
    yield from of_first_cue(played)
    yield from of_late_cue(late)
    yield Phrase(
        "right in .75; {} was seen, and {} at 2,048",
        *(_right(played, BISTABLE, "NoisyTMaze", delay) for delay in (TESTED, LONGEST)),
    )
    yield from of_states(played)


def of_first_cue(played: pl.DataFrame) -> Iterator[Phrase]:
    """What the points on the cue that is seen at once say."""
    yield Phrase(
        "({} in the quiet maze, {} in the chain), and no seed",
        *(_right(played, "leaky cell", task, 64) for task in ("TMaze", "MemoryChain")),
    )
    yield Phrase(
        "({} and {} of 64 in the maze)",
        *(_holding(played, arm, "TMaze", TAUGHT) for arm in ("leaky cell", "leaky cell, guided")),
    )
    yield Phrase("quiet maze it is {}, four", ratio(_lead(played, "leaky cell, guided", "leaky cell", "TMaze", TAUGHT)))
    noisy = _lead(played, "leaky cell, guided", "leaky cell", "NoisyTMaze")
    yield Phrase("above 0 as predicted ({}), yet", ratio.comma(noisy))
    yield Phrase(
        "is right in {}, a guess in {}.",
        *(_right(played, arm, "NoisyTMaze", TESTED) for arm in ("leaky cell, guided", "no memory")),
    )
    yield Phrase(
        "({} and {} seeds of 64 right in .95)",
        *(_holding(played, arm, "NoisyTMaze", TAUGHT) for arm in ("leaky cell, guided", "leaky cell")),
    )
    yield Phrase("without guidance by {}.", ratio(_lead(played, "driven cell", "driven cell, guided", "NoisyTMaze")))
    yield Phrase(
        "above the GRU ({} and {} of 64) and a frame stack that reaches 528 steps back ({} and {}).",
        *(_holding(played, arm, task) for arm in ("GRU", "frame stack") for task in ("TMaze", "MemoryChain")),
    )
    yield Phrase(
        "leads the bistable cell at 512 by {}, and holds in {} of 64 where the GRU does in {}.",
        ratio(_lead(played, "slower bank", BISTABLE, "NoisyTMaze")),
        *(_holding(played, arm, "NoisyTMaze") for arm in ("slower bank", "GRU")),
    )
    yield Phrase("(slowest .002) is {} behind in", ratio(_lead(played, BISTABLE, "leaky bank", "TMaze")))


def of_late_cue(late: pl.DataFrame) -> Iterator[Phrase]:
    """What the points on the cue that comes late say."""
    yield Phrase(
        "The bistable cell holds in {} of 64 seeds, a GRU in {}, more",
        *(_holding(late, arm, "LateTMaze", file=LATE_FILE) for arm in (BISTABLE, "GRU")),
    )
    ahead = _lead(late, BISTABLE, "GRU", "LateTMaze", file=LATE_FILE)
    seeds = rights(late, BISTABLE, "LateTMaze", TESTED) - rights(late, "GRU", "LateTMaze", TESTED)
    by_signs = binomtest(int((seeds > 0).sum()), int((seeds != 0).sum())).pvalue
    yield Phrase("lead over the GRU is {} and p", ratio(ahead))
    yield Phrase("an exact sign test gives {} before", ratio.value(Known(by_signs, np.nan, np.nan, LATE_FILE)))
    yield Phrase("16 steps in {} of 64 seeds. Its", _holding(late, "leaky bank", "LateTMaze", TAUGHT, LATE_FILE))
    yield Phrase("every episode in {} of 64 seeds", _holding(late, "amplified filter", "LateTMaze", file=LATE_FILE))
    yield Phrase(
        "holds the late cue in {} of 64 seeds", _holding(late, "leaky cell, guided", "LateTMaze", file=LATE_FILE)
    )


def of_states(played: pl.DataFrame) -> Iterator[Phrase]:
    """What the point on the number of states says."""
    found = foretold(played).filter(pl.col("points") > 0).with_columns(told=(pl.col("points") == 2) == pl.col("holds"))
    quiet, noise, gru = (
        found.filter(condition)
        for condition in (pl.col("task") == "TMaze", pl.col("task") == "NoisyTMaze", pl.col("arm") == "GRU")
    )
    planned = found.filter(~pl.col("arm").is_in(ADDED))
    yield Phrase(
        "{} of all agents ({} of {}; {} of those of the ten arms that were planned), {} in the quiet maze",
        _share(found), Shown(f"{found['told'].sum():,}", FILE), Shown(f"{len(found):,}", FILE), _share(planned),
        _share(quiet),
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


def _right(played: pl.DataFrame, arm: str, task: str, delay: int) -> Shown:
    return ratio.value(Known(*bootstrap(np.mean, rights(played, arm, task, delay)), FILE))


def _holding(played: pl.DataFrame, arm: str, task: str, delay: int = TESTED, file: str = FILE) -> Shown:
    return Shown(str(holding(played, arm, task, delay)), file)


def _lead(played: pl.DataFrame, arm: str, rival: str, task: str, delay: int = TESTED, file: str = FILE) -> Known:
    found = difference(rights(played, arm, task, delay), rights(played, rival, task, delay), np.mean, paired=True)
    return Known(found.value, found.low, found.high, file)


def _share(rows: pl.DataFrame) -> Shown:
    return percent.value(Known(float(rows["told"].to_numpy().mean()), float("nan"), float("nan"), FILE))
