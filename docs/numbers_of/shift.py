"""The numbers of docs/shift.md that stand in its sentences; docs/shift_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from jaxtyping import Float
from places import Phrase
from result_files import Results
from shift_page import BEST, HALF, LUNAR, ON_RADIAL, PLAIN, RADIAL, TASKS, WITHIN, cost, lead_of, of, read
from styles import Known, Shown, whole

from morphorl.analysis.bootstrap import Effect, difference

LENGTH, GRAVITY, PUSHES = SWITCHES = tuple(TASKS)[:3]
NONE, STREAM, BANK, OBSERVATION = "the same, γ = 0", "Stream AC(λ)", "leaky bank", "three factors, observation"
LATE = 2
"""Blocks that a return of PPO comes late at most."""


class Rows:
    """A file of docs/results/shift, and differences between its arms."""

    def __init__(self, name: str) -> None:
        self.file, self.rows = f"shift/{name}.parquet", read(name)

    def of_task(self, task: str) -> pl.DataFrame:
        """The rows of a task, with `loss`, before less after."""
        return self.rows.filter(environment=task).with_columns(loss=pl.col("before") - pl.col("after"))

    def seeds(self, task: str, arm: str, column: str) -> Float[np.ndarray, " seeds"]:
        """A measure of each seed."""
        return of(self.of_task(task), arm, column)

    def lead(self, task: str, arm: str, rival: str, column: str = "after") -> Shown:
        """The mean difference of two arms, paired by seed."""
        found = lead_of(self.of_task(task), arm, rival, column)
        return whole(Known(found.value, found.low, found.high, self.file))

    def mean(self, task: str, arm: str, column: str = "after") -> Shown:
        """The mean of an arm."""
        return Shown(f"{self.seeds(task, arm, column).mean():.0f}", self.file)

    def lead_if_late(self, task: str) -> Shown:
        """The lead of Stream AC(λ) over plain PPO, were all of PPO's returns late."""
        blocks = [np.stack(self.seeds(task, arm, "blocks").tolist()) for arm in (STREAM, PLAIN)]
        stream, plain = blocks[0][:, HALF:-LATE], blocks[1][:, HALF + LATE :]
        return Shown(f"{stream.mean() - plain.mean():.0f}".replace("-", "−"), self.file)


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    rows, rates, longer, steady = (Rows(name) for name in ("recovery", "rates", "longer", "without"))
    radial, lunar = Rows("radial"), Rows("lunar")
    yield from costs(rows, Rows("never"))
    yield Phrase(
        "by {} with the longer pole, {} with more gravity, {} with the pushes exchanged, and {} where",
        *(rows.lead(task, BEST, NONE) for task in TASKS),
    )
    yield Phrase(
        "the blind cell is behind by {} with more gravity and by {} with exchanged pushes, rising guidance by {} with",
        *(rows.lead(task, NONE, "blind cell") for task in (GRAVITY, PUSHES)),
        rows.lead(GRAVITY, NONE, "rising"),
    )
    behind = (rows.lead(task, NONE, OBSERVATION) for task in SWITCHES)
    yield Phrase("are behind after all three switches, by {}, {} and {}.", *behind)
    yield Phrase("It leads plain PPO by {}, {} and {}.", *(rows.lead(task, STREAM, PLAIN) for task in SWITCHES))
    yield Phrase("before any change, it leads by {} already", rows.lead(PUSHES, STREAM, PLAIN, "first"))
    yield Phrase("only where the pushes are exchanged, by {};", rows.lead(PUSHES, PLAIN, STREAM, "loss"))
    yield Phrase("ends ahead, at {} against {}.", *(rows.mean(GRAVITY, arm, "last") for arm in (PLAIN, STREAM)))
    yield Phrase("Within episodes Stream AC(λ) is behind plain PPO by {}.", rows.lead(WITHIN, PLAIN, STREAM))
    yield Phrase(
        "It earns {} in the second half of training, a frame stack {}, plain PPO {}, a bistable cell {}, "
        "Stream AC(λ) {}, a GRU {}.",
        *(rows.mean(WITHIN, arm) for arm in (BANK, "frame stack", PLAIN, "bistable cell", STREAM, "GRU")),
    )
    yield Phrase("It leads the frame stack by {}", rows.lead(WITHIN, BANK, "frame stack"))
    yield Phrase("it is behind plain PPO by {}, and the last", rows.lead(PUSHES, PLAIN, BANK))
    yield Phrase("own settings it is behind by {}.", rates.lead(PUSHES, PLAIN, "leaky bank, entropy .01"))
    yield Phrase("they lead plain PPO by {} after the exchange", rates.lead(PUSHES, "resets, entropy 0", PLAIN))
    yield Phrase("lead themselves without strength by {} on Acrobot", steady.lead("Acrobot-v1", BEST, NONE, "all"))
    yield Phrase("lead that same arm by {}.", steady.lead("MountainCar-v0", OBSERVATION, NONE, "all"))
    yield Phrase(
        "three factors on them lead plain PPO by {} on Acrobot and {} on MountainCar: not told",
        *(radial.lead(task, RADIAL, PLAIN, "all") for task in ON_RADIAL),
    )
    yield Phrase(
        "hidden layer are behind themselves without strength by {}, and on the observation they harm, by {}.",
        *(lunar.lead(task, NONE, arm, "all") for task in LUNAR for arm in (BEST, OBSERVATION)),
    )
    yield Phrase("pushes would be {}, and with more gravity {}.", *map(rows.lead_if_late, (PUSHES, GRAVITY)))
    yield Phrase(
        "the GRU ends at {}, and the bank at {}.", *(longer.mean(WITHIN, arm, "last") for arm in ("GRU", BANK))
    )


def costs(rows: Rows, never: Rows) -> Iterator[Phrase]:
    """What a switch costs, beside the same agents where nothing changes."""

    def of_arm(task: str, arm: str) -> Float[np.ndarray, " seeds"]:
        return of(never.rows, arm, "after") - rows.seeds(task, arm, "after")

    def costs_of(task: str, arm: str) -> Shown:
        return shown(cost(rows.rows, never.rows, task, arm))

    def less(task: str, arm: str, rival: str) -> Shown:
        return shown(difference(of_arm(task, rival), of_arm(task, arm), np.mean, paired=True))

    def shown(found: Effect) -> Shown:
        return whole(Known(found.value, found.low, found.high, never.file))

    yield Phrase(
        "The longer pole costs it {} in the second half, and plain PPO {}; the exchanged pushes {} and {}.",
        *(costs_of(task, arm) for task in (LENGTH, PUSHES) for arm in (STREAM, PLAIN)),
    )
    yield Phrase(
        "It so loses less than plain PPO by {} and {}.", *(less(task, STREAM, PLAIN) for task in (LENGTH, PUSHES))
    )
    yield Phrase(
        "lose less than themselves without strength by {}, {} and {}: not",
        *(less(task, BEST, NONE) for task in SWITCHES),
    )
