"""Families of arms that differ in γ alone; each of them that can be judged is a reading of the post."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from morphorl.arms import SHARED, flatten, shown
from morphorl.claims import Arms
from morphorl.settings import Settings, to_dict
from morphorl.study import Study

PLAIN, ZERO = "plain PPO", "zero readout"
"""The arms that every reading is compared with, by their labels."""

STRENGTH = "guidance.strength"


class Reading(NamedTuple):
    """The arms of one reading, and the settings in which it differs from the study's other readings."""

    options: dict[str, str]
    arms: Arms

    @property
    def name(self) -> str:
        """What tells it from the others, in words; empty for the only reading of a study."""
        return ", ".join(f"{spoken(setting)} {value}" for setting, value in self.options.items())


def families(labelled: Mapping[str, Settings]) -> list[dict[str, float]]:
    """Arms grouped by all settings but γ: for each group, its labels and their γ. Labels say nothing here."""
    grouped: dict[str, dict[str, float]] = {}
    for label, settings in labelled.items():
        unguided = replace(settings, guidance=replace(settings.guidance, strength=0.0))
        grouped.setdefault(unguided.digest, {})[label] = settings.guidance.strength
    return list(grouped.values())


def strengths(labelled: Mapping[str, Settings]) -> dict[str, float]:
    """γ by label, of the arms that belong to a family with several; the references and single arms have none."""
    swept = [family for family in families(labelled) if len(set(family.values())) > 1]
    return {label: value for family in swept for label, value in family.items() if label not in (PLAIN, ZERO)}


def rival(labels: list[str]) -> str:
    """The arm that others are compared with: plain PPO, or the first."""
    return PLAIN if PLAIN in labels else labels[0]


def readings(labelled: Mapping[str, Settings]) -> list[Reading]:
    """The readings among a study's arms: families with γ = 0 and some γ > 0, if both references are there too.

    Args:
        labelled: the settings of every arm under one preset (`Study.expand`).
    """
    if not {PLAIN, ZERO} <= labelled.keys():
        return []
    others = {label: settings for label, settings in labelled.items() if label not in (PLAIN, ZERO)}
    swept = [family for family in families(others) if 0.0 in family.values() and max(family.values()) > 0]
    values = [plain_values(labelled[next(iter(family))]) for family in swept]
    told = {name: shown for name, shown in differences(values).items() if name != STRENGTH}
    return [
        Reading({name: column[i] for name, column in told.items()}, Arms(PLAIN, ZERO, family))
        for i, family in enumerate(swept)
    ]


def of_study(study: Study, preset: str) -> list[Reading]:
    """The readings of a study under a preset."""
    return readings(study.expand(preset))


def spoken(setting: str) -> str:
    """A setting's name without the table that it stands in; `blend.kind` is the blend."""
    table, _, name = setting.rpartition(".")
    return table if name == "kind" else name


def plain_values(settings: Settings) -> dict[str, Any]:
    """An arm's settings by dotted name, without those that a study gives once for all arms."""
    return flatten({name: value for name, value in to_dict(settings).items() if name not in SHARED})


def differences(values: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings in which several arms differ, and what each of them has, in words."""
    columns = {name: [shown(one[name]) for one in values] for name in (values[0] if values else ())}
    return {name: column for name, column in columns.items() if len(set(column)) > 1}
