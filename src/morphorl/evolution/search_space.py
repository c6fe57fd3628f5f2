"""What `morphorl evolve` searches: an arm, the fitness, and the numeric settings with the range of each."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

import equinox as eqx
import numpy as np
from jaxtyping import Float

from morphorl.analysis import curve_statistics
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.fields import COUNT, COUNT_OR_ZERO, hints_of
from morphorl.config.plain import from_dict, to_dict
from morphorl.ppo.settings import Settings
from morphorl.studies import arms, study_file
from morphorl.studies.study import Study
from morphorl.studies.study_file import EVOLVE

SCALES = ("linear", "log")
EVOLVED = "evolved"
"""The label of the winner's arm."""
LEAST_POPULATION = 4
DIGITS = 4
"""Significant digits of a candidate's values: fewer than a run could tell apart, and short enough to read."""


class Axis(NamedTuple):
    """The range of one setting, and whether the search moves evenly in its value or in its logarithm."""

    low: float
    high: float
    scale: str = "linear"

    def to_unit(self, value: float) -> float:
        """The place of a value in [0, 1]."""
        low, high, value = (math.log(x) if self.scale == "log" else x for x in (self.low, self.high, value))
        return (value - low) / (high - low)

    def from_unit(self, place: float) -> float:
        """The value at a place in [0, 1], to four significant digits."""
        low, high = (math.log(x) if self.scale == "log" else x for x in (self.low, self.high))
        value = low + place * (high - low)
        value = math.exp(value) if self.scale == "log" else value
        return min(max(float(f"{value:.{DIGITS}g}"), self.low), self.high)


@dataclass(frozen=True)
class Search:
    """The `[evolve]` table of a study file.

    Every generation is trained on `seeds` fresh tuning seeds: generation g on those from `first_seed` + g·`seeds` on.
    """

    arm: str
    """The label of the arm that the search starts from."""
    fitness: str
    """The statistic to improve, one of `curve_statistics.STATISTICS`."""
    generations: int
    population: int
    """Candidates of each generation."""
    seeds: int
    """Tuning seeds of each generation, common to its candidates."""
    first_seed: int = 1000
    search: Mapping[str, Axis] = field(default_factory=dict)
    """The range of each setting by its dotted name."""

    @property
    def smaller_is_better(self) -> bool:
        """Whether the fitness counts steps, of which fewer are better."""
        return self.fitness == "steps_to_threshold"

    def seeds_of(self, generation: int) -> int:
        """The first tuning seed of a generation."""
        return self.first_seed + generation * self.seeds

    def place(self, start: Settings) -> Float[np.ndarray, " settings"]:
        """Where settings lie in the unit box."""
        values = arms.flatten(without_shared(start))
        return np.array([axis.to_unit(values[name]) for name, axis in self.search.items()])

    def values(self, place: Float[np.ndarray, " settings"]) -> dict[str, float]:
        """The settings, by dotted name, at a place in or beside the unit box."""
        inside = fold(place)
        return {name: axis.from_unit(float(x)) for (name, axis), x in zip(self.search.items(), inside, strict=True)}


KEYS = [field.name for field in fields(Search)]
REQUIRED = ("arm", "fitness", "generations", "population", "seeds", "search")


