"""How runs of another program were understood, as rows of a table and sentences, before anything is computed."""

from collections.abc import Sequence
from typing import NamedTuple

from morphorl.analysis.logs import grid
from morphorl.analysis.logs.reading import is_lonely
from morphorl.analysis.logs.runs import Runs


class Understood(NamedTuple):
    """One arm in one environment."""

    environment: str
    arm: str
    runs: int
    seeds: str
    """The seeds, such as `0–7`; a dash where none were read."""
    points: str
    """How many points a run has, from the fewest to the most."""
    ends: str
    """The last steps, from the first to the last."""
    kinds: str


def rows(runs: Runs) -> list[Understood]:
    """A row for each environment and arm."""
    found = []
    for environment in runs.environments:
        here = runs.of(environment)
        for arm in dict.fromkeys(run.arm for run in here):
            own = [run for run in here if run.arm == arm]
            counts = [len(one.steps) for run in own for one in run.kinds.values()]
            ends = [grid.last_step(run) for run in own]
            kinds = " and ".join(dict.fromkeys(kind for run in own for kind in run.kinds))
            seeds = spans([run.seed for run in own]) if runs.reading.has_seeds else "–"
            found.append(Understood(environment, arm, len(own), seeds, _range(counts), _range(ends), kinds))
    return found


def sentences(runs: Runs) -> list[str]:
    """Where names and numbers came from, and every rule that acted."""
    reading = runs.reading
    told = [f"Read {source}: {count} {'log' if count == 1 else 'logs'}." for source, count in reading.sources.items()]
    whose = "recognised; --pattern gives another" if reading.recognised else "given"
    told += [f"Names by the pattern {pattern} ({whose})." for pattern in reading.patterns]
    if is_lonely(reading.runs):
        names = ", ".join(str(run.paths[0].parent) for run in reading.runs[:2])
        told.append(
            f"Every arm has one run, and nothing can be compared. If some are seeds of one arm, --pattern says how "
            f"they are named: {names}, …"
        )
    if not reading.has_seeds:
        told.append("No seeds were found in names or columns: runs are numbered, and no two are paired.")
    told += [
        f"{name} in {count} of the folders was left out: another log there is more exact (--format reads it instead)."
        for name, count in reading.passed.items()
    ]
    if reading.ignored:
        told.append(f"{reading.ignored:,} other files were left out.")
    acted: dict[str, list[str]] = {}
    for run in reading.runs:
        for one in run.kinds.values():
            for note in one.notes:
                acted.setdefault(note, []).append(f"{run.arm}, seed {run.seed}")
    told += [f"{_some(names)}: {note}." for note, names in acted.items()]
    return told


def spans(numbers: Sequence[int]) -> str:
    """Whole numbers in a few characters: `0–3, 7`."""
    parts: list[list[int]] = []
    for number in sorted(set(numbers)):
        if parts and number == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], number]
        else:
            parts.append([number])
    return ", ".join("–".join(map(str, part)) for part in parts)


def _range(values: Sequence[float | int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,.0f}" if low == high else f"{low:,.0f} to {high:,.0f}"


def _some(names: Sequence[str]) -> str:
    shown = "; ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown}; and {len(names) - 3} more"
