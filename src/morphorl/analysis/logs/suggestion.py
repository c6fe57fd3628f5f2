"""A pattern for names that no default tells apart: what is a number, what is shared and what is each run's own.

Names are cut at `/`, `-`, `_`, `.` and spaces. A piece that all runs share stays as it is. The last piece that is a
number, alone or behind shared letters, is the seed; where other pieces differ too, some runs must share it, or it might
be the time of a start. A piece that the seed decides (as a date may be), or that has more values than half as many as
there are runs, is anything (`{}`); every other one says which arm a run is of. The pattern is shown, and never taken by
itself.
"""

import re
from collections.abc import Sequence

from morphorl.analysis.logs import pattern

_CUTS = re.compile(r"([-_./ ])")


def suggest(names: Sequence[str]) -> str | None:
    """A pattern that fits all names, and gives some arm two runs; None if there is none.

    Example:
        >>> suggest([f"logs/exp-{arm}-s{seed}-{arm[0]}{7 * seed}" for arm in ("ppo", "sac") for seed in (1, 2)])
        'exp-{arm}-s{seed}-{}'
    """
    if any(brace in name for name in names for brace in "{}"):
        return None
    cut = [_CUTS.split(name) for name in names]
    if len({tuple(pieces[1::2]) for pieces in cut}) != 1 or len(cut) < 3:
        return None
    columns = list(zip(*cut, strict=True))
    varying = [i for i, values in enumerate(columns) if len({*values}) > 1]
    shared = [i for i in varying if len({*columns[i]}) < len(names)] if len(varying) > 1 else varying
    numbers = [i for i in shared if _is_numbered(columns[i])]
    seeds = columns[numbers[-1]] if numbers else None
    named: list[str] = []
    found = [_piece(values, seeds, named) for values in columns]
    parts = "".join(found).split("/")
    first = next((i for i, part in enumerate(parts) if re.search(r"{\w+}", part)), len(parts))
    suggested = "/".join(parts[first:])
    return suggested if _tells_apart(suggested, names) else None


def _piece(values: Sequence[str], seeds: Sequence[str] | None, named: list[str]) -> str:
    """What stands for a piece of all names; `named` has the fields before it, and gets its own."""
    distinct, letters = {*values}, _letters(values)
    if len(distinct) == 1:
        return values[0]
    if values is seeds:
        return f"{letters}{{seed}}"
    decided = seeds is not None and len({*zip(seeds, values, strict=True)}) == len({*seeds})
    if decided or 2 * len(distinct) > len(values):
        return "{}"
    if not named:
        named.append("arm")
        return "{arm}"
    own = letters.isidentifier() and letters not in (*named, *pattern.FIELDS)
    named.append(letters if own else f"part{len(named) + 1}")
    return f"{letters}{{{named[-1]}}}"


def _letters(values: Sequence[str]) -> str:
    """What all have before their first digit; empty if that differs."""
    found = {re.split(r"\d", value, maxsplit=1)[0] for value in values}
    return found.pop() if len(found) == 1 else ""


def _is_numbered(values: Sequence[str]) -> bool:
    """Whether all are whole numbers behind the same letters."""
    return all(value[len(_letters(values)) :].isdecimal() for value in values)


def _tells_apart(suggested: str, names: Sequence[str]) -> bool:
    if not re.search(r"{\w+}", suggested):
        return False
    found = [pattern.match(suggested, name) for name in names]
    if not all(found):
        return False
    labels = [pattern.labels(fields or {}) for fields in found]
    runs = {tuple(sorted(one.items())) for one in labels}
    apart = "{seed}" not in suggested or len(runs) == len(names)
    return apart and len({one.get("arm") for one in labels}) < len(names)
