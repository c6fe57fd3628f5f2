"""How long a study will take: from its amount of work, and how fast this machine was the last time."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple

from morphorl.devices import cache_folder
from morphorl.files import write_atomically
from morphorl.settings import Settings

TYPICAL = 1.6e6
"""Work per second and core where nothing was measured (two cores of a small cloud machine)."""
COMPILING = 20.0
"""Seconds to compile a program."""


class Speed(NamedTuple):
    """Work per second, and how it is known, in words."""

    work_per_second: float
    source: str


def work(settings: Settings) -> int:
    """The work of one run: passes of a sample through the networks, one to act and three for each epoch of learning.

    A coarse measure: it leaves the environment, the evaluations and the networks' size aside.
    """
    return settings.updates * settings.ppo.batch * (1 + 3 * settings.ppo.epochs)


def seconds(programs: Iterable[tuple[Settings, int]], speed: Speed) -> float:
    """The time for so many runs of each program."""
    return sum(COMPILING + runs * work(settings) / speed.work_per_second for settings, runs in programs)


def remember(work_per_second: float) -> None:
    """Keep how fast this machine was, for the next plan."""
    with suppress(OSError):  # a courtesy, which may not stop anything
        cache_folder().mkdir(parents=True, exist_ok=True)
        write_atomically(_file(), lambda path: path.write_text(json.dumps({"work_per_second": work_per_second})))


def speed() -> Speed:
    """What this machine reached in the latest study, or else a typical value."""
    cores = len(os.sched_getaffinity(0))
    try:
        known = float(json.loads(_file().read_text())["work_per_second"])
    except (OSError, ValueError, KeyError, TypeError):
        return Speed(TYPICAL * cores, f"at a speed that is typical of {cores} cores (nothing was measured here yet)")
    return Speed(known, "at the speed of the latest study on this machine")


def duration(seconds: float) -> str:
    """A time span in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"


def _file():
    return cache_folder() / "speed.json"
