"""Settings as plain values: nested dictionaries for JSON and TOML, and the way back."""

import dataclasses
import typing
from typing import Any

import equinox as eqx

from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.fields import hints_of


def to_dict(settings: eqx.Module) -> dict[str, Any]:
    """Settings as nested dictionaries of plain values, ready for JSON."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    return {name: to_dict(value) if isinstance(value, eqx.Module) else value for name, value in values.items()}


def unusual(values: dict[str, Any], usual: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults, in tables as nested as the values are."""
    tables = {name: unusual(value, usual[name]) for name, value in values.items() if isinstance(value, dict)}
    plain = {name: value for name, value in values.items() if name not in tables and value != usual[name]}
    return plain | {name: table for name, table in tables.items() if table}


def from_dict[M: eqx.Module](cls: type[M], values: dict[str, Any], prefix: str = "") -> M:
    """The inverse of `to_dict`; what is left out keeps its default. Modules in place of their values are kept.

    Raises:
        SettingError: for a name that does not exist, or a value that is not allowed.
    """
    if not isinstance(values, dict):
        raise SettingError(f"{prefix.rstrip('.') or 'settings'} = {values!r}: must be a table of settings.")
    hints = hints_of(cls)
    for name in values:
        check_name(name, hints, prefix)
    return cls(**{name: _from_plain(hints[name], value, f"{prefix}{name}") for name, value in values.items()})


def check_name(name: str, hints: dict[str, Any], prefix: str) -> None:
    """Raise `SettingError` unless there is a setting of that name; the message offers the nearest."""
    if name not in hints:
        hint = did_you_mean(name, list(hints))
        raise SettingError(f"{prefix}{name}: no such setting; must be one of {', '.join(hints)}.{hint}")


def _from_plain(hint: Any, value: Any, name: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, eqx.Module) and not isinstance(value, hint):
        return from_dict(hint, value, f"{name}.")
    if hint is float and type(value) is int and abs(value) < 2**53:
        return float(value)  # 1 and 1.0 are the same setting, and must be the same run
    return tuple(value) if isinstance(value, list) and typing.get_origin(hint) is tuple else value
