"""Families of arms that differ in γ alone; each of them that can be judged is a reading of the post."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx

from morphorl.analysis.claims import Arms
from morphorl.config.plain import to_dict
from morphorl.dynamics.properties import guided_states
from morphorl.ppo.settings import Settings
from morphorl.studies.arms import SHARED, flatten, shown
from morphorl.studies.study import Study

CONTROL = "positive control"
"""How the label of an arm begins that is unstable by construction. All other arms are told by their settings."""

STRENGTH = "guidance.strength"
ABSENT = "–"
"""In place of a setting that an arm's dynamics or guidance do not have."""


class Reading(NamedTuple):
    """The arms of one reading, and the settings in which it differs from the study's other readings."""

    options: dict[str, str]
    arms: Arms

    @property
    def name(self) -> str:
        """What tells it from the others, in words; empty for the only reading of a study."""
        return option_words(self.options)


def families(labelled: Mapping[str, Settings]) -> list[dict[str, float]]:
    """Arms grouped by all settings but γ: for each group, its labels and their γ. Labels say nothing here."""
    grouped: dict[str, dict[str, float]] = {}
    for label, settings in labelled.items():
        unguided = replace(settings, guidance=replace(settings.guidance, strength=0.0))
        grouped.setdefault(unguided.digest, {})[label] = settings.guidance.strength
    return list(grouped.values())


def guided_families(labelled: Mapping[str, Settings]) -> list[dict[str, float]]:
    """The families with γ = 0 and some γ > 0."""
    return [family for family in families(labelled) if 0.0 in family.values() and max(family.values()) > 0]


def strengths(labelled: Mapping[str, Settings]) -> dict[str, float]:
    """γ by label, of the arms that belong to a family with several; the references and single arms have none."""
    swept = [family for family in families(labelled) if len(set(family.values())) > 1]
    return {label: value for family in swept for label, value in family.items()}


def partners(labelled: Mapping[str, Settings]) -> dict[str, str]:
    """For each arm with γ ≠ 0, the arm that shares all its settings but has γ = 0; an arm without one is left out."""
    found = {}
    for family in families(labelled):
        unguided = [label for label, strength in family.items() if strength == 0]
        found |= {label: unguided[0] for label, strength in family.items() if strength != 0 and unguided}
    return found


def rival(labelled: Mapping[str, Settings]) -> str:
    """The arm that others are compared with: the first that is plain PPO, or the first."""
    return next((label for label, settings in labelled.items() if is_plain(settings)), next(iter(labelled)))


def is_plain(settings: Settings) -> bool:
    """Whether no readout reaches the logits, and nothing else acts beside the network."""
    return _nothing_else(settings) and not settings.blend.reaches_logits


def is_zero(settings: Settings) -> bool:
    """Whether a readout of zeros is blended: dynamics that begin at 0 and are not driven stay there, guided or not."""
    undriven = not settings.guidance.needs and not settings.learned.parameters
    return _nothing_else(settings) and settings.dynamics.is_silent and undriven and not is_plain(settings)


def plain_of(labelled: Mapping[str, Settings], settings: Settings) -> str | None:
    """The label of plain PPO with the same settings of PPO as an arm has; None if there is none."""
    same = (label for label, one in labelled.items() if is_plain(one) and _same(one.ppo, settings.ppo))
    return next(same, None)


def zero_of(labelled: Mapping[str, Settings], settings: Settings) -> str | None:
    """The label of a readout of zeros that is blended as an arm's readout is, beside the same PPO.

    Zeros that are added change nothing: there it is plain PPO. None if there is none.
    """
    if settings.blend.kind == "add":
        return plain_of(labelled, settings)
    same = (
        label
        for label, one in labelled.items()
        if is_zero(one) and _same(one.ppo, settings.ppo) and _same(one.blend, settings.blend)
    )
    return next(same, None)


def _nothing_else(settings: Settings) -> bool:
    return not settings.task.sticky and settings.memory.kind == "none" and not settings.ppo.skip


def _same(one: eqx.Module, other: eqx.Module) -> bool:
    return to_dict(one) == to_dict(other)


def readings(labelled: Mapping[str, Settings]) -> list[Reading]:
    """The readings among a study's arms: families with γ = 0 and some γ > 0 whose two references are there too.

    Args:
        labelled: the settings of every arm under one preset (`Study.expand`).
    """
    control = next((label for label in labelled if label.startswith(CONTROL)), None)
    swept = guided_families(labelled)
    first = [labelled[next(iter(family))] for family in swept]
    references = [(plain_of(labelled, settings), zero_of(labelled, settings)) for settings in first]
    judged = [
        (Arms(plain, zero, family, control), settings)
        for family, (plain, zero), settings in zip(swept, references, first, strict=True)
        if plain and zero and plain not in family
    ]
    options = distinguish([settings for _, settings in judged])
    return [Reading(own, arms) for own, (arms, _) in zip(options, judged, strict=True)]


def of_study(study: Study, preset: str) -> list[Reading]:
    """The readings of a study under a preset."""
    return readings(study.expand(preset))


def spoken(setting: str) -> str:
    """A setting's name without the table that it stands in; `blend.kind` is the blend."""
    table, _, name = setting.rpartition(".")
    return table if name == "kind" else name


def option_words(options: Mapping[str, str]) -> str:
    """Settings by dotted name and their values, as they stand in a title."""
    return ", ".join(f"{spoken(setting)} {value}" for setting, value in options.items())


def plain_values(settings: Settings) -> dict[str, Any]:
    """An arm's settings by dotted name, without those that a study gives once for all arms."""
    return flatten({name: value for name, value in to_dict(settings).items() if name not in SHARED})


def in_words(settings: Settings) -> dict[str, str]:
    """An arm's settings by dotted name, in words; tables that cannot act are left out.

    Without a readout on the logits there is no use for dynamics, a blend, and guidance (unless a memory is guided).
    Without a memory its settings do nothing, and the same goes for sticky actions.
    """
    idle = {"memory"} if settings.memory.kind == "none" else set()
    idle |= set() if settings.task.sticky else {"task"}
    if not settings.blend.reaches_logits:
        idle |= {"dynamics", "blend"}
        idle |= set() if guided_states(settings.memory) else {"guidance"}
    values = plain_values(settings)
    return {name: shown(value) for name, value in values.items() if name.partition(".")[0] not in idle}


def differences(values: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings in which several arms differ, and what each of them has, in words; a dash where it has none."""
    names = dict.fromkeys(name for one in values for name in one)
    columns = {name: [shown(one[name]) if name in one else ABSENT for one in values] for name in names}
    return {name: column for name, column in columns.items() if len(set(column)) > 1}


def distinguish(arms: Sequence[Settings]) -> list[dict[str, str]]:
    """For each of several arms, what it has in the settings, other than γ, in which they differ."""
    columns = differences([plain_values(settings) for settings in arms])
    return [{name: column[i] for name, column in columns.items() if name != STRENGTH} for i in range(len(arms))]
