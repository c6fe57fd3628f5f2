"""Runs cut into batches that share one compiled program, and what such a program takes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Int

from morphorl.config.choices import chosen_by, differing, mix
from morphorl.ppo.settings import Settings, stack
from morphorl.studies.run import Run


class Batch(NamedTuple):
    """Runs that share one compiled program, the number of runs that this program takes, and what they mix in it."""

    runs: list[Run]
    size: int
    mixed: frozenset[int] = frozenset()
    """The choices that differ between runs of the program (`choices.mixed_choices`)."""
    staged: frozenset[str] = frozenset()
    """The ids of those runs whose agents are kept at every stage of training (`stages.py`)."""


class Stacked(NamedTuple):
    """What a program of several runs takes; every array has the runs as its leading axis."""

    settings: Settings
    seeds: Int[Array, " runs"]
    cell_seeds: Int[Array, " runs"]


def stacked(runs: Sequence[Run], mixed: frozenset[int], size: int = 0) -> Stacked:
    """The settings and seeds of runs that share one program, as that program takes them.

    Fewer runs than `size` are filled up with copies of the last one, whose results are to be dropped: the same program,
    and so the same bits, whatever the number.

    Args:
        mixed: the choices that differ between runs of the program (`choices.mixed_choices`).
    """
    padded = [*runs, *[runs[-1]] * (size - len(runs))]
    seeds, cell_seeds = (jnp.array([getattr(run, name) for run in padded]) for name in ("seed", "cell_seed"))
    return Stacked(stack([mix(run.settings, mixed) for run in padded]), seeds, cell_seeds)


class Program(NamedTuple):
    """All runs of a study that share one compiled program, by their ids, and the choices in which they differ."""

    runs: dict[str, Run]
    mixed: frozenset[int]


def programs(runs: Iterable[Run]) -> list[Program]:
    """Group runs by the program that trains them; a run under two labels comes once."""
    grouped: dict[object, dict[str, Run]] = {}
    names: dict[object, set[tuple[str | None, ...]]] = defaultdict(set)
    of: dict[int, dict[str, Run]] = {}  # settings are shared by many runs, and alive as long as those are
    for run in runs:
        group = of.get(id(run.settings))
        if group is None:
            chosen = chosen_by(run.settings)
            group = of[id(run.settings)] = grouped.setdefault(chosen.program, {})
            names[chosen.program].add(chosen.names)
        group[run.id] = run
    return [Program(group, differing(names[program])) for program, group in grouped.items()]


def batches(
    runs: Iterable[Run], finished: set[str], largest: int, multiple: int, staged: frozenset[str] = frozenset()
) -> Iterator[Batch]:
    """Cut the runs that are not finished into batches, in the order given; a run under two labels comes once.

    A program and its size depend on all runs of the study, not on those still missing, so that an interrupted study
    goes on with the very same programs. The size is a multiple of `multiple` (the number of devices) and at most
    `largest`; fewer runs than devices are a program of just their number.

    Args:
        staged: the ids of runs whose agents are kept at every stage of training.
    """
    for program in programs(runs):
        size = _size(len(program.runs), largest, multiple)
        missing = [run for id, run in program.runs.items() if id not in finished]
        for start in range(0, len(missing), size):
            part = missing[start : start + size]
            yield Batch(part, size, program.mixed, staged.intersection(run.id for run in part))


def _size(runs: int, largest: int, multiple: int) -> int:
    return runs if runs < multiple else min(largest, -(-runs // multiple) * multiple)
