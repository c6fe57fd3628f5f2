"""Agents of a folder, for the playground: those that a study keeps, or the last ones of a training."""

from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from morphorl.config.errors import SettingError
from morphorl.environments.base import CARTPOLES
from morphorl.ppo import checkpoints
from morphorl.ppo.agent import Agent
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.settings import Settings
from morphorl.report import episode, episode_page
from morphorl.report.html_data import Plain
from morphorl.report.playground.live_agents import live, single, why_not
from morphorl.report.playground.playground_data import shipped_agents
from morphorl.studies import results, stages, stored_agents
from morphorl.studies.stages import STAGES
from morphorl.studies.store import Store

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


def of_folder(folder: Path) -> tuple[list[Plain], str]:
    """The agents in a folder that `morphorl run`, `reproduce` or `train` wrote, and a sentence about them.

    Where none of them has the part of a memory, or none is to be pushed, one that comes along plays that part.

    Raises:
        SettingError: if none of them balances a pole, which is all that the page can draw.
        StoreError: if the folder holds neither a study with agents nor agents.
    """
    found = staged(folder) if (folder / "study.json").exists() else []
    found = found or last(folder)
    drawn = [one for one in found if one.settings.environment in CARTPOLES]
    if not drawn:
        names = ", ".join(dict.fromkeys(one.settings.environment for one in found))
        raise SettingError(
            f"environment = {names}: must be one of {', '.join(CARTPOLES)} for the playground, which draws nothing "
            "else; `morphorl watch` shows other agents."
        )
    chosen = [plain(one) for one in drawn[:MOST_AGENTS]]
    told = f"{len(chosen)} of {len(drawn)} agents are shown." if len(drawn) > MOST_AGENTS else ""
    missing = [
        one for one in shipped_agents() if one["stage"] == "final" and not any(_same_part(one, own) for own in chosen)
    ]
    borrowed = " Agents that come with morphorl are called so." if missing else ""
    return chosen + [one | {"label": f"{one['label']} (comes with morphorl)"} for one in missing], told + borrowed


def _same_part(one: Plain, own: Plain) -> bool:
    """Whether two agents would be shown in the same part of the page: with a memory, plain, or with a cell."""
    return own["live"] is not None and _part(one["live"]) == _part(own["live"])


def _part(live: Plain) -> tuple[bool, bool]:
    return live["memory"] is not None, live["cell"] is not None


def staged(folder: Path) -> list[Shown]:
    """The early, middle and final agents that a study keeps of its arms; none if it keeps none."""
    study = results.load(folder).study
    runs = stages.first_runs(study)
    kept = stored_agents.staged_agents(Store(folder), runs)
    many = len({(run.preset, run.settings.environment) for run in runs}) > 1
    found = []
    for run in (run for run in runs if run.id in kept):
        label = f"{run.arm} ({run.settings.environment}, {run.preset})" if many else run.arm
        for i, (stage, updates) in enumerate(zip(STAGES, stages.updates(run.settings), strict=True)):
            agent = single(kept[run.id], i)
            found.append(Shown(label, stage, updates * run.settings.ppo.batch, run.seed, run.settings, agent))
    return found


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
    told = {"label": one.label, "stage": one.stage, "steps": one.steps, "seed": one.seed}
    if reason is None:
        progress = one.steps / one.settings.steps
        return told | {"live": live(one.settings, one.agent, progress), "recorded": None, "why": ""}
    return told | {"live": None, "recorded": recorded(one), "why": reason}


def recorded(one: Shown) -> Plain:
    """An episode as `watch` shows it, actions sampled, as long as there is room for."""
    batch = Agents([one.settings], [one.seed], jax.tree.map(lambda u: np.asarray(u)[None], one.agent))
    looks = list(episode.episode(batch, 0, pictures=False))
    numbers = sum(state.size for state in looks[0].states.values())
    shown = looks[: max(1, MOST_NUMBERS // max(1, numbers))]
    row = episode_page.row(batch, shown, 0, f"{len(looks)}")
    cut = f" Its first {len(shown)} steps are shown." if len(shown) < len(looks) else ""
    return row | {"stage": one.stage, "steps": one.steps, "told": f"the pole is up for {len(looks)} steps.{cut}"}
