"""How long training will take: from its amount of work, and how fast this machine was at work of that kind."""

import dataclasses
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from morphorl.config.devices import cache_folder
from morphorl.config.files import write_json
from morphorl.dynamics.base import Dynamics
from morphorl.ppo import kernels
from morphorl.ppo.settings import Settings

TYPICAL = 1.2e6
"""Work per second and core where nothing was measured (two cores of a small cloud machine)."""
COMPILING = 20.0
"""Seconds to compile a program."""


def work(settings: Settings) -> int:
    """The work of one run: passes of a sample through the networks, one to act and three for each epoch of learning.

    A coarse measure. It leaves aside the evaluations and how well a minibatch's size suits a processor, so that speeds
    are kept apart by `kind`.
    """
    return settings.updates * settings.ppo.batch * (1 + 3 * settings.ppo.epochs)


def kind(settings: Settings) -> str:
    """What work must have in common to be done equally fast, in words."""
    ppo = settings.ppo
    beside = "" if settings.blend.kind == "none" else f", {_sized(settings.dynamics)}"
    evaluated = f"{settings.evaluation_episodes} episodes every {settings.evaluate_every}"
    learned = f", learning {', '.join(settings.learned.parameters)}" if settings.learned.parameters else ""
    fused = ", fused" if settings.kernel == "fused" and kernels.takes(settings) else ""
    return (
        f"{ppo.epochs} epochs of {ppo.minibatches} minibatches of {ppo.num_envs} × {ppo.rollout_steps} steps, "
        f"networks {ppo.hidden}, evaluated {evaluated if settings.evaluate_every else 'never'}{beside}{learned}{fused}"
    )


def _sized(dynamics: Dynamics) -> str:
    """The kind of a system, with the whole numbers that shape its program."""
    static = (field.name for field in dataclasses.fields(dynamics) if field.metadata.get("static"))
    sizes = [f"{name} {value}" for name in static if type(value := getattr(dynamics, name)) is int]
    return " ".join([dynamics.kind, *sizes])


def seconds(left: Mapping[str, int], speeds: Mapping[str, float]) -> float:
    """The time for so much work of each kind, at the speeds known by kind; unknown ones are taken for average."""
    average = sum(speeds.values()) / len(speeds) if speeds else TYPICAL * len(os.sched_getaffinity(0))
    return sum(amount / speeds.get(kind, average) for kind, amount in left.items())


def remember(speeds: Mapping[str, float]) -> None:
    """Keep how fast this machine was, for the next plan."""
    with suppress(OSError):  # a courtesy, which may not stop anything
        cache_folder().mkdir(parents=True, exist_ok=True)
        write_json(_file(), known_speeds() | dict(speeds))


def known_speeds() -> dict[str, float]:
    """Work per second that this machine reached before, by kind."""
    try:
        return {str(kind): float(speed) for kind, speed in json.loads(_file().read_text("utf-8")).items() if speed > 0}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def duration(seconds: float) -> str:
    """A time span in words."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"


def _file() -> Path:
    return cache_folder() / "speeds.json"
