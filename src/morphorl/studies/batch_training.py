"""Training batches here, on every core of this machine."""

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from jax.stages import Wrapped

from morphorl.config.interrupts import raise_if_swallowed
from morphorl.environments import gymnasium_envs, registry
from morphorl.environments.base import is_host
from morphorl.ppo import gymnasium_training, training
from morphorl.ppo.agent import Agent
from morphorl.ppo.settings import Settings
from morphorl.studies import stages
from morphorl.studies.batches import Batch, stacked
from morphorl.studies.progress import Progress
from morphorl.studies.run import Run

CHUNK_SECONDS = 0.5
"""Time between two signs of life, and between Ctrl-C and its effect."""
RUNS, SAME = PartitionSpec("runs"), PartitionSpec()
"""How an argument reaches the devices: its leading axis, the runs, divided among them; or all of it to each."""


class Staged(NamedTuple):
    """Agents of some of a batch's runs at every stage of training.

    The leading axis of their arrays holds all of these runs at the first stage, then all at the next one, and so on.
    """

    runs: list[str]
    """The runs' ids."""
    agents: Agent


class BatchResult(NamedTuple):
    """What is kept of a batch; every array has the batch's runs as its leading axis."""

    curve: training.Curve
    agents: Agent
    diverged_at: np.ndarray
    untrained_return: np.ndarray
    staged: Staged | None = None
    """The agents kept for replays, if some of the batch are (`stages.py`); their leading axis is another one."""


class Program(NamedTuple):
    """Compiled training of a batch: `init(settings, seeds, cell_seeds)`, `advance(settings, state, start, stop)`.

    `advance` may still be compiling in a thread, and is then waited for by its first call: so untrained agents have
    played before.
    """

    init: Callable[..., training.TrainState]
    advance: Callable[..., training.TrainState]


Outcome = BatchResult | Exception
"""What became of a batch: its result, or what went wrong. One failure does not stop the others."""


def local(batches: Iterable[Batch], progress: Progress) -> Generator[tuple[Batch, Outcome]]:
    """Train batches in this process, one after the other."""
    for batch in batches:
        raise_if_swallowed()
        progress.started(batch.runs)
        compiling, advanced = partial(progress.compiling, batch.runs[0]), partial(progress.advanced, batch.runs)
        begun = partial(progress.begun, batch.runs)
        try:
            outcome = train_batch(batch.runs, batch.size, compiling, advanced, batch.mixed, batch.staged, begun)
        except Exception as error:
            outcome = error
        yield batch, outcome


def train_batch(
    runs: list[Run],
    size: int,
    compiling: Callable[[], None] = lambda: None,
    advanced: Callable[[int, np.ndarray], None] = lambda updates, returns: None,
    mixed: frozenset[int] = frozenset(),
    staged: frozenset[str] = frozenset(),
    begun: Callable[[np.ndarray], None] = lambda returns: None,
) -> BatchResult:
    """Train runs that share one program, as one program of `size` runs.

    Fewer runs than `size` are filled up, so that the bits do not depend on their number (`batches.stacked`).

    Args:
        compiling: called before a program is compiled for the first time.
        advanced: called every half second or so with the number of updates done and each run's latest episode return.
        mixed: the choices that differ between runs of the program, in this batch or another (`choices.mixed_choices`).
        staged: the ids of runs whose agents are kept at every stage of training too; training pauses there, which
            changes no bit.
        begun: called with each run's mean return before any training, where a program measures it.
    """
    settings, seeds, cell_seeds = stacked(runs, mixed, size)
    first = runs[0].settings
    if is_host(first.environment):
        return _train_on_host(first, settings, np.asarray(seeds), np.asarray(cell_seeds), len(runs), advanced)
    which = (jax.tree.structure(settings), first.environment, size)
    if which not in compiled_programs:
        compiling()
        compiled_programs[which] = compile_program(*which)
    program = compiled_programs[which]
    chosen = [i for i, run in enumerate(runs) if run.id in staged]
    at_stages: dict[int, Agent] = {}
    pauses = stages.updates(first) if chosen else []
    state, done, stop = program.init(settings, seeds, cell_seeds), 0, 1
    begun(np.asarray(state.untrained_return)[: len(runs)])
    while done < first.updates:
        started = time.perf_counter()
        state = jax.block_until_ready(program.advance(settings, state, jnp.array(done), jnp.array(stop)))
        advanced(stop, _latest(state.curve.episode_return, stop)[: len(runs)])
        pace = (time.perf_counter() - started) / (stop - done)
        if stop in pauses:
            at_stages[stop] = jax.tree.map(lambda u: np.asarray(u)[chosen], state.agent)
        following = min(first.updates, stop + max(1, int(CHUNK_SECONDS / pace)))
        done, stop = stop, min([following, *(pause for pause in pauses if pause > stop)])
    kept = (state.curve, state.agent, state.diverged_at, state.untrained_return)
    shown = None
    if chosen:
        agents = jax.tree.map(lambda *parts: np.concatenate(parts), *(at_stages[pause] for pause in pauses))
        shown = Staged([runs[i].id for i in chosen], agents)
    return BatchResult(*jax.tree.map(lambda u: np.asarray(u)[: len(runs)], kept), staged=shown)


