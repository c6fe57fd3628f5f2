"""A study: arms × environments × presets × seeds, and the runs that it asks for."""

import dataclasses
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx

from morphorl.config.errors import SettingError, did_you_mean, quoted
from morphorl.config.fields import COUNT, COUNT_OR_ZERO, hints_of
from morphorl.config.following import Follow, unseen
from morphorl.config.plain import default_kind, from_dict, to_dict
from morphorl.ppo.kernels import KERNELS
from morphorl.ppo.settings import PRESETS, Settings, usual, with_tables
from morphorl.studies import arms as arms_
from morphorl.studies.arms import Values
from morphorl.studies.labels import quoted_label, refuse_label
from morphorl.studies.run import Run

MOST_RUNS = 2_000_000
"""A study is refused if it has more: its plan would not fit into the memory of a laptop."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
"""What a study may be called: the name becomes a folder, and so is never a path."""


@dataclass(frozen=True)
class Study:
    """A question put as arms × environments × presets × seeds, the seeds common to all.

    An arm is a label and the settings in which it differs: plain values, nested as in a study file, in which a list is
    a sweep axis, or complete `Settings`, which leave nothing to preset, `settings` and `steps`.

    Example:
        >>> Study(
        ...     "strengths",
        ...     environments=("CartPole-v1",),
        ...     arms={"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.1, 0.3]}}},
        ...     seeds=16,
        ... )

    Raises:
        SettingError: for a value that is not allowed, or more than `MOST_RUNS` runs. The arms' settings are checked
            when they are expanded (`runs`).
    """

    name: str
    environments: tuple[str, ...]
    arms: Mapping[str, Values | Settings]
    seeds: int
    first_seed: int = 0
    cell_seeds: int | None = None
    """Crossed seeds: every seed is run with each of so many cell seeds, which count from `first_seed` as well. Without
    it the cell seed of a run equals its seed."""
    steps: int = 100_000
    """Environment steps of each run."""
    evaluate_every: int = 2_000
    """Environment steps between two greedy evaluations (0: never)."""
    evaluation_episodes: int = 8
    presets: tuple[str, ...] = ("standard",)
    """PPO's settings to start from; the study is run under each."""
    settings: Values = field(default_factory=dict)
    """Settings common to all arms."""
    kernel: str = "xla"
    """What computes the learning phase of all runs, one of `kernels.KERNELS`; commands choose it by themselves
    (`kernel_choice.py`)."""

    def __post_init__(self) -> None:
        check_study_name(self.name)
        for name, allowed in (("seeds", COUNT), ("first_seed", COUNT_OR_ZERO), ("cell_seeds", COUNT)):
            value = getattr(self, name)
            if name == "cell_seeds" and value is None:
                continue
            if not allowed.holds(value):
                raise SettingError(f"{name} = {quoted(value)}: must be {allowed.words}.")
        if self.kernel not in KERNELS:
            raise SettingError(f"kernel = {quoted(self.kernel)}: must be one of {', '.join(map(repr, KERNELS))}.")
        _check_names("environments", self.environments)
        _check_names("presets", self.presets, list(PRESETS))
        if not isinstance(self.arms, dict) or not self.arms:
            raise SettingError(f"arms = {quoted(self.arms)}: must be at least one arm.")
        for label in self.arms:
            refuse_label(label)
        for environment in self.environments:
            Settings(environment)  # which refuses one that does not exist
        arms_.flatten(self.settings)
        if self.size > MOST_RUNS:
            raise SettingError(
                f"arms × environments × presets × seeds (× cell seeds) = {_number(self.size)} runs: must be "
                f"at most {MOST_RUNS:,}."
            )
        if self.first_seed + max(self.seeds, self.cell_seeds or 0) > 2**31:
            raise SettingError(f"first_seed = {quoted(self.first_seed)}: the last seed must be below 2³¹.")

    @property
    def size(self) -> int:
        """The number of runs, by arithmetic alone."""
        return self._combinations() * len(self.environments) * len(self.presets) * self.seeds * (self.cell_seeds or 1)

    def _combinations(self) -> int:
        """The number of arms, by arithmetic alone."""
        combinations = 0
        for label, arm in self.arms.items():
            with _in_arm(label):
                combinations += 1 if isinstance(arm, Settings) else arms_.count(arm)
        return combinations

    def runs(self) -> list[Run]:
        """All runs, seed by seed, so that every arm shows a first result early."""
        return list(self.iterate())

    def iterate(self) -> Iterator[Run]:
        """The runs of `runs`, one at a time."""
        for preset in self.presets:
            for environment in self.environments:
                here = self._in(preset, environment).items()
                for seed, cell_seed in self._seeds():
                    yield from (Run(arm, settings, seed, cell_seed, preset) for arm, settings in here)

    def _seeds(self) -> Iterator[tuple[int, int]]:
        """Pairs of seed and cell seed, the same for all arms: arms of one cell seed start from one pattern."""
        for seed in range(self.first_seed, self.first_seed + self.seeds):
            crossed = range(self.first_seed, self.first_seed + self.cell_seeds) if self.cell_seeds else (seed,)
            yield from ((seed, cell_seed) for cell_seed in crossed)

    def expand(self, preset: str, follow: Follow = unseen) -> dict[str, Settings]:
        """The settings of every arm under a preset, one entry for each combination of its axes.

        Args:
            follow: sees them as they are made and checked, the first time.

        Raises:
            SettingError: if two arms have the same label, or a value is not allowed.
        """
        return dict(self._kept((preset, ""), lambda: self._expand(preset, follow)))

    def _in(self, preset: str, environment: str) -> dict[str, Settings]:
        """The settings of every arm under a preset in an environment."""

        def moved() -> dict[str, Settings]:
            return {
                arm: settings if settings.environment == environment else replace(settings, environment=environment)
                for arm, settings in self.expand(preset).items()
            }

        return self._kept((preset, environment), moved)

    def _kept(self, which: tuple[str, str], make: Callable[[], dict[str, Settings]]) -> dict[str, Settings]:
        """What `make` gives, made once for as long as the study is alive: thousands of arms take seconds to check."""
        if id(self) not in _expansions:
            _expansions[id(self)] = {}
            weakref.finalize(self, _expansions.pop, id(self))
        known = _expansions[id(self)]
        if which not in known:
            known[which] = make()
        return known[which]

    def _expand(self, preset: str, follow: Follow) -> dict[str, Settings]:
        labelled: dict[str, Settings] = {}
        for label, settings in follow(self._made(preset), self._combinations(), "checking the settings"):
            if label in labelled:
                raise SettingError(f"arms.{quoted_label(label)}: two arms have this label; must be unique.")
            labelled[label] = settings
        return labelled

    def _made(self, preset: str) -> Iterator[tuple[str, Settings]]:
        """Every arm's label and settings under a preset."""
        shared = arms_.flatten({"ppo": to_dict(PRESETS[preset])}) | arms_.flatten(self.settings)
        names = ("steps", "evaluate_every", "evaluation_episodes", "kernel")
        once = {name: getattr(self, name) for name in names}
        once["environment"] = self.environments[0]
        modules: dict[str, eqx.Module] = {f"ppo {to_dict(usual().ppo)!r}": usual().ppo}
        for pattern, arm in self.arms.items():
            with _in_arm(pattern):
                yield from _expand_arm(arm, pattern, shared, once, modules)

    def describe(self) -> dict[str, Any]:
        """The study as plain values, ready for JSON."""
        described = {name: getattr(self, name) for name in self.__dataclass_fields__}
        arms = {label: to_dict(arm) if isinstance(arm, Settings) else arm for label, arm in self.arms.items()}
        return described | {"arms": arms}


_expansions: dict[int, dict[tuple[str, str], dict[str, Settings]]] = {}
"""Settings of the arms of the studies that are alive, by identity, preset and environment."""


def check_study_name(name: Any) -> None:
    """Raise `SettingError` unless a name may become a folder's name."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SettingError(
            f"name = {quoted(name)}: must be 1 to 64 letters, digits, '-' or '_', beginning with a letter or a digit."
        )


def _expand_arm(
    arm: Values | Settings, pattern: str, shared: dict[str, Any], once: dict[str, Any], modules: dict[str, eqx.Module]
) -> Iterator[tuple[str, Settings]]:
    """Labels and settings of one arm. Equal parts of settings are one module, kept in `modules`."""
    if isinstance(arm, Settings):
        yield pattern, arm if arm.kernel == once["kernel"] else replace(arm, kernel=once["kernel"])
        return
    first, common, kept = None, arms_.nest(shared), {}
    for label, values in arms_.expand(pattern, arm):
        flat = shared | arms_.flatten(values)
        nested = arms_.nest({name: value for name, value in flat.items() if name.partition(".")[0] in values})
        kept |= {name: _table(name, common[name], modules) for name in common if name not in values | kept}
        tables = kept | {name: _table(name, table, modules) for name, table in nested.items()}
        if first is None:
            unsaid = {field.name: getattr(usual(), field.name) for field in dataclasses.fields(Settings)}
            first = settings = from_dict(Settings, unsaid | once | tables)
        else:
            settings = with_tables(first, tables)
        yield label, settings


def _table(name: str, values: Values, modules: dict[str, eqx.Module]) -> eqx.Module:
    """A table of settings; equal ones are one module, kept in `modules`."""
    key = f"{name} {values!r}"
    if key not in modules:
        field = next(field for field in dataclasses.fields(Settings) if field.name == name)
        modules[key] = from_dict(hints_of(Settings)[name], values, f"{name}.", default_kind(field))
    return modules[key]


@contextmanager
def _in_arm(label: str) -> Iterator[None]:
    """A context in which complaints name the arm."""
    try:
        yield
    except SettingError as error:
        raise type(error)(f"arms.{quoted_label(label)}: {error}") from error


def _number(value: int) -> str:
    return f"{value:,}" if value < 10**18 else "more than 10¹⁸"


def _check_names(what: str, names: Any, allowed: list[str] | None = None) -> None:
    if not isinstance(names, tuple | list) or not names or not all(isinstance(name, str) for name in names):
        raise SettingError(f"{what} = {quoted(names)}: must be a list of one name or more.")
    if len(set(names)) < len(names):
        raise SettingError(f"{what} = {quoted(list(names))}: must not name one twice.")
    for name in names if allowed else ():
        if name not in (allowed or ()):
            hint = did_you_mean(name, allowed)
            raise SettingError(f"{what} = {quoted(name)}: must be one of {', '.join(allowed or ())}.{hint}")
