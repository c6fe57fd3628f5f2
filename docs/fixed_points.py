"""How many states a memory rests in while nothing happens: for every agent of a T-maze that starts with its cue.

A memory that rests in two states, one for each cue, can hold the cue for ever; one that rests in a single state has
forgotten it in the end. So their number should foretell which agents still turn the right way after any corridor.

Usage: uv run docs/fixed_points.py FOLDER [--out FILE.parquet]     # FOLDER of `morphorl run horizon --agents`
"""

import dataclasses
import itertools
import sys
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import tyro
from jaxtyping import Array, Bool, Float

from morphorl.config.errors import StoreError
from morphorl.environments import registry
from morphorl.environments.library.t_maze import CORRIDOR, CUE_NORTH, CUE_SOUTH, FORM, NOISY
from morphorl.environments.wrappers import memory_of
from morphorl.ppo import recurrent
from morphorl.ppo.agent import Agent, network_view
from morphorl.ppo.settings import Settings, stack
from morphorl.studies import results
from morphorl.studies.run import Run
from morphorl.studies.store import Store
from morphorl.studies.stored_agents import trained_agents

STEPS = 200_000
"""In the corridor: a leak of .0002 a step leaves e⁻⁴⁰ of the difference."""
APART = 1e-2
"""Two states are different if some entry differs by more than this share of the largest entry of either."""


@dataclasses.dataclass
class Options:
    """Count the states in which each agent's memory rests in the corridor of a T-maze, after either cue."""

    folder: Annotated[Path, tyro.conf.Positional]
    """Of `morphorl run horizon --agents`."""
    out: Path = Path("runs/fixed_points.parquet")
    """A row for each agent of a maze: environment, arm, seed, points."""


def counted(folder: Path) -> pl.DataFrame:
    """A row for each run in a maze: environment, arm, seed, and the number of states, 0 for an agent without memory."""
    study, store = results.load(folder).study, Store(folder)
    rows = []
    in_mazes = (run for run in study.runs() if run.settings.environment.startswith((FORM, NOISY)))
    for _, runs in itertools.groupby(in_mazes, key=lambda run: (run.settings.environment, run.arm)):
        rows += _rows(store, list(runs))
    return pl.DataFrame(rows)


def _rows(store: Store, runs: list[Run]) -> list[dict]:
    diverged = {run for shard in store.undamaged() for run in shard.diverged}
    whole = [run for run in runs if run.id not in diverged]
    counts = dict(zip((run.id for run in whole), map(int, points(store, whole)), strict=True)) if whole else {}
    return [
        {"environment": run.settings.environment, "arm": run.arm, "seed": run.seed, "points": counts.get(run.id)}
        for run in runs
    ]


def points(store: Store, runs: list[Run]) -> np.ndarray:
    """The number of states of each run's memory."""
    agents = trained_agents(store, runs)
    count = jax.jit(jax.vmap(lambda settings, agent: _count(settings, agent)))
    return np.asarray(count(stack(agents.settings), jax.tree.map(jnp.asarray, agents.arrays)))


def _count(settings: Settings, agent: Agent) -> Float[Array, ""]:
    if settings.memory.kind == "none" and agent.core is None:
        return jnp.array(0)
    north, south = (_rests(settings, agent, cue) for cue in (CUE_NORTH, CUE_SOUTH))
    return 1 + _differ(north, south).astype(int)


def _rests(settings: Settings, agent: Agent, cue: int) -> Float[Array, " numbers"]:
    """The memory, as one vector, after a cue and so many steps of corridor."""
    first, corridor = jnp.eye(4)[cue], jnp.eye(4)[CORRIDOR]
    if agent.core is None:
        maze = registry.make_env("TMaze-16")
        memory = memory_of(settings.memory, settings.guidance, (maze.num_features, maze.num_actions))
        start, step = memory.start(first), lambda state: memory.step(state, corridor)
    else:
        core = agent.core
        see = lambda x: network_view(settings, agent.statistics, x[:, None])  # noqa: E731
        start = recurrent.step(core, jnp.zeros((core.hidden_size, 1)), see(first))
        step = lambda state: recurrent.step(core, state, see(corridor))  # noqa: E731
    rested = jax.lax.fori_loop(0, STEPS, lambda _, state: step(state), start)
    return jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(rested)])


def _differ(one: Float[Array, " numbers"], other: Float[Array, " numbers"]) -> Bool[Array, ""]:
    largest = jnp.maximum(jnp.max(jnp.abs(one)), jnp.max(jnp.abs(other)))
    return jnp.max(jnp.abs(one - other)) > APART * jnp.maximum(largest, 1e-6)


if __name__ == "__main__":
    options = tyro.cli(Options, description=Options.__doc__)
    try:
        table = counted(options.folder)
    except StoreError as error:
        sys.exit(f"error: {error}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(options.out)
    with pl.Config(tbl_rows=-1):
        print(table.group_by("environment", "arm", "points", maintain_order=True).len())
