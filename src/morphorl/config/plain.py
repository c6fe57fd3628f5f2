"""Settings as plain values: nested dictionaries, as files and command lines hold them, and back."""

import dataclasses
import functools
import re
import typing
from typing import Any

import equinox as eqx

from morphorl.config.errors import SettingError, did_you_mean, quoted, shortened
from morphorl.config.fields import hints_of
from morphorl.config.kinds import Kind, name_of, resolve, source_hash

KIND = "kind"
"""The key that names the class of a table whose classes may vary."""


def to_dict(settings: eqx.Module) -> dict[str, Any]:
    """Settings as nested dictionaries of plain values, ready for JSON."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}
    tables = {name: to_dict(value) if isinstance(value, eqx.Module) else value for name, value in values.items()}
    return {KIND: settings.kind} | tables if isinstance(settings, Kind) else tables


def from_dict[M: eqx.Module](cls: type[M], values: dict[str, Any], prefix: str = "", default: str = "") -> M:
    """The inverse of `to_dict`; what is left out keeps its default. Modules in place of their values are kept.

    Args:
        prefix: what stands before the names in error messages.
        default: the kind where `values` name none.

    Raises:
        SettingError: for a name that does not exist, or a value that is not allowed.
    """
    if not isinstance(values, dict):
        raise SettingError(f"{prefix.rstrip('.') or 'settings'} = {quoted(values)}: must be a table of settings.")
    if not issubclass(cls, Kind):
        return _filled(cls, values, prefix)
    values = dict(values)
    kind = values.pop(KIND, default)
    if not isinstance(kind, str):
        raise SettingError(f"{prefix}{KIND} = {quoted(kind)}: must be a name.")
    try:
        found = resolve(cls, kind)
        return typing.cast(M, _filled(found, values, prefix))
    except SettingError as error:
        raise type(error)(_prefixed(str(error), cls.slots, prefix)) from error


def unusual(settings: eqx.Module, usual: eqx.Module) -> dict[str, Any]:
    """What differs from the defaults, in tables as nested as the settings are.

    A table of another kind than usual is compared with the defaults of its own class, and names that. One of a foreign
    kind has a hash of its source as well: it stands for what the class does.
    """
    differing: dict[str, Any] = {}
    if isinstance(settings, Kind) and type(settings) is not type(usual):
        source = source_hash(type(settings))
        differing = {KIND: settings.kind} | ({} if source is None else {"source": source})
        usual = type(settings)()
    values, defaults = vars(settings), vars(usual)  # `getattr` on one of Equinox's modules takes ten times as long
    for field in dataclasses.fields(settings):
        value, default = values[field.name], defaults[field.name]
        if value is default:
            continue
        if isinstance(value, eqx.Module):
            value, default = unusual(value, default), {}
        if value != default:
            differing[field.name] = value
    return differing


def check_name(name: str, hints: dict[str, Any], prefix: str) -> None:
    """Raise `SettingError` unless there is a setting of that name; the message offers the nearest."""
    if name not in hints:
        hint = did_you_mean(name, list(hints))
        raise SettingError(f"{prefix}{shortened(name)}: no such setting; must be one of {', '.join(hints)}.{hint}")


@functools.cache
def default_kind(field: dataclasses.Field) -> str:
    """The kind of a table that says nothing of it; nothing for tables of one class."""
    made = field.default_factory() if callable(field.default_factory) else None
    return name_of(type(made)) if isinstance(made, Kind) else ""


def _filled(cls: type, values: dict[str, Any], prefix: str):
    hints = hints_of(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for name in values:
        check_name(name, hints, prefix)
    return cls(
        **{
            name: _from_plain(hints[name], value, f"{prefix}{name}", default_kind(fields[name]))
            for name, value in values.items()
        }
    )


def _from_plain(hint: Any, value: Any, name: str, default: str) -> Any:
    if isinstance(hint, type) and issubclass(hint, eqx.Module) and not isinstance(value, hint):
        return from_dict(hint, value, f"{name}.", default)
    if hint is float and type(value) is int and abs(value) < 2**53:
        return float(value)  # 1 and 1.0 are the same setting, and must be the same run
    return tuple(value) if isinstance(value, list) and typing.get_origin(hint) is tuple else value


def _prefixed(message: str, slots: tuple[str, ...], prefix: str) -> str:
    """The message with the table's own name in front of its settings' names."""
    if slots:
        message = re.sub(rf"(?<![\w.'])({'|'.join(slots)})\.(?=\w)", prefix, message)
    return message if message.startswith(prefix) else prefix + message
