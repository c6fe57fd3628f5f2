"""TOML as settings take it: text, numbers, true and false, in lists and tables; no dates, and nothing out of hand."""

import datetime
import math
import re
import tomllib
from typing import Any

from morphorl.config.errors import SettingError, quoted, shortened

DEEPEST = 20
"""How deep tables and lists may lie in one another; settings themselves need five."""
TOO_DEEP = f"tables and lists must be at most {DEEPEST} deep in one another."
TOO_MANY_DOTS = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){50}""")
"""A dotted key of more than fifty parts: the time to read it grows with the square of their number."""

Table = dict[str, Any]


class NotTOMLError(SettingError):
    """Text is not TOML; the message says where and why."""


def parse(text: str) -> Table:
    """The tables and values that a text in TOML holds.

    Raises:
        NotTOMLError: if it is not TOML.
        SettingError: for what TOML has and settings have not; the message names the key.
    """
    if TOO_MANY_DOTS.search(text):
        raise SettingError(TOO_DEEP)
    try:
        table = tomllib.loads(text, parse_float=_number)
    except tomllib.TOMLDecodeError as error:
        raise NotTOMLError(f"is not TOML: {error}.") from error
    except RecursionError as error:
        raise SettingError(TOO_DEEP) from error
    except OverflowError as error:
        raise SettingError(f"{error}: must be a number below 1.8e308, or inf.") from error
    except ValueError as error:  # Python reads no number of more than some thousand digits
        raise NotTOMLError("is not TOML: holds a whole number of more than 64 bits.") from error
    _check("", table, DEEPEST)
    return table


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number) and "inf" not in text:
        raise OverflowError(shortened(text))
    return number


def _check(name: str, value: object, deepest: int) -> None:
    if deepest < 0:
        raise SettingError(f"{shortened(name)}: {TOO_DEEP}")
    if isinstance(value, dict):
        for key, inner in value.items():
            _check(f"{name}.{key}" if name else key, inner, deepest - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(name, inner, deepest - 1)
    elif isinstance(value, datetime.date | datetime.time):  # a date with a time is a date as well
        raise SettingError(f"{shortened(name)} = {value}: must be text, a number, true or false; no date, and no time.")
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise SettingError(f"{shortened(name)} = {quoted(value)}: must be a whole number of 64 bits.")
