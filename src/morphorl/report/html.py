"""The report: one HTML file with everything in it, that opens from disk and never asks a network for anything.

The charts are SVG, drawn by `page.js` from the data in the page. A plotting library inlined would be ten times as large
as the data of a study (Plotly: 4.6 MB), would need styles that the content security policy forbids, and would leave
dark mode, print and keyboard to us all the same.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup

from morphorl.analysis import claims, curve_statistics, interpretations, scores, verdicts
from morphorl.config.files import write_atomically
from morphorl.config.plain import to_dict
from morphorl.environments.base import CARTPOLES
from morphorl.report import html_data, verdict_report
from morphorl.report.embedding import TEMPLATES, content_hash, embed, estimate_in_words, fill
from morphorl.report.replay import Replay
from morphorl.report.scripts import bundle
from morphorl.report.tables import COLUMNS
from morphorl.studies import results, shards
from morphorl.studies.arms import shown
from morphorl.studies.results import Stored

MARKS = {"supported": "✓", "contradicted": "✗", "undecided": "?", "not testable": "–"}


def write(root: Path, found: Stored, curves: pl.DataFrame, replays: Iterable[Replay]) -> Path:
    """Write `report.html` into a study's folder.

    Args:
        curves: all finished runs of the study, as `Store.curves` returns them.
    """
    page = render(root, found, curves, replays)
    path = root / "report.html"
    write_atomically(path, lambda temporary: temporary.write_text(page, encoding="utf-8"))
    return path


def render(root: Path, found: Stored, curves: pl.DataFrame, replays: Iterable[Replay]) -> str:
    """The page as text; the same data give the same page."""
    study, versions = found
    arms, groups = html_data.arms(study), html_data.groups(study)
    present = curves.select("preset", "environment").unique(maintain_order=True).rows()
    panels = [html_data.panel(study, preset, environment, curves) for preset, environment in present]
    has_seeds = curves["run"].n_unique() <= html_data.MOST_SEEDS
    table = scores.table(curves)
    in_folders = {preset: verdicts.folder_of(root, study, preset) for preset in study.presets}
    found_verdicts = {preset: verdicts.load(here, study, preset, table) for preset, here in in_folders.items()}
    judged = {preset: one for preset, one in found_verdicts.items() if one}
    multiverse = any(len(one) > 1 for one in judged.values())
    shown_runs, labels = html_data.shown_runs(study), [arm["label"] for arm in arms]
    played = [row for replay in replays for row in html_data.replay(replay, labels, shown_runs)]
    data = {
        "arms": [{"label": arm["label"], "strength": arm["strength"]} for arm in arms],
        "groups": groups,
        "panels": panels if has_seeds else [html_data.without_seeds(panel) for panel in panels],
        "margin": claims.MARGIN,
        "claims": [{"preset": p} | row for p, one in judged.items() for row in html_data.claims(one)] * multiverse,
        "replay": played,
    }
    reading = (f"morphorl {name} runs/{study.name}{results.trusting(study)}" for name in ("report", "figures"))
    commands = [results.command(study), *reading]
    script, style = bundle(TEMPLATES / "page.js"), (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return fill(
        TEMPLATES / "page.html",
        study=study,
        versions=versions,
        arms=arms,
        panels=panels,
        has_seeds=has_seeds,
        sections=_sections(multiverse),
        planned=len({run.id for run in study.iterate()}),
        done=curves["run"].n_unique(),
        diverged=curves.drop_nulls("diverged_at")["run"].n_unique(),
        failed=len({run for failure in shards.failures(root) for run in failure["runs"]}),
        judged=judged,
        shares={preset: claims.shares([v for one in rows for v in one.verdicts]) for preset, rows in judged.items()},
        specifications=[(preset, claim) for preset in judged for claim in claims.CLAIMS] if multiverse else [],
        sentences=claims.CLAIMS,
        marks=MARKS,
        margin=claims.MARGIN,
        early=curve_statistics.EARLY,
        replays=played,
        arms_replayed=len({row["arm"] for row in played}),
        no_replay=_no_replay(study),
        columns=COLUMNS,
        commands=commands,
        needs_file=commands[0].endswith(".toml"),
        toml=results.to_toml(study),
        settings={preset: _all_settings(study, preset) for preset in study.presets},
        percent=verdict_report.percent,
        place=place,
        estimate=estimate_in_words,
        data=embed(data),
        script=Markup(script),
        style=Markup(style),
        script_hash=content_hash(script),
        style_hash=content_hash(style),
    )


def place(effect: float) -> float:
    """Where an effect lies in the small plot of a verdict: ±100% over 260 units, what is beyond at the edge."""
    return round(150 + 130 * max(-1.0, min(1.0, effect)), 1) if math.isfinite(effect) else 150.0


def _sections(multiverse: bool) -> list[tuple[str, str]]:
    named = {
        "verdicts": "Verdicts",
        "learning": "Learning curves",
        "threshold": "Steps to threshold",
        "strength": "Early return and γ",
        "luck": "Luck",
        "multiverse": "Multiverse",
        "replay": "Replay",
        "numbers": "Numbers",
        "what": "What was run",
    }
    return [(id, title) for id, title in named.items() if multiverse or id != "multiverse"]


def _no_replay(study: Any) -> str:
    if any(environment in CARTPOLES for environment in study.environments):
        return "This report was made without replays, or the study's folder keeps no agents to show."
    return f"Only CartPole can be drawn, and this study is about {', '.join(study.environments)}."


def _all_settings(study: Any, preset: str) -> dict[str, str]:
    first = next(iter(study.expand(preset).values()))
    once = {name: shown(value) for name, value in to_dict(first).items() if not isinstance(value, dict)}
    once["environment"] = ", ".join(study.environments)
    return once | {name: shown(value) for name, value in interpretations.plain_values(first).items()}
