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

from morphorl.config.errors import SettingError, did_you_mean, quoted


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
COUNT = Allowed("a whole number of at least 1", lambda value: is_whole(value) and value >= 1)
MOST_UNITS = 16_384
"""Sites, oscillators or the like of one system: matrices of so many rows and columns are what memory holds."""
UNITS = Allowed(
    f"a whole number of at least 1 and at most {MOST_UNITS:,}", lambda value: COUNT.holds(value) and value <= MOST_UNITS
)
COUNT_OR_ZERO = Allowed("a whole number of at least 0", lambda value: is_whole(value) and value >= 0)
WIDTHS = Allowed("one or more whole numbers of at least 1", lambda value: bool(value) and all(map(COUNT.holds, value)))

SMALLEST, LARGEST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
"""The sizes between which programs, which compute in single precision, hold a number; a smaller one would be 0."""

SINGLE_PRECISION = Allowed(
    f"0, or of a size from {SMALLEST:.1e} to {LARGEST:.1e}, which is what single precision holds",
    lambda value: value == 0 or math.isinf(value) or SMALLEST <= abs(value) <= LARGEST,
)

INTEGERS = Allowed(
    "of whole numbers of 64 bits, below 9.2e18",
    lambda value: all(not isinstance(one, int) or -(2**63) <= one < 2**63 for one in _entries(value)),
)


def is_whole(value: object) -> bool:
    """Whether a value is a whole number; true and false, which are numbers to Python, are none."""
    return isinstance(value, int) and not isinstance(value, bool)


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
    values = vars(module)
    for field, hint, allowed in _checks_of(type(module)):
        value = values[field]
        if _is_array(value):
            continue
        name = f"{prefix}.{field}" if prefix else field
        stray_bool = isinstance(value, bool) and hint is not bool
        if stray_bool or not _holds(allowed, value):
            raise SettingError(f"{name} = {quoted(value)}: must be {allowed.words}.{did_you_mean(value, hint)}")
        if typing.get_origin(hint) is tuple and not isinstance(value, tuple):
            raise SettingError(f"{name} = {quoted(value)}: must be a tuple, as in (64, 64) or ('one',).")
        held = SINGLE_PRECISION if hint is float else INTEGERS
        if not _holds(held, value):
            raise SettingError(f"{name} = {quoted(value)}: must be {held.words}.")


@functools.cache
def hints_of(cls: type) -> dict[str, Any]:
    """The types of a module's fields by name: its settings. Cached, since a study asks a thousand times."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


@functools.cache
def _checks_of(cls: type) -> tuple[tuple[str, Any, Allowed], ...]:
    """Each field of a module with its type and what it allows."""
    hints, fields = hints_of(cls), dataclasses.fields(cls)
    return tuple(
        (one.name, hints[one.name], one.metadata.get("allowed") or _from_type(hints[one.name])) for one in fields
    )


def _from_type(hint: Any) -> Allowed:
    if typing.get_origin(hint) is typing.Literal:
        names = typing.get_args(hint)
        return Allowed("one of " + ", ".join(map(repr, names)), lambda value: value in names)
    words = {bool: "true or false", str: "a name"}.get(hint, f"settings of {hint.__name__}")
    return Allowed(words, lambda value: issubclass(type(value), hint))


def _entries(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else (value,)


def _is_array(value: object) -> bool:
    """Whether a value is an array; that of JAX's is asked last, which takes longest."""
    plain = type(value) in (float, int, bool, str, tuple) or issubclass(type(value), eqx.Module)
    return not plain and isinstance(value, jax.Array | np.ndarray)


def _holds(allowed: Allowed, value: Any) -> bool:
    try:
        return allowed.holds(value)
    except (TypeError, OverflowError):
        return False
