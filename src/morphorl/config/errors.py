"""What can be wrong with what a user gave, each told in one sentence."""

import difflib
import typing
from typing import Any

FORMER_NAMES = {
    "cell": ("dynamics",),
    "control": ("dynamics",),
    "field": ("gierer_meinhardt", "dynamics"),
    "matrix": ("reaction_diffusion",),
    "sign": ("sign_flipped",),
    "noise": ("correlated_noise",),
    "coloured": ("coloured_noise",),
    "state_dependent": ("state_dependent_noise",),
    "reservoir": ("echo_state",),
    "leaky": ("leaky_integrators",),
    "previous": ("previous_observation",),
    "activator_fast": ("first_fast",),
    "activator_slow": ("first_slow",),
    "inhibitor_fast": ("second_fast",),
    "inhibitor_slow": ("second_slow",),
    "activator_gain": ("first_gain",),
    "inhibitor_gain": ("second_gain",),
    "activator_diffusion": ("first_diffusion",),
    "inhibitor_diffusion": ("second_diffusion",),
}
"""What tables, kinds and settings were called before: for the sentence that offers the present name."""


LONGEST_MESSAGE = 2_000
"""Characters of a message: what a user gave may be a megabyte, and what is allowed must still be seen."""
MOST_OPTIONS = 1_000
"""Names among which the nearest is looked for."""


class SettingError(ValueError):
    """A setting has a value that is not allowed; the message names the setting, the value and what is allowed.

    The middle of a message of more than `LONGEST_MESSAGE` characters is left out.
    """

    def __init__(self, message: object):  # an error too: so workers of Gymnasium's hand it on
        super().__init__(_without_middle(str(message)))


class StoreError(RuntimeError):
    """A folder cannot take the results, or holds none; the message says why and what would help."""

    def __init__(self, message: object):  # an error too: so workers of Gymnasium's hand it on
        super().__init__(_without_middle(str(message)))


def shortened(text: str) -> str:
    """Text for an error message: of more than 100 characters the first 60, and how many there are."""
    return text if len(text) <= 100 else f"{text[:60]}… ({len(text)} characters)"


def quoted(value: object) -> str:
    """A value for an error message, as Python writes it but `shortened`; what Python cannot write is described."""
    if isinstance(value, str):
        return repr(shortened(value))
    try:
        return shortened(repr(value))
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists in lists in lists …
        return f"a {type(value).__name__} too large to be written out"


def did_you_mean(value: object, options: Any) -> str:
    """The sentence that offers the nearest of `options` (a list of names, or a `Literal`), or an empty one.

    What had another name once is offered by its present one, however little the two look alike.
    """
    names = [str(option) for option in typing.get_args(options) or options] if _listed(options) else []
    value = value if isinstance(value, str) else quoted(value)
    table, dot, name = value.rpartition(".")
    tables, last = FORMER_NAMES.get(table, (table,)), FORMER_NAMES.get(name, (name,))
    now = [former + dot + one for former in tables for one in (*last, name) if former + dot + one in names]
    near = now or difflib.get_close_matches(value[:100], names[:MOST_OPTIONS], n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _listed(options: Any) -> bool:
    return typing.get_origin(options) is typing.Literal or isinstance(options, list | tuple)


def _without_middle(message: str) -> str:
    if len(message) <= LONGEST_MESSAGE:
        return message
    half = LONGEST_MESSAGE // 2 - 20
    return f"{message[:half]} … ({len(message):,} characters) … {message[-half:]}"