def _train_on_host(
    first: Settings,
    settings: Settings,
    seeds: np.ndarray,
    cell_seeds: np.ndarray,
    runs: int,
    advanced: Callable[[int, np.ndarray], None],
) -> BatchResult:
    """Train a batch on one of Gymnasium's environments; copies that only fill the batch up are left out."""
    settings, seeds, cell_seeds = jax.tree.map(lambda u: u[:runs], (settings, seeds, cell_seeds))

    def evaluate(now: Settings, agents: Agent, index: int) -> np.ndarray:
        played = (now, agents, first.environment, first.evaluation_episodes, 1 + index)
        return gymnasium_training.evaluate(*played, greedy=True).mean(axis=1)

    vector = gymnasium_envs.vector(first.environment, runs * first.ppo.num_envs)
    with closing(vector):
        state = gymnasium_training.train(settings, seeds, cell_seeds, vector, evaluate, advanced)
    kept = (state.curve, state.agent, state.diverged_at, state.untrained_return)
    return BatchResult(*jax.tree.map(np.asarray, kept))


compiled_programs: dict[tuple[Any, str, int], Program] = {}
"""The programs compiled so far in this process."""


def compile_program(structure: Any, environment: str, size: int) -> Program:
    """Compile training for all settings of one structure, in batches of `size` runs sharded over the devices."""
    env = registry.make_env(environment)

    def init_one(settings, seed, cell_seed):
        return training.init(settings, env, seed, cell_seed)

    def advance_one(settings, state, start, stop):
        return training.advance(settings, env, state, start, stop)

    def init(settings, seeds, cell_seeds):
        return jax.vmap(init_one)(settings, seeds, cell_seeds)

    def advance(settings, state, start, stop):
        return jax.vmap(advance_one, in_axes=(0, 0, None, None))(settings, state, start, stop)

    settings = jax.tree.unflatten(structure, [jax.ShapeDtypeStruct((size,), jnp.float32)] * structure.num_leaves)
    seeds = jax.ShapeDtypeStruct((size,), jnp.int32)
    index = jax.ShapeDtypeStruct((), jnp.int32)
    starting = sharded(init, size, (RUNS, RUNS, RUNS))
    advancing = sharded(advance, size, (RUNS, RUNS, SAME, SAME), donate_argnums=1)
    traced = starting.trace(settings, seeds, seeds)
    advanced = (settings, traced.out_info, index, index)
    compiled = ThreadPoolExecutor(1).submit(lambda: advancing.lower(*advanced).compile())

    def advance_when_compiled(*given):
        if compiled.exception():  # the next batch compiles anew: memory may be there then
            compiled_programs.pop((structure, environment, size), None)
        return compiled.result()(*given)

    return Program(init=traced.lower().compile(), advance=advance_when_compiled)


def sharded(function: Callable, size: int, in_specs: tuple[PartitionSpec, ...], **options: Any) -> Wrapped:
    """A function of `size` runs, jitted, which are divided among the devices.

    Fewer runs than devices leave some idle: XLA then divides the large products of the others among the cores.

    Args:
        in_specs: of each argument, `RUNS` or `SAME`; every result has the runs as its leading axis.
        options: for `jax.jit`.
    """
    devices = jax.devices()[:size]
    mesh = jax.make_mesh((len(devices),), ("runs",), axis_types=(AxisType.Auto,), devices=devices)
    mapped = jax.shard_map(function, mesh=mesh, in_specs=in_specs, out_specs=RUNS, check_vma=False)
    return jax.jit(mapped, in_shardings=[NamedSharding(mesh, spec) for spec in in_specs], **options)


def _latest(returns: jax.Array, updates: int) -> np.ndarray:
    """The last known episode return of each run; NaN where no episode has ended yet."""
    known = np.asarray(returns)[:, :updates]
    last = known.shape[1] - 1 - np.argmax(~np.isnan(known[:, ::-1]), axis=1)
    return known[np.arange(len(known)), last]
