"""A study as its folder remembers it, and as the commands and the file that repeat it."""

import dataclasses
import json
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from morphorl.config.errors import SettingError, StoreError
from morphorl.config.kinds import foreign_modules
from morphorl.config.plain import from_dict, to_dict
from morphorl.config.sealed import read_sealed_json
from morphorl.config.trust import UntrustedError
from morphorl.environments.base import module_of
from morphorl.ppo.settings import Settings
from morphorl.studies import run as run_
from morphorl.studies import study_file
from morphorl.studies.arms import SHARED, flatten
from morphorl.studies.library import shipped
from morphorl.studies.store import Store
from morphorl.studies.study import Study

ONCE = [field.name for field in fields(Study) if field.name not in ("name", "arms", "settings")]
"""What `--set` changes in a shipped study without making another one of it."""


class Stored(NamedTuple):
    """A study, and the versions and devices it was last run with."""

    study: Study
    versions: dict[str, str]


def load(root: Path, *, any_version: bool = False) -> Stored:
    """Read `study.json`.

    Args:
        any_version: take a study of another version of the algorithm too, whose runs cannot be made again here.

    Raises:
        StoreError: if the folder holds no study, or one of another version of the algorithm.
    """
    path = root / "study.json"
    try:
        content = read_sealed_json(path)
        algorithm, versions = content.pop("algorithm"), content.pop("versions")
        if algorithm != run_.ALGORITHM_VERSION and not any_version:
            raise StoreError(
                f"{root}: was made by version {algorithm} of the algorithm; this is version "
                f"{run_.ALGORITHM_VERSION}. Use the morphorl that made it, or run it again."
            )
        content["arms"] = {label: _arm(values) for label, values in content["arms"].items()}
        for name in ("environments", "presets"):
            content[name] = tuple(content[name])
        return Stored(Study(**content), versions)
    except FileNotFoundError as error:
        raise StoreError(f"{root}: holds no study; must be a folder that `morphorl run --out` wrote.") from error
    except (UntrustedError, StoreError):
        raise
    except (ValueError, KeyError, TypeError, AttributeError, SettingError) as error:
        raise StoreError(f"{path}: is damaged ({error}).") from error


def curves(root: Path) -> tuple[Stored, pl.DataFrame]:
    """A folder's study and the curves of all its finished runs.

    Raises:
        StoreError: if the folder holds no study, or no finished run.
    """
    stored = load(root)
    return stored, Store(root).curves(stored.study)


def to_toml(study: Study) -> str | None:
    """The study as a study file; None for one that a file cannot say (made in Python, with other steps in each arm)."""
    text = "\n".join(_lines(study)) + "\n"
    try:
        again = study_file.from_table(tomllib.loads(text))
        same = {run.id for run in again.iterate()} == {run.id for run in study.iterate()}
    except (SettingError, tomllib.TOMLDecodeError):
        return None
    return text if same else None


def command(study: Study) -> str:
    """The command that runs a study again: by name with what was changed, or by a file that holds `to_toml`."""
    if study.name in shipped():
        original = study_file.load(study.name)
        if original.arms == study.arms and original.settings == study.settings:
            same = dataclasses.replace(original, kernel=study.kernel)
            changed = {name: getattr(study, name) for name in ONCE if getattr(same, name) != getattr(study, name)}
            if None not in changed.values():
                changes = [f" --set '{name}={_value(value)}'" for name, value in changed.items()]
                return f"morphorl run {study.name} --kernel {study.kernel}{''.join(changes)}"
    return f"morphorl run {study.name}.toml"


def trusting(study: Study) -> str:
    """The options by which a command that reads the study's folder may import what its arms and environments name."""
    settings = [one for preset in study.presets for one in study.expand(preset).values()]
    modules = [module for one in settings for module in foreign_modules(one)]
    modules += filter(None, map(module_of, study.environments))
    return "".join(f" --trust {module}" for module in dict.fromkeys(modules))


def _arm(values: dict[str, Any]) -> Any:
    """Complete settings say their environment; the values of an arm in a study file never do."""
    return from_dict(Settings, values) if "environment" in values else values


def _lines(study: Study) -> Iterator[str]:
    complete = [arm for arm in study.arms.values() if isinstance(arm, Settings)]
    once = {name: value for name in ONCE if (value := getattr(study, name)) is not None}
    if complete:
        once |= {name: getattr(complete[0], name) for name in SHARED if name not in ("environment", "kernel")}
    yield f"name = {_value(study.name)}"
    yield from (f"{name} = {_value(value)}" for name, value in once.items())
    if study.settings:
        yield from ("", "[settings]", *_dotted(study.settings))
    for label, arm in study.arms.items():
        values = {k: v for k, v in to_dict(arm).items() if k not in SHARED} if isinstance(arm, Settings) else arm
        yield from ("", f"[arms.{_value(label)}]", *_dotted(values))


def _dotted(values: dict[str, Any]) -> Iterator[str]:
    return (f"{name} = {_value(value)}" for name, value in flatten(values).items())


def _value(value: Any) -> str:
    """A plain value in TOML, whose text, booleans, numbers and lists are JSON's, but for inf and one escape."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
