"""The return from which an environment counts as solved: what the user says, or what Gymnasium's registry knows."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from morphorl.analysis.logs.pattern import ENVIRONMENT
from morphorl.config.errors import SettingError, did_you_mean, quoted


class Threshold(NamedTuple):
    """A return, and whether the user has said it."""

    value: float
    given: bool


def resolve(environments: Sequence[str], given: Mapping[str, float]) -> dict[str, Threshold]:
    """The threshold of each environment that has one.

    Args:
        given: by environment; "" is that of all.

    Raises:
        SettingError: for a name that is none of the environments.
    """
    for name in given:
        if name and name not in environments:
            hint = did_you_mean(name, environments)
            raise SettingError(
                f"threshold: {quoted(name)} is no environment of these runs; must be one of "
                f"{', '.join(environments)}.{hint}"
            )
    found = {}
    for name in environments:
        if name in given or "" in given:
            found[name] = Threshold(given.get(name, given.get("", 0.0)), True)
        elif re.fullmatch(ENVIRONMENT, name) and (known := _registered(name)) is not None:
            found[name] = Threshold(known, False)
    return found


def sentences(environments: Sequence[str], found: Mapping[str, Threshold]) -> list[str]:
    """Which return counts as solved, and who says so."""
    told = []
    for name in environments:
        if name not in found:
            told.append(f"{name}: no return is known from which it is solved; --threshold {name}=X names one.")
        elif not found[name].given:
            told.append(
                f"{name}: solved from {found[name].value:g} on, as Gymnasium has it; --threshold says otherwise."
            )
    return told


def _registered(name: str) -> float | None:
    import gymnasium  # half a second, for an environment that looks like one of Gymnasium's

    spec = gymnasium.registry.get(name)
    return None if spec is None or spec.reward_threshold is None else float(spec.reward_threshold)
