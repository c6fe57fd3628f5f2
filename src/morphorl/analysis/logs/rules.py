"""The rules by which the rows of one log become the points of one run; each that acts leaves a note.

1. A row without a step is refused. A return that is empty or NaN says that no episode had ended, and is left out.
2. Where the step goes back by more than `RESTART` of the run's length, from two rows to two rows at the least, the run
   was started again from a checkpoint: the rows that it repeats, those before at or above that step, are replaced.
3. Where it goes back to the beginning, rows of two runs follow each other: refused, since nobody can say which counts.
4. All other rows that are out of order are sorted by their step, and so are all if more than `SHUFFLED` of them go
   back. Equal steps stay, as episodes that ended together.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from morphorl.analysis.logs.log import Log
from morphorl.config.errors import StoreError

RESTART = 0.02
"""Share of a run's length by which a step must go back to be a restart, and no disorder."""
BEGINNING = 0.05
"""Share of a run's length up to which it is its beginning."""
SHUFFLED = 0.1
"""Share of the rows whose step goes back, from which on they are in no order at all."""


class Tidied(NamedTuple):
    """The points of a run in the order of their steps, and what was done to them."""

    steps: Float[np.ndarray, " points"]
    returns: Float[np.ndarray, " points"]
    notes: tuple[str, ...]


def tidy(log: Log) -> Tidied:
    """The points of a log by the rules above.

    Raises:
        StoreError: if it has no known return, an unknown or negative step, an infinite return, or the rows of two runs.
    """
    rows, notes = log.points, list(log.notes)
    steps = rows["step"].fill_null(np.nan).to_numpy()
    wrong = ~np.isfinite(steps) | (steps < 0)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise StoreError(f"{log.path}: step {steps[place]:g} in row {place + 1}; must be a number of at least 0.")
    returns = rows["return"].fill_null(np.nan).to_numpy()
    if np.isinf(returns).any():
        place = int(np.argmax(np.isinf(returns)))
        raise StoreError(f"{log.path}: return {returns[place]:g} in row {place + 1}; must be a finite number.")
    keep = _without_repeated(steps, log)
    if not keep.all():
        notes.append(f"restarted: {(~keep).sum():,} rows that it repeats are replaced by the later ones")
    steps, returns = steps[keep], returns[keep]
    known = ~np.isnan(returns)
    if not known.any():
        raise StoreError(f"{log.path}: has no return that is a number ({log.source}).")
    if not known.all():
        notes.append(f"{(~known).sum():,} rows without a return are left out")
    steps, returns = steps[known], returns[known]
    late = int((np.diff(steps) < 0).sum())
    if late:
        notes.append(f"{late:,} rows out of order are sorted")
        order = np.argsort(steps, kind="stable")
        steps, returns = steps[order], returns[order]
    return Tidied(steps, returns, tuple(notes))


def _without_repeated(steps: Float[np.ndarray, " points"], log: Log) -> Bool[np.ndarray, " points"]:
    """Which rows stay when every restart replaces what it repeats."""
    keep = np.ones(len(steps), bool)
    back = np.diff(steps) < 0
    if not back.any() or back.mean() > SHUFFLED:
        return keep
    span = steps.max() - steps.min()
    far = RESTART * span
    for place in np.flatnonzero(back) + 1:
        before, after = steps[max(place - 2, 0) : place].min(), steps[place : place + 2].max()
        if before - steps[place] <= far or steps[:place].max() - after <= far or place + 1 == len(steps):
            continue
        if steps[place] <= steps.min() + BEGINNING * span:
            raise StoreError(
                f"{log.path}: the step goes back from {steps[place - 1]:,.0f} to {steps[place]:,.0f} in row "
                f"{place + 1}, to the beginning: rows of two runs follow each other. Give each run a file of its own, "
                "or name the column that tells them apart (--columns seed=…)."
            )
        keep[:place] &= steps[:place] < steps[place]
    return keep
