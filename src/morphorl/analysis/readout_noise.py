"""Matching controls to the dynamics: how large their readouts are, and how long they persist."""

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from morphorl.environments import registry
from morphorl.environments.base import Environment
from morphorl.ppo import training
from morphorl.ppo.settings import Settings
from morphorl.studies.batches import Program, programs, stacked
from morphorl.studies.study import Study


class Moments(NamedTuple):
    """Sums over readouts, those of discrete actions centred: a part common to all of them cancels in the softmax."""

    square: Float[Array, ""]
    size: Float[Array, ""]
    earlier: Float[Array, ""]
    """Squares of the readouts that another one of the same episode follows."""
    later: Float[Array, ""]
    """Squares of those that follow."""
    product: Float[Array, ""]
    """Products of the two."""


class Readouts(NamedTuple):
    """What correlated noise must have to match an arm's readouts (`dynamics.deviation`, `dynamics.autocorrelation`)."""

    deviation: float
    autocorrelation: float


def moments(
    readout: Float[Array, "time actions envs"], ended: Bool[Array, "time envs"], *, continuous: bool = False
) -> Moments:
    """The sums over one rollout, whose episodes ended where `ended` says."""
    centred = readout if continuous else readout - jnp.mean(readout, axis=1, keepdims=True)
    goes_on = ~ended[:-1, None]
    one, next_one = centred[:-1] * goes_on, centred[1:] * goes_on
    sums = (centred**2, jnp.ones_like(centred), one**2, next_one**2, one * next_one)
    return Moments(*map(jnp.sum, sums))


def readouts(moments: Moments, actions: int, *, continuous: bool = False) -> Readouts:
    """Standard deviation and correlation from one step to the next, by the sums over rollouts and runs.

    Both are about 0, which is the mean over patterns: a readout that its pattern biases for a whole run deviates, and
    persists. Centring takes one of K degrees of freedom, so that noise which is independent for each action, of
    variance σ², measures σ.
    """
    freedom = 1.0 if continuous else (actions - 1) / actions
    deviation = np.sqrt(moments.square / moments.size / freedom)
    scale = np.sqrt(moments.earlier * moments.later)
    return Readouts(float(deviation), float(moments.product / scale) if scale > 0 else 0.0)


def over_training(settings: Settings, env: Environment, seed: Int[Array, ""], cell_seed: Int[Array, ""]) -> Moments:
    """The sums over all the readouts that one run acts on while it trains."""

    def update(state, index):
        state, seen = training.observed_update(settings, env, state, index)
        ended = seen.terminated | seen.truncated
        return state, moments(seen.readout, ended, continuous=env.continuous)

    state = training.init(settings, env, seed, cell_seed)
    parts = jax.lax.scan(update, state, jnp.arange(settings.updates))[1]
    return jax.tree.map(jnp.sum, parts)


def measure(study: Study) -> dict[tuple[str, str, str], Readouts]:
    """The readouts of every arm of a study, pooled over its seeds, by preset, environment and arm."""
    runs = list(replace(study, evaluate_every=0).iterate())
    known = {id: sums for program in programs(runs) for id, sums in _measure_program(program).items()}
    pooled = defaultdict(list)
    for run in runs:
        pooled[run.preset, run.settings.environment, run.arm].append(known[run.id])
    envs = {label: registry.make_env(label[1]) for label in pooled}
    return {
        label: readouts(Moments(*np.sum(sums, axis=0)), envs[label].num_actions, continuous=envs[label].continuous)
        for label, sums in pooled.items()
    }


def _measure_program(program: Program) -> dict[str, Moments]:
    runs = list(program.runs.values())
    env = registry.make_env(runs[0].settings.environment)
    train = jax.jit(jax.vmap(lambda settings, *seeds: over_training(settings, env, *seeds)))
    sums = [np.asarray(u, float) for u in train(*stacked(runs, program.mixed))]
    return {run.id: Moments(*values) for run, *values in zip(runs, *sums, strict=True)}