def fold(place: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """Reflect what lies outside of the unit box back into it: |((x + 1) mod 2) − 1|.

    Unlike clipping it leaves no plateau beyond an edge, on which a search would drift.
    """
    return np.abs((place + 1) % 2 - 1)


def changed(settings: Settings, values: Mapping[str, float]) -> Settings:
    """Settings in which some, by dotted name, have other values.

    Raises:
        SettingError: for a value that is not allowed.
    """
    shared = {name: getattr(settings, name) for name in arms.SHARED}
    flat = arms.flatten(without_shared(settings)) | dict(values)
    return from_dict(Settings, shared | arms.nest(flat))


def without_shared(settings: Settings) -> dict[str, Any]:
    """Settings as nested plain values, but for those that a study gives once."""
    return {name: value for name, value in to_dict(settings).items() if name not in arms.SHARED}


def numeric(settings: eqx.Module, prefix: str = "") -> list[str]:
    """The dotted names of all array-valued numbers of settings: what runs of one program may differ in."""
    names = []
    hints = hints_of(type(settings))
    for one in fields(settings):
        value = getattr(settings, one.name)
        if isinstance(value, eqx.Module):
            names += numeric(value, f"{prefix}{one.name}.")
        elif hints[one.name] is float and not one.metadata.get("static", False):
            names.append(prefix + one.name)
    return names


def load_search(study: str, changes: list[str] | tuple[str, ...] = ()) -> tuple[Study, Search]:
    """A study with an `[evolve]` table, and the search that this table describes.

    Raises:
        SettingError: as `study_file.load` does, and for a study without that table.
    """
    loaded, tables = study_file.load_with_tables(study, changes)
    name = study_file.path_of(study).name
    if EVOLVE not in tables:
        raise SettingError(f"{name}: evolve: missing; a study to evolve needs an [evolve] table.")
    try:
        return loaded, from_table(tables[EVOLVE], loaded)
    except SettingError as error:
        raise type(error)(f"{name}: {error}") from error


def from_table(table: Any, study: Study) -> Search:
    """The search that a study file's `[evolve]` table describes, checked against its study.

    Raises:
        SettingError: naming the key, the value and what is allowed.
    """
    if not isinstance(table, dict):
        raise SettingError(f"evolve = {table!r}: must be a table.")
    for key in table:
        if key not in KEYS:
            raise SettingError(f"evolve.{key}: no such key; must be one of {', '.join(KEYS)}.{did_you_mean(key, KEYS)}")
    for key in REQUIRED:
        if key not in table:
            raise SettingError(f"evolve.{key}: missing; a search needs {', '.join(REQUIRED)}.")
    for key, allowed in (("generations", COUNT), ("seeds", COUNT), ("first_seed", COUNT_OR_ZERO)):
        if key in table and (isinstance(table[key], bool) or not allowed.holds(table[key])):
            raise SettingError(f"evolve.{key} = {table[key]!r}: must be {allowed.words}.")
    population = table["population"]
    if not COUNT.holds(population) or population < LEAST_POPULATION:
        raise SettingError(
            f"evolve.population = {population!r}: must be a whole number of at least {LEAST_POPULATION}."
        )
    _check_name("evolve.arm", table["arm"], list(study.arms))
    _check_name("evolve.fitness", table["fitness"], list(curve_statistics.STATISTICS))
    if not isinstance(table["search"], dict) or not table["search"]:
        raise SettingError(
            f"evolve.search = {table['search']!r}: must be a table with the range of one setting or more."
        )
    without_axes: dict[str, Any] = table | {"search": {}}
    search = Search(**without_axes)
    begin = start(search, study)
    known = numeric(begin)
    search = replace(search, search={name: _axis(name, entry, known) for name, entry in table["search"].items()})
    _check_study(search, study)
    _check_seeds(search, study)
    _check_start(search, begin)
    return search


def start(search: Search, study: Study) -> Settings:
    """The settings that a search starts from."""
    arm = study.arms[search.arm]
    if not isinstance(arm, Settings) and arms.count(arm) > 1:
        raise SettingError(
            f"evolve.arm = {search.arm!r}: is a sweep of {arms.count(arm)} combinations ({', '.join(arms.axes(arm))}); "
            "must be an arm of one."
        )
    alone = Study(study.name, study.environments, {"start": arm}, 1, steps=study.steps,
                  evaluate_every=study.evaluate_every, evaluation_episodes=study.evaluation_episodes,
                  presets=study.presets, settings=study.settings, kernel=study.kernel)  # fmt: skip
    return next(alone.iterate()).settings


def with_winner(search: Search, study: Study, values: Mapping[str, float]) -> Study:
    """The study with the winner as one more arm, to be run on its own (the reporting) seeds."""
    arm = study.arms[search.arm]
    base = arms.flatten(without_shared(arm) if isinstance(arm, Settings) else arm)
    winner = arms.nest(base | dict(values))
    described = {one.name: getattr(study, one.name) for one in fields(Study)}
    name = f"{study.name[: 64 - len(EVOLVED) - 1]}_{EVOLVED}"
    return Study(**(described | {"name": name, "arms": {**study.arms, EVOLVED: winner}}))


def _axis(name: str, entry: Any, known: list[str]) -> Axis:
    quoted = f'evolve.search."{name}"'
    if isinstance(entry, dict) and set(entry) - set(Axis._fields) and not {"low", "high"} & set(entry):
        raise SettingError(f'{quoted}: a setting\'s dotted name needs quotes, as in "{name}.{next(iter(entry))}".')
    if name not in known:
        raise SettingError(f"{quoted}: must be a numeric setting: {', '.join(known)}.{did_you_mean(name, known)}")
    if not isinstance(entry, dict) or not {"low", "high"} <= set(entry) <= set(Axis._fields):
        raise SettingError(
            f'{quoted} = {entry!r}: must be a table such as {{ low = 0.01, high = 1.0, scale = "log" }}.'
        )
    axis = Axis(**entry)
    _check_name(f"{quoted}.scale", axis.scale, list(SCALES))
    for key in ("low", "high"):
        value = getattr(axis, key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise SettingError(f"{quoted}.{key} = {value!r}: must be a finite number.")
    if axis.low >= axis.high:
        raise SettingError(f"{quoted}.high = {axis.high!r}: must be above low, which is {axis.low!r}.")
    if axis.scale == "log" and axis.low <= 0:
        raise SettingError(f"{quoted}.low = {axis.low!r}: must be above 0 where scale is 'log'.")
    return Axis(float(axis.low), float(axis.high), axis.scale)


def _check_study(search: Search, study: Study) -> None:
    for what in ("environments", "presets"):
        names = getattr(study, what)
        if len(names) > 1:
            raise SettingError(f"{what} = {list(names)!r}: must be one alone where a study has an [evolve] table.")
    if EVOLVED in study.arms:
        raise SettingError(f"arms.{EVOLVED}: must have another label; this one is the winner's.")
    evaluated = curve_statistics.STATISTICS[search.fitness].evaluated
    if evaluated and not study.evaluate_every:
        raise SettingError(
            f"evolve.fitness = {search.fitness!r}: needs greedy evaluations; must not be asked for where "
            "evaluate_every = 0."
        )
    if search.smaller_is_better:
        from morphorl.environments import registry  # imports gymnax, which takes seconds

        if registry.make_env(study.environments[0]).threshold is None:
            raise SettingError(
                f"evolve.fitness = {search.fitness!r}: must be another statistic for {study.environments[0]}, "
                "which has no threshold."
            )


def _check_seeds(search: Search, study: Study) -> None:
    tuning = range(search.first_seed, search.seeds_of(search.generations))
    reporting = range(study.first_seed, study.first_seed + max(study.seeds, study.cell_seeds or 0))
    if tuning.stop > 2**31:
        raise SettingError(f"evolve.first_seed = {search.first_seed}: the last tuning seed must be below 2³¹.")
    if tuning.start < reporting.stop and reporting.start < tuning.stop:
        raise SettingError(
            f"evolve.first_seed = {search.first_seed}: the tuning seeds {tuning.start} to {tuning[-1]} "
            f"(evolve.generations × evolve.seeds) must not overlap the reporting seeds {reporting.start} to "
            f"{reporting[-1]} (first_seed, seeds)."
        )


def _check_start(search: Search, settings: Settings) -> None:
    values = arms.flatten(without_shared(settings))
    for name, axis in search.search.items():
        quoted = f'evolve.search."{name}"'
        for key in ("low", "high"):
            try:
                changed(settings, {name: getattr(axis, key)})
            except SettingError as error:
                raise SettingError(f"{quoted}.{key}: {error}") from error
        if not axis.low <= values[name] <= axis.high:
            raise SettingError(
                f"{quoted} = {axis._asdict()}: must hold the value that arm {search.arm!r} starts from, "
                f"{values[name]!r}."
            )


def _check_name(what: str, name: Any, allowed: list[str]) -> None:
    if name not in allowed:
        raise SettingError(f"{what} = {name!r}: must be one of {', '.join(allowed)}.{did_you_mean(name, allowed)}")
