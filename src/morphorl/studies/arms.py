"""Arms: a label and the settings that make the difference. A list in place of a value is a sweep axis."""

import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import Any, get_origin

import equinox as eqx

from morphorl.config.errors import SettingError, did_you_mean, quoted, shortened
from morphorl.config.fields import hints_of
from morphorl.config.kinds import Kind, resolve
from morphorl.config.plain import check_name
from morphorl.ppo.settings import Settings, usual

Values = dict[str, Any]
"""Settings as plain values, nested: `{"guidance": {"strength": 0.1}}`."""

SHARED = ("environment", "steps", "evaluate_every", "evaluation_episodes", "kernel")
"""Settings that a study gives once, for all its arms."""


def flatten(values: Values, module: type[eqx.Module] = Settings, prefix: str = "") -> dict[str, Any]:
    """Nested values by dotted name: `{"guidance.strength": 0.1}`.

    Raises:
        SettingError: for a name that does not exist, or that a study gives once for all.
    """
    if not isinstance(values, dict):
        raise SettingError(f"{prefix.rstrip('.') or 'settings'} = {quoted(values)}: must be a table of settings.")
    flat = {}
    hints = {name: hint for name, hint in hints_of(module).items() if prefix or name not in SHARED}
    for name, value in values.items():
        check_name(name, hints, prefix)
        hint = hints[name]
        if not issubclass(_class(hint), eqx.Module):
            flat[prefix + name] = _plain(prefix + name, value)
        elif issubclass(_class(hint), Kind) and isinstance(value, dict):
            flat |= _dotted(value, f"{prefix}{name}.")
        else:
            flat |= flatten(value, hint, f"{prefix}{name}.")
    return flat


def _dotted(values: Values, prefix: str) -> dict[str, Any]:
    """`flatten` where the names that exist depend on the kind, which is known when an arm's tables come together."""
    flat = {}
    for name, value in values.items():
        if "." in name:
            raise SettingError(f"{prefix}{json.dumps(name)}: no such setting; must be a name without dots in it.")
        inside = isinstance(value, dict)
        flat |= _dotted(value, f"{prefix}{name}.") if inside else {prefix + name: _plain(prefix + name, value)}
    return flat


def _plain(name: str, value: Any) -> Any:
    """The value, if it is one that a study file could hold."""
    for one in value if isinstance(value, list | tuple) else ():
        _plain(name, one)
    if not isinstance(value, str | int | float | list | tuple | None):
        raise SettingError(f"{name} = {quoted(value)}: must be text, a number, true or false, or a list of such.")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise SettingError(f"{name} = {quoted(value)}: must be a whole number of 64 bits.")
    return value


def nest(flat: dict[str, Any]) -> Values:
    """The inverse of `flatten`.

    Raises:
        SettingError: where a name is a value and a table at once.
    """
    nested: Values = {}
    for name, value in flat.items():
        *tables, last = name.split(".")
        table = nested
        for depth, step in enumerate(tables):
            table = table.setdefault(step, {})
            if not isinstance(table, dict):
                raise SettingError(f"{'.'.join(tables[: depth + 1])} = {quoted(table)}: must be a table of settings.")
        table[last] = value
    return nested


def axes(values: Values) -> dict[str, list[Any]]:
    """The sweep axes of an arm by dotted name.

    A list is an axis, except where the setting is itself a list (`ppo.hidden`): there a list of lists is.
    """
    found = {}
    flat = flatten(values)
    for name, value in flat.items():
        if isinstance(value, list) and not (
            _is_tuple(name, flat) and not any(isinstance(entry, list) for entry in value)
        ):
            if not value:
                raise SettingError(f"{name} = []: must hold at least one value to sweep.")
            found[name] = value
    return found


def count(values: Values) -> int:
    """The number of combinations of an arm's axes; nothing is expanded."""
    return math.prod(len(axis) for axis in axes(values).values())


def expand(pattern: str, values: Values) -> Iterator[tuple[str, Values]]:
    """Every combination of an arm's axes, with its label.

    `{guidance.strength}` in the pattern stands for that setting's value. An axis that the pattern does not mention is
    added at its end, so that labels tell all combinations apart.

    Raises:
        SettingError: if the pattern mentions a setting that the arm does not have.
    """
    flat, swept = flatten(values), axes(values)
    mentioned = re.findall(r"\{([^{}]*)\}", pattern)
    for name in mentioned:
        if name not in flat:
            hint = did_you_mean(name, list(flat))
            raise SettingError(
                f"{{{shortened(name)}}}: must be a setting of this arm: {', '.join(flat) or 'it has none'}.{hint}"
            )
    rest = [f"{name.rpartition('.')[2]} = {{{name}}}" for name in swept if name not in mentioned]
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", pattern)):
        raise SettingError("a brace in the label has no partner; must be as in {guidance.strength}, or left out.")
    pattern = ", ".join([pattern, *rest])
    for combination in itertools.product(*swept.values()):
        chosen = flat | dict(zip(swept, combination, strict=True))
        label = re.sub(r"\{([^{}]*)\}", lambda found, chosen=chosen: shown(chosen[found[1]]), pattern)
        yield label, nest(chosen)


def shown(value: Any) -> str:
    """A value as it stands in a label: short, and different for different values."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _is_tuple(name: str, flat: dict[str, Any]) -> bool:
    """Whether a setting is itself a list; one of a table whose kind is swept, or unknown, is not."""
    module: Any = usual()
    *tables, last = name.split(".")
    for depth, table in enumerate(tables):
        module = getattr(module, table, None)
        kind = flat.get(".".join([*tables[: depth + 1], "kind"]))
        if isinstance(module, Kind) and isinstance(kind, str):
            module = resolve(type(module).base(), kind)()
    return isinstance(module, eqx.Module) and get_origin(hints_of(type(module)).get(last)) is tuple


def _class(hint: Any) -> type:
    return hint if isinstance(hint, type) else object
