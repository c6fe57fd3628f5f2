"""What the report shows, as plain values ready for JSON; the page draws them."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from morphorl.analysis import curve_statistics, interpretations, learning_curves, verdicts
from morphorl.analysis.interpretations import spoken
from morphorl.analysis.learning_curves import MOST_ARMS, attempt
from morphorl.analysis.verdicts import Judged
from morphorl.environments import registry
from morphorl.ppo.settings import Settings
from morphorl.report.chart_data import curve_data, estimate_data, luck_data, numbers, survival_data
from morphorl.report.replay import Episode, Replay
from morphorl.studies import stages
from morphorl.studies.run import Run
from morphorl.studies.study import Study

MOST_SEEDS = 2_000
"""Runs whose own curves are kept in the page; with more, only the bands are."""

FEATURES = {
    "CartPole-v1": ("x", "ẋ", "θ", "θ̇"),
    "StatelessCartPole-v1": ("x", "θ"),
    "CartPoleNoVel-v1": ("x", "0", "θ", "0"),
}

Plain = dict[str, Any]


def arms(study: Study) -> list[Plain]:
    """The arms in order: label, γ (null unless the arm is one of several that differ in γ alone), and their settings.

    Only settings in which arms differ are listed.
    """
    labelled = study.expand(study.presets[0])
    strengths = interpretations.strengths(labelled)
    told = interpretations.differences([interpretations.plain_values(settings) for settings in labelled.values()])
    return [
        {
            "label": label,
            "strength": strengths.get(label),
            "settings": {name: column[i] for name, column in told.items()},
        }
        for i, label in enumerate(labelled)
    ]


def groups(study: Study) -> list[Plain]:
    """Arms that are shown together: each reading with its references, or as many arms as a chart can tell apart."""
    labels = list(study.expand(study.presets[0]))
    found = interpretations.of_study(study, study.presets[0])
    if len(found) > 1:
        together = [(r.name, [r.arms.plain, r.arms.zero, *r.arms.guided]) for r in found]
        return [{"name": name, "arms": [labels.index(label) for label in chosen]} for name, chosen in together]
    starts = range(0, len(labels), MOST_ARMS)
    parts = [list(range(start, min(start + MOST_ARMS, len(labels)))) for start in starts]
    return [{"name": f"arms {part[0] + 1} to {part[-1] + 1}", "arms": part} for part in parts]


def panel(study: Study, preset: str, environment: str, curves: pl.DataFrame) -> Plain:
    """Everything about one environment under one preset; a finding that does not exist is a sentence instead."""
    by_arm = learning_curves.by_arm(curves.filter(preset=preset, environment=environment))
    threshold = registry.make_env(environment).threshold
    labelled = study.expand(preset)
    labels = list(labelled)
    found = {label: attempt(learning_curves.curve, rows) for label, rows in by_arm.items()}
    rival = interpretations.rival(labelled)
    shown = [
        _arm(labels.index(label), by_arm[label], found[label], threshold, found.get(rival) if label != rival else None)
        for label in labels
        if label in by_arm
    ]
    return {
        "preset": preset,
        "environment": environment,
        "threshold": threshold,
        "rival": labels.index(rival),
        "missing": [label for label in labels if label not in by_arm],
        "arms": shown,
    }


def without_seeds(panel: Plain) -> Plain:
    """A panel without the curves of single seeds."""
    return panel | {"arms": [arm | {"curve": _drop(arm["curve"], "seeds")} for arm in panel["arms"]]}


def claims(judged: Sequence[Judged]) -> list[Plain]:
    """The verdicts of one preset, one row for each reading and claim."""
    rows = verdicts.to_plain(judged)["verdicts"] if judged else []
    return [row | {"options": {spoken(name): value for name, value in row.pop("reading", {}).items()}} for row in rows]


def shown_runs(study: Study) -> list[Run]:
    """The runs whose agents are replayed: those of the first group of arms whose agents a study keeps."""
    labels = list(study.expand(study.presets[0]))
    chosen = {labels[i] for i in groups(study)[0]["arms"]}
    return [run for run in stages.first_runs(study) if run.arm in chosen]


def replay(shown: Replay, labels: list[str], runs: Iterable[Run]) -> list[Plain]:
    """A replay, packed, under the labels of all runs that share it."""
    settings = shown.run.settings
    packed = episode(settings, shown.episode)
    return [
        packed
        | {
            "preset": run.preset,
            "arm": labels.index(run.arm),
            "stage": shown.stage,
            "steps": shown.updates * settings.ppo.batch,
            "seed": run.seed,
        }
        for run in runs
        if run.id == shown.run.id
    ]


def episode(settings: Settings, played: Episode) -> Plain:
    """An episode of an agent of these settings, packed."""
    names = ("position", "network", "readout", "blended", "action")
    return {
        "environment": settings.environment,
        "heard": settings.blend.reaches_logits,
        "features": FEATURES[settings.environment],
        "length": len(played.action),
        "states": pack_states(played.states),
        "episode": {name: pack(getattr(played, name)) for name in names},
    }


def pack(array: np.ndarray) -> Plain:
    """An array as whole numbers of 16 bits (little-endian, base64) and the unit to multiply them by.

    The error is at most 1/65,534 of the largest absolute value; what is not finite counts as 0.
    """
    finite = np.nan_to_num(np.asarray(array, np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    unit = float(np.abs(finite).max(initial=0.0)) / 32767 or 1.0
    whole = np.rint(finite / unit).astype("<i2")
    return {"unit": float(f"{unit:.9g}"), "data": base64.b64encode(whole.tobytes()).decode()}


def pack_states(states: Mapping[str, Any]) -> list[Plain]:
    """The matrices (time, rows, columns) of an episode as the page draws them."""
    return [
        {"name": name, "rows": array.shape[1], "columns": array.shape[2]} | pack(np.asarray(array))
        for name, array in states.items()
    ]


def _arm(index: int, rows: pl.DataFrame, curve: Any, threshold: float | None, rival: Any) -> Plain:
    survival = attempt(learning_curves.threshold_survival, rows, threshold)
    shown = {
        "arm": index,
        "runs": rows["run"].n_unique(),
        "diverged": rows.drop_nulls("diverged_at")["run"].n_unique(),
        "summary": attempt(_summary, rows, threshold),
        "survival": survival if isinstance(survival, str) else survival_data(survival),
    }
    if isinstance(curve, str):
        return shown | {"curve": curve, "early": curve, "luck": curve}
    early = attempt(learning_curves.early, curve.seeds)
    return shown | {
        "curve": curve_data(curve),
        "early": early
        if isinstance(early, str)
        else estimate_data(early) | {"seeds": numbers(curve_statistics.early(curve.seeds))},
        "luck": _luck(curve, rival),
    }


def _luck(curve: learning_curves.Curve, rival: Any) -> Any:
    if not isinstance(rival, learning_curves.Curve):
        return rival or "this is the arm that the others are compared with."
    found = attempt(learning_curves.small_comparisons, curve.seeds, rival.seeds)
    if isinstance(found, str):
        return found
    return luck_data(found)


def _summary(rows: pl.DataFrame, threshold: float | None) -> Plain:
    return {
        name: estimate_data(estimate)
        for name, estimate in curve_statistics.summarise(curve_statistics.measure(rows, threshold)).items()
    }


def _drop(curve: Any, name: str) -> Any:
    return {key: value for key, value in curve.items() if key != name} if isinstance(curve, dict) else curve
