"""Every setting says what it allows, and a wrong value is refused by name before anything compiles."""

import dataclasses
import functools
import math
import typing
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import numpy as np

from morphorl.config.errors import SettingError, did_you_mean


class Allowed(NamedTuple):
    """What a setting accepts: the words for the error message, and the predicate that decides."""

    words: str
    holds: Callable[[Any], bool]


FINITE = Allowed("a finite number", math.isfinite)
NOT_NEGATIVE = Allowed("a finite number of at least 0", lambda value: math.isfinite(value) and value >= 0)
POSITIVE = Allowed("a finite number above 0", lambda value: math.isfinite(value) and value > 0)
BOUND = Allowed("a number above 0, or inf for no bound", lambda value: value > 0)
FRACTION = Allowed("a number from 0 to 1", lambda value: 0 <= value <= 1)
CORRELATION = Allowed("a number from -1 to 1", lambda value: -1 <= value <= 1)
COUNT = Allowed("a whole number of at least 1", lambda value: isinstance(value, int) and value >= 1)
COUNT_OR_ZERO = Allowed("a whole number of at least 0", lambda value: isinstance(value, int) and value >= 0)
WIDTHS = Allowed("one or more whole numbers of at least 1", lambda value: bool(value) and all(map(COUNT.holds, value)))


def setting(
    default: Any,
    allowed: Allowed | None = None,
    *,
    static: bool = False,
    learned: Literal["auto", "log", "fixed"] = "auto",
) -> Any:
    """A module field with a default and the values it allows.

    Array-valued settings (`static=False`) are leaves: `vmap` sweeps them inside one compiled program. Static ones
    are part of the program, so that each of their values compiles anew. `allowed` may be left out where the type
    says it all (a `Literal`, a `bool`).

    Args:
        learned: how the number is learned where a run learns it: `log` for what must stay positive although it may be
            set to anything, `fixed` for what cannot be learned, `auto` for what `allowed` says
            (`learned_parameters.space_of`).
    """
    return eqx.field(default=default, static=static, metadata={"allowed": allowed, "learned": learned})


def check(module: eqx.Module, prefix: str) -> None:
    """Raise `SettingError` for the first field of `module` whose value its `setting` does not allow.

    Arrays (of a sweep, or inside a compiled program) are taken as they are.
    """
    types = hints_of(type(module))
    for field in dataclasses.fields(module):
        value = getattr(module, field.name)
        if isinstance(value, jax.Array | np.ndarray):
            continue
        hint = types[field.name]
        allowed = field.metadata.get("allowed") or _from_type(hint)
        stray_bool = isinstance(value, bool) and hint is not bool
        if stray_bool or not _holds(allowed, value):
            name = f"{prefix}.{field.name}" if prefix else field.name
            raise SettingError(f"{name} = {value!r}: must be {allowed.words}.{did_you_mean(value, hint)}")


@functools.cache
def hints_of(cls: type) -> dict[str, Any]:
    """The types of a module's fields by name: its settings. Cached, since a study asks a thousand times."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _from_type(hint: Any) -> Allowed:
    if typing.get_origin(hint) is typing.Literal:
        names = typing.get_args(hint)
        return Allowed("one of " + ", ".join(map(repr, names)), lambda value: value in names)
    words = {bool: "true or false", str: "a name"}.get(hint, f"settings of {hint.__name__}")
    return Allowed(words, lambda value: isinstance(value, hint))


def _holds(allowed: Allowed, value: Any) -> bool:
    try:
        return allowed.holds(value)
    except (TypeError, OverflowError):
        return False
