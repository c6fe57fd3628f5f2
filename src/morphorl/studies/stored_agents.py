"""Agents read from a study's folder: those that training ended with, and those kept for replays."""

from collections.abc import Iterable

import jax
import numpy as np

from morphorl.ppo import checkpoints
from morphorl.ppo.agent import Agent
from morphorl.studies.run import Run
from morphorl.studies.stages import STAGES
from morphorl.studies.store import Store


def trained_agents(store: Store, wanted: list[Run]) -> checkpoints.Agents:
    """The trained agents of finished runs of one program, in their order.

    Raises:
        AgentsError: if the agents of a run were not kept.
    """
    ids = {run.id for run in wanted}
    found = {}
    for shard in store.undamaged():
        here = {run: i for i, run in enumerate(shard.runs) if run in ids}
        if not here:
            continue
        if shard.agents is None:
            raise checkpoints.AgentsError(f"{store.root}: holds no agents; must be of a run with --agents.")
        arrays = checkpoints.read_arrays(shard.path.with_name(shard.agents))
        found |= {run: {name: array[i] for name, array in arrays.items()} for run, i in here.items()}
    arrays = {name: np.stack([found[run.id][name] for run in wanted]) for name in found[wanted[0].id]}
    return checkpoints.from_arrays([run.settings for run in wanted], [run.seed for run in wanted], arrays)


def staged_agents(store: Store, runs: Iterable[Run]) -> dict[str, Agent]:
    """The agents that are kept for replays, by their runs' ids; the leading axis of their arrays are the stages.

    Runs of which none are kept are left out.

    Raises:
        AgentsError: if arrays have other shapes than the settings call for.
    """
    wanted = {run.id: run.settings for run in runs}
    found: dict[str, Agent] = {}
    for shard in store.undamaged():
        here = [id for id in shard.staged if id in wanted]
        if here:
            arrays = checkpoints.read_arrays(shard.path.with_name(str(shard.stages)))
            count = len(shard.staged) * len(STAGES)
            agents = checkpoints.assemble(wanted[here[0]], count, arrays)
            places = {id: slice(shard.staged.index(id), None, len(shard.staged)) for id in here}
            found |= {id: jax.tree.map(lambda u, at=at: u[at], agents) for id, at in places.items()}
    return found
