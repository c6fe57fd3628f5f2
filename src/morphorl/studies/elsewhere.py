"""The trained agents of a study, played where they were not trained: taught in a short maze, tested in a long one."""

import itertools
from collections.abc import Iterable

import numpy as np
import polars as pl
from jaxtyping import Float

from morphorl.config.errors import SettingError
from morphorl.config.fields import COUNT
from morphorl.config.following import Follow, unseen
from morphorl.ppo import evaluation
from morphorl.studies.run import Run
from morphorl.studies.store import Store
from morphorl.studies.stored_agents import trained_agents
from morphorl.studies.study import Study

FILE = "played.parquet"
"""Where a folder keeps what `play` found."""


def play(
    store: Store,
    study: Study,
    environments: Iterable[str],
    episodes: int = 100,
    *,
    greedy: bool = True,
    follow: Follow = unseen,
) -> pl.DataFrame:
    """Play whole episodes with every trained agent of a study, in each of some environments that it fits.

    An agent fits an environment that shows as many numbers and takes the same actions as the one it was trained in.

    Returns:
        A row for each run and environment. Columns: preset, environment, arm, seed, cell_seed, `played_in`, `return`
        (the mean over the episodes) and `returns` (each of them). The last two are null for a run that diverged.

    Raises:
        AgentsError: if the study's agents were not kept.
        SettingError: for less than one episode, or an environment that no agent fits.
    """
    if not COUNT.holds(episodes):
        raise SettingError(f"episodes = {episodes}: must be {COUNT.words}.")
    diverged = {run for shard in store.undamaged() for run in shard.diverged}
    groups = [
        list(runs)
        for _, runs in itertools.groupby(study.runs(), key=lambda run: (run.preset, run.settings.environment, run.arm))
    ]
    todo = [(group, played_in) for played_in in environments for group in _fitting(groups, played_in)]
    rows = []
    for group, played_in in follow(todo, len(todo), "playing"):
        whole = [run for run in group if run.id not in diverged]
        returns = dict(zip((run.id for run in whole), _returns(store, whole, played_in, episodes, greedy), strict=True))
        rows += [_row(run, played_in, returns.get(run.id)) for run in group]
    return pl.DataFrame(rows, schema_overrides={"return": pl.Float64, "returns": pl.List(pl.Float32)})


def _fitting(groups: list[list[Run]], played_in: str) -> list[list[Run]]:
    """The groups whose agents fit an environment; an error if none does."""
    fitting = [group for group in groups if evaluation.fits(group[0].settings.environment, played_in)]
    if not fitting:
        evaluation.moved(groups[0][0].settings, played_in)  # raises, and says what does not fit
    return fitting


def _returns(
    store: Store, runs: list[Run], played_in: str, episodes: int, greedy: bool
) -> Float[np.ndarray, "runs episodes"]:
    if not runs:
        return np.empty((0, episodes))
    return evaluation.evaluate(trained_agents(store, runs), episodes, greedy=greedy, environment=played_in)


def _row(run: Run, played_in: str, returns: Float[np.ndarray, " episodes"] | None) -> dict:
    return {
        "preset": run.preset,
        "environment": run.settings.environment,
        "arm": run.arm,
        "seed": run.seed,
        "cell_seed": run.cell_seed,
        "played_in": played_in,
        "return": None if returns is None else float(returns.mean()),
        "returns": None if returns is None else returns.tolist(),
    }
