"""Agents of a folder, for the playground: those that a study keeps, or the last ones of a training."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import jax

from morphorl.config.errors import SettingError, StoreError
from morphorl.environments.base import CARTPOLES
from morphorl.ppo import checkpoints
from morphorl.ppo.agent import Agent
from morphorl.ppo.settings import Settings
from morphorl.report import html_data, replay
from morphorl.report.html_data import Plain
from morphorl.report.playground.live_agents import is_finite, live, single, why_not
from morphorl.report.playground.playground_data import shipped_agents
from morphorl.studies import results, stages, stored_agents
from morphorl.studies.stages import STAGES
from morphorl.studies.store import Store
from morphorl.studies.study import Study

MOST_AGENTS = 9
"""In a page: 225 kB of weights of networks of 64-64 units."""
MOST_NUMBERS = 30_000
"""Of the states in a recorded episode: 80 kB."""


class Shown(NamedTuple):
    """An agent at one stage of its training, and what it is called."""

    label: str
    stage: str
    steps: int
    seed: int
    settings: Settings
    agent: Agent
    """A single one, of NumPy arrays."""

    @property
    def progress(self) -> float:
        """The share of the training that was over."""
        return min(1.0, self.steps / (self.settings.updates * self.settings.ppo.batch))


def of_folder(folder: Path) -> tuple[list[Plain], str]:
    """The agents in a folder that `morphorl run`, `reproduce` or `train` wrote, and a sentence about them.

    Where none of them has the part of a memory, or none is to be pushed, one that comes along plays that part.

    Raises:
        SettingError: if none of them balances a pole, which is all that the page can draw, if a study keeps none, or
            if the values of all are not finite.
        StoreError: if there is no such folder, or it holds neither a study nor agents.
    """
    if not folder.is_dir():
        raise StoreError(f"{folder}: there is no such folder.")
    found = staged(folder) if (folder / "study.json").exists() else last(folder)
    drawn = [one for one in found if one.settings.environment in CARTPOLES]
    if not drawn:
        raise _only_cartpoles(one.settings.environment for one in found)
    sound = [one for one in drawn if is_finite(one.agent)]
    if not sound:
        raise SettingError(f"{folder}: the values of all its agents are not finite; the playground cannot show such.")
    chosen = [plain(one) for one in sound[:MOST_AGENTS]]
    missing = [
        one for one in shipped_agents() if one["stage"] == "final" and not any(_same_part(one, own) for own in chosen)
    ]
    shown = chosen + [one | {"label": f"{one['label']} (comes with morphorl)"} for one in missing]
    return shown, _sentences(len(chosen), len(sound), len(drawn) - len(sound), bool(missing))


def _only_cartpoles(environments: Iterable[str]) -> SettingError:
    return SettingError(
        f"environment = {', '.join(dict.fromkeys(environments))}: must be one of {', '.join(CARTPOLES)} for the "
        "playground, which draws nothing else; `morphorl watch` shows other agents."
    )


def _sentences(shown: int, sound: int, broken: int, borrows: bool) -> str:
    """What a reader has to know of the agents of a folder."""
    parts = {
        f"{shown} of {sound} agents are shown.": shown < sound,
        f"Left out are {broken} whose values are not finite.": broken > 0,
        "Agents marked '(comes with morphorl)' are not from this folder.": borrows,
    }
    return " ".join(sentence for sentence, holds in parts.items() if holds)


def _same_part(one: Plain, own: Plain) -> bool:
    """Whether two agents would be shown in the same part of the page: with a memory, plain, or with a cell."""
    return own["live"] is not None and _part(one["live"]) == _part(own["live"])


def _part(live: Plain) -> tuple[bool, bool]:
    """What decides in which part of the page an agent is shown: whether it has a memory, and whether a cell."""
    return live["memory"] is not None, live["cell"] is not None


def staged(folder: Path) -> list[Shown]:
    """The early, middle and final agents that a study keeps of its arms.

    Raises:
        SettingError: if it keeps none.
    """
    study = results.load(folder).study
    runs = stages.first_runs(study)
    kept = stored_agents.staged_agents(Store(folder), runs)
    if not kept:
        raise _none_kept(folder, study)
    many = len({(run.preset, run.settings.environment) for run in runs}) > 1
    found = []
    for run in (run for run in runs if run.id in kept):
        label = f"{run.arm} ({run.settings.environment}, {run.preset})" if many else run.arm
        for i, (stage, updates) in enumerate(zip(STAGES, stages.updates(run.settings), strict=True)):
            agent = single(kept[run.id], i)
            found.append(Shown(label, stage, updates * run.settings.ppo.batch, run.seed, run.settings, agent))
    return found


def _none_kept(folder: Path, study: Study) -> SettingError:
    if not any(environment in CARTPOLES for environment in study.environments):
        return _only_cartpoles(study.environments)
    return SettingError(f"{folder}: the study keeps no agents for the playground to show; run it to its end first.")


def last(folder: Path) -> list[Shown]:
    """The agents that a training ended with."""
    batch = checkpoints.load_agents(folder)
    each = zip(batch.settings, batch.seeds, strict=True)
    return [
        Shown(f"seed {seed}", "final", settings.steps, seed, settings, single(batch.arrays, i))
        for i, (settings, seed) in enumerate(each)
    ]


def plain(one: Shown) -> Plain:
    """An agent for the page: its weights, or an episode of it where the page cannot compute what it does."""
    reason = why_not(one.settings)
    named = {"label": one.label, "stage": one.stage, "steps": one.steps, "seed": one.seed}
    if reason is None:
        return named | {"live": live(one.settings, one.agent, one.progress), "recorded": None, "why": ""}
    return named | {"live": None, "recorded": recorded(one), "why": reason}


def recorded(one: Shown) -> Plain:
    """An episode as the report replays it, actions sampled, as long as there is room for."""
    whole = replay.played(one.settings, one.agent, one.progress)
    if one.settings.blend.kind == "none":
        whole = whole._replace(states={})
    length = len(whole.action)
    numbers = sum(state[0].size for state in whole.states.values())
    room = max(1, MOST_NUMBERS // max(1, numbers))
    cut = f" Its first {room} steps are shown." if room < length else ""
    return html_data.episode(one.settings, jax.tree.map(lambda u: u[:room], whole)) | {
        "preset": "",
        "stage": one.stage,
        "steps": one.steps,
        "seed": one.seed,
        "outcome": f"the pole is up for {length} steps.{cut}",
    }
