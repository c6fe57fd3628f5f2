"""A study: arms × environments × seeds, cut into batches that share one compiled program."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax

from morphorl.blend import Blend
from morphorl.cell import Cell
from morphorl.checks import SettingError
from morphorl.guidance import Guidance
from morphorl.settings import PPO, Settings, to_dict

ALGORITHM_VERSION = 2
"""Part of every run's identity: raise it when a change makes the same settings give another result."""

POST_STRENGTHS = (0.0, 0.01, 0.05, 0.1, 0.3)


@dataclass(frozen=True)
class Run:
    """One agent in training, and everything that determines its result."""

    arm: str
    settings: Settings
    seed: int
    cell_seed: int

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that stand for all that determines the result (the arm's label does not)."""
        return _digest({"settings": to_dict(self.settings), "seed": self.seed, "cell_seed": self.cell_seed})


@dataclass(frozen=True)
class Study:
    """A question put as arms (a label and its settings) × environments × seeds, the seeds common to all arms."""

    name: str
    environments: tuple[str, ...]
    arms: dict[str, Settings]
    seeds: int
    first_seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("seeds", 1), ("first_seed", 0)):
            if getattr(self, name) < least:
                raise SettingError(f"{name} = {getattr(self, name)}: must be a whole number of at least {least}.")

    def runs(self) -> list[Run]:
        """All runs, seed by seed, so that every arm shows a first result early."""
        return [
            Run(arm, replace(settings, environment=environment), seed, cell_seed=seed)
            for environment in self.environments
            for seed in range(self.first_seed, self.first_seed + self.seeds)
            for arm, settings in self.arms.items()
        ]

    @property
    def id(self) -> str:
        """What makes it the same study: everything but the number of seeds, which may grow."""
        return _digest(self.describe())

    def describe(self) -> dict:
        """The study without its seeds, as plain values."""
        arms = {arm: to_dict(settings) for arm, settings in self.arms.items()}
        return {"name": self.name, "environments": list(self.environments), "arms": arms}


def blind_dynamics(seeds: int, steps: int, ppo: PPO) -> Study:
    """The post's experiment: plain PPO, a scale-matched zero readout, and blind guidance of growing strength.

    The zero readout blends zeros in with the same weight, so that it shares the shrinking of the logits and nothing
    else. Plain PPO is a blend of weight 0; that it is exactly plain PPO is a test.
    """

    common = Settings(steps=steps, ppo=ppo)
    arms = {
        "plain PPO": replace(common, blend=Blend(weight=0.0)),
        "zero readout": replace(common, cell=Cell(initial_scale=0.0)),
    } | {f"γ = {strength:g}": replace(common, guidance=Guidance(strength=strength)) for strength in POST_STRENGTHS}
    return Study("blind_dynamics", ("CartPole-v1", "StatelessCartPole-v1"), arms, seeds)


class Batch(NamedTuple):
    """Runs that share one compiled program, and the number of runs that this program takes."""

    runs: list[Run]
    size: int


def batches(runs: list[Run], finished: set[str], largest: int, multiple: int) -> Iterator[Batch]:
    """Cut the runs that are not finished into batches, in the order given; a run under two labels comes once.

    A program's size depends on all runs of the study, not on those still missing, so that an interrupted study goes on
    with the very same programs. It is a multiple of `multiple` (the number of devices) and at most `largest`.
    """
    programs: dict[object, dict[str, Run]] = {}
    for run in runs:
        programs.setdefault(jax.tree.structure(run.settings), {})[run.id] = run
    for program in programs.values():
        size = len(program) if len(program) < multiple else min(largest, -(-len(program) // multiple) * multiple)
        missing = [run for run in program.values() if run.id not in finished]
        yield from (Batch(missing[i : i + size], size) for i in range(0, len(missing), size))


def _digest(content: object) -> str:
    text = json.dumps([ALGORITHM_VERSION, content], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
