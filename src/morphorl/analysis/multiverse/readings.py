"""The wider multiverse: what the post leaves open as axes, a balanced fraction of their cross, and its study file."""

import functools
import json
from collections.abc import Iterator
from typing import NamedTuple

from morphorl.analysis.multiverse import design
from morphorl.config.errors import SettingError
from morphorl.config.plain import to_dict
from morphorl.ppo.settings import PPO, PRESETS, Settings
from morphorl.studies.arms import flatten, nest

Value = str | float | int | bool | tuple[int, ...]


class Axis(NamedTuple):
    """A choice that the post leaves open: its levels by name, each the settings by dotted name that it stands for."""

    name: str
    levels: dict[str, dict[str, Value]]


def _one(setting: str, *values: Value) -> dict[str, dict[str, Value]]:
    return {f"{value:g}" if isinstance(value, float) else str(value): {setting: value} for value in values}


def _blend(kind: str, weight: float) -> dict[str, Value]:
    return {"blend.kind": kind, "blend.weight": weight}


def _ppo(settings: PPO, **changes: Value) -> dict[str, Value]:
    """All of PPO's settings but `anneal_steps`, which the study gives once."""
    values = to_dict(settings) | changes
    return {f"ppo.{name}": value for name, value in values.items() if name != "anneal_steps"}


def _diffusion(activator: float, inhibitor: float) -> dict[str, Value]:
    return {"dynamics.activator_diffusion": activator, "dynamics.inhibitor_diffusion": inhibitor}


AXES = (
    Axis("coupling", _one("dynamics.coupling", "mean", "lattice", "partner")),
    Axis("initial", _one("dynamics.initial", "signed", "positive")),
    Axis("scale", _one("dynamics.initial_scale", 0.1, 1.0)),
    Axis("rates", {"default": _diffusion(0.1, 0.4), "Turing": _diffusion(0.02, 0.8)}),
    Axis("emphasis", _one("dynamics.emphasis", "linear", "softmax", "winner")),
    Axis("drive", _one("dynamics.drive", 0.0, 0.3)),
    Axis("gate", _one("dynamics.gate", "none", "rows")),
    Axis("reset", _one("dynamics.reset", "episode", "redraw", "never")),
    Axis("readout", _one("dynamics.readout", "activator", "difference")),
    Axis(
        "blend",
        {
            "average 0.1": _blend("average", 0.1),
            "average 0.3": _blend("average", 0.3),
            "average 0.6": _blend("average", 0.6),
            "add 0.3": _blend("add", 0.3),
            "add 1": _blend("add", 1.0),
        },
    ),
    Axis(
        "PPO",
        {
            "standard": _ppo(PRESETS["standard"]),
            "standard ×1": _ppo(PRESETS["standard"], num_envs=1),
            "tuned": _ppo(PRESETS["tuned"]),
            "sb3": _ppo(PRESETS["sb3"]),
        },
    ),
)
"""The axes of the multiverse. `standard ×1` is `standard` with one environment."""

COUNTS = [len(axis.levels) for axis in AXES]
READINGS = 48
"""The number of readings in the fraction; the whole cross has 51,840."""
STRENGTHS = (0.0, 0.1, 0.3)
STARTS = 20
"""Random designs that the search for balance begins from."""

Levels = dict[str, str]
"""By an axis's name, the name of the level that a reading has."""

INTRODUCTION = """\
# The wider multiverse: 48 readings of the post out of the 51,840 that eleven of its open choices allow, each at three
# strengths of guidance. Which choices carry the effect of guidance? (docs/readings.md; `morphorl multiverse DIR`.)
#
# The 48 are a balanced fraction of the whole cross, made by
#
#     python -c "from morphorl.analysis.multiverse import readings; print(readings.study_text(), end='')"
#
# and a test makes them again. The learning rate falls as over 100,000 steps, so that the mean return of these 20,000 is
# the early return of a run of 100,000 (`sb3` has no annealing). References: plain PPO with each of the four settings of
# PPO, and a readout of zeros with each of these and each averaging blend that a reading has with it. Added, zeros are
# plain PPO.
"""


@functools.cache
def fraction() -> tuple[Levels, ...]:
    """The readings of the multiverse: a balanced design over all axes (`design.balanced`), ordered by PPO and blend."""
    rows = design.balanced(COUNTS, READINGS, STARTS).tolist()
    return tuple(
        {axis.name: list(axis.levels)[place] for axis, place in zip(AXES, row, strict=True)}
        for row in sorted(rows, key=lambda row: row[::-1])
    )


def settings_of(levels: Levels) -> dict[str, Value]:
    """The settings of a reading by dotted name."""
    return {
        name: value for axis in AXES if axis.name in levels for name, value in axis.levels[levels[axis.name]].items()
    }


def levels_of(settings: Settings) -> Levels:
    """The level of every axis that settings have: the inverse of `settings_of`.

    Raises:
        SettingError: if they have none of an axis's levels.
    """
    values = flatten({table: to_dict(getattr(settings, table)) for table in ("dynamics", "blend", "ppo")})
    return {axis.name: _level(axis, values) for axis in AXES}


def _level(axis: Axis, values: dict[str, Value]) -> str:
    for level, wanted in axis.levels.items():
        if all(values[name] == value for name, value in wanted.items()):
            return level
    different = next(iter(next(iter(axis.levels.values()))))
    raise SettingError(
        f"{different} = {values[different]!r}: is no level of the multiverse; the {axis.name} must be one of "
        f"{', '.join(axis.levels)}."
    )


def study_text() -> str:
    """The study file of the multiverse."""
    once = (
        'name = "multiverse"\nenvironments = ["CartPole-v1"]\nseeds = 16\nfirst_seed = 12_200\nsteps = 20_000\n'
        "evaluate_every = 0\nsettings.ppo.anneal_steps = 100_000\n"
    )
    return "\n".join([INTRODUCTION, once, *_references(), *_readings()])


def _readings() -> Iterator[str]:
    for number, levels in enumerate(fraction(), start=1):
        yield _arm(f"reading {number}, γ = {{guidance.strength}}", settings_of(levels), STRENGTHS)


def _references() -> Iterator[str]:
    pairs = dict.fromkeys((one["PPO"], one["blend"]) for one in fraction())
    for ppo in dict.fromkeys(ppo for ppo, _ in pairs):
        yield _arm(f"plain PPO, {ppo}", settings_of({"PPO": ppo}) | {"blend.weight": 0.0})
    for ppo, blend in pairs:
        if blend.startswith("average"):
            zero = settings_of({"PPO": ppo, "blend": blend}) | {"dynamics.initial_scale": 0.0}
            yield _arm(f"zero readout, {ppo}, {blend}", zero)


def _arm(label: str, settings: dict[str, Value], strengths: tuple[float, ...] = ()) -> str:
    """An arm in TOML, a line for each table; of PPO's settings, those that are not the default."""
    usual = _ppo(PRESETS["standard"])
    tables = nest({name: value for name, value in settings.items() if usual.get(name) != value})
    lines = [f"[arms.{_toml(label)}]"]
    for table, values in tables.items():
        lines.append(f"{table} = {{ {', '.join(f'{name} = {_toml(value)}' for name, value in values.items())} }}")
    if strengths:
        lines.append(f"guidance.strength = {_toml(list(strengths))}")
    return "\n".join(lines) + "\n"


def _toml(value: Value | list[float]) -> str:
    return str(value) if isinstance(value, float) else json.dumps(value, ensure_ascii=False)
