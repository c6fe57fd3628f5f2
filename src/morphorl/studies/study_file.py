"""Study files: a study as TOML. Those that come with morphorl are found by name."""

import re
import stat
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from morphorl.config import kinds, toml_tables
from morphorl.config.errors import SettingError, did_you_mean, quoted, shortened
from morphorl.config.following import Follow, unseen
from morphorl.config.plain import KIND
from morphorl.config.toml_tables import NotTOMLError, Table
from morphorl.environments.base import module_of
from morphorl.ppo.settings import Settings
from morphorl.studies.library import shipped
from morphorl.studies.study import Study

LARGEST_FILE = 1_000_000
"""Bytes of a study file; a sweep of more values than that is no study."""

KEYS = [field.name for field in fields(Study)]
EVOLVE = "evolve"
"""The table that `morphorl evolve` reads, and `morphorl run` leaves aside."""
REQUIRED = ("name", "environments", "seeds", "arms")


def load(study: str, changes: list[str] | tuple[str, ...] = (), follow: Follow = unseen) -> Study:
    """A study from a file (a path that ends in .toml) or by the name of a shipped one.

    Args:
        changes: `key=value` in TOML's syntax, applied on top of the file: `seeds=4`, `settings.ppo.epochs=2`,
            `presets=["tuned"]`. Tables are merged, everything else is replaced.
        follow: sees the settings of all arms as they are checked.

    Raises:
        SettingError: naming the file, the line or key, the value and what is allowed.
    """
    return load_with_tables(study, changes, follow)[0]


def load_with_tables(
    study: str, changes: list[str] | tuple[str, ...] = (), follow: Follow = unseen
) -> tuple[Study, Table]:
    """A study as `load` gives it, and all that its file holds: a study leaves the `[evolve]` table aside."""
    path, table = path_of(study), _changed(study, changes)
    try:
        loaded = from_table(table)
        for preset in loaded.presets:
            loaded.expand(preset, follow)  # which refuses a wrong setting of an arm
    except SettingError as error:
        raise type(error)(f"{path.name}: {error}") from error
    return loaded, table


def foreign_modules(study: str, changes: list[str] | tuple[str, ...] = ()) -> list[str]:
    """The modules that a study's file names, by `kind = "MODULE:CLASS"` or environments such as `MODULE:NAME` and
    `gym:MODULE:ID`.

    Nothing is imported.

    Raises:
        SettingError: as `load` does, for what is no file or no TOML.
    """
    table = _changed(study, changes)
    modules = [name.partition(":")[0] for name in _kinds(table) if kinds.is_foreign(name)]
    environments = table.get("environments")
    ids = [one for one in environments if isinstance(one, str)] if isinstance(environments, list) else []
    return list(dict.fromkeys([*modules, *filter(None, map(module_of, ids))]))


def from_table(table: Table) -> Study:
    """A study from the tables and values of a study file, but for what its `[evolve]` table asks for.

    Raises:
        SettingError: for a key that does not exist or is missing, or a value that is not allowed in it.
    """
    for key in table:
        if key not in (*KEYS, EVOLVE):
            keys = [*KEYS, EVOLVE]
            tables = [field.name for field in fields(Settings)]
            hint = f" Say settings.{key} for all arms." if key in tables else did_you_mean(key, keys)
            raise SettingError(f"{shortened(key)}: no such key; must be one of {', '.join(keys)}.{hint}")
    for key in REQUIRED:
        if key not in table:
            raise SettingError(f"{key}: missing; a study needs {', '.join(REQUIRED)}.")
    for key in ("settings", "arms"):
        if not isinstance(table.get(key, {}), dict):
            raise SettingError(f"{key} = {quoted(table[key])}: must be a table.")
    for label, arm in table["arms"].items():
        if not isinstance(arm, dict):
            raise SettingError(f"arms.{shortened(label)} = {quoted(arm)}: must be a table of settings.")
    lists: dict[str, Any] = {
        key: tuple(table[key]) for key in ("environments", "presets") if isinstance(table.get(key), list)
    }
    return Study(**{key: value for key, value in (table | lists).items() if key != EVOLVE})


def path_of(study: str) -> Path:
    """The file of a study: a path that ends in .toml, or the name of a shipped one.

    Raises:
        SettingError: if there is no such file.
    """
    if study in shipped():
        return shipped()[study]
    if not study.endswith(".toml"):
        names = list(shipped())
        raise SettingError(
            f"study = {quoted(study)}: must be a file that ends in .toml, or one of {', '.join(names)}."
            + did_you_mean(study[:100], names)
        )
    path = Path(study)
    try:
        mode = path.stat().st_mode
    except PermissionError as error:
        raise SettingError(f"study = {quoted(study)}: cannot be read ({error.strerror}).") from error
    except (OSError, ValueError) as error:  # also a name that no file system takes
        raise SettingError(f"study = {quoted(study)}: there is no such file.") from error
    if not stat.S_ISREG(mode):  # nor a pipe, from which reading would wait for ever
        raise SettingError(f"study = {quoted(study)}: is a folder, a pipe or a device; must be a file.")
    return path


def _changed(study: str, changes: list[str] | tuple[str, ...]) -> Table:
    table = _read(path_of(study))
    for change in changes:
        table = _merge(table, _parse_change(change))
    return table


def _kinds(table: Table) -> Iterator[str]:
    """All that a table and those in it have for `kind`, swept ones too."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _kinds(value)
        elif key == KIND:
            yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str))


def _read(path: Path) -> Table:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_FILE + 1)
        if len(text) > LARGEST_FILE:
            raise SettingError(f"has {path.stat().st_size:,} bytes; must be at most {LARGEST_FILE:,}.")
        return toml_tables.parse(text.decode())
    except OSError as error:
        raise SettingError(f"study = {quoted(str(path))}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{path.name}: is not TOML: {error}.") from error
    except SettingError as error:
        raise type(error)(f"{path.name}: {error}") from error


def _parse_change(change: str) -> Table:
    key, equals, value = change.partition("=")
    # A bare `]` or a line break would let a change say more than one thing.
    if not equals or "\n" in change:
        raise SettingError(f"--set {quoted(change)}: must be key=value, such as seeds=4.")
    try:
        return toml_tables.parse(change)
    except NotTOMLError:
        pass
    except SettingError as error:
        raise type(error)(f"--set {quoted(change)}: {error}") from error
    if re.fullmatch(r"\s*[A-Za-z][\w.-]*\s*", value):  # a shell eats quotes: seeds="4", presets=tuned
        raise SettingError(f"--set {quoted(change)}: text needs quotes, as in --set '{key}=\"{value.strip()}\"'.")
    raise SettingError(f"--set {quoted(change)}: must be key=value in TOML's syntax, such as steps=10000.")


def _merge(one: Table, other: Table) -> Table:
    both = {key: _merge(one[key], other[key]) for key in other if _are_tables(one.get(key), other[key])}
    return one | other | both


def _are_tables(one: Any, other: Any) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)
