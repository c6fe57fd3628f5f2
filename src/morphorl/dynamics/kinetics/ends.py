"""Where the entries of a cell end up: many drawn patterns, simulated without an environment."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.reaction_diffusion import ActivatorInhibitor, ReactionDiffusion

SAME = 1e-2
"""Largest difference between actions at which they count as having the same row: the readouts then differ by less than
this times the observation, and cancel in the softmax."""


class Spread(NamedTuple):
    """Median and the middle 80% of a sample; NaN of an empty one."""

    median: float
    low: float
    high: float


class Ends(NamedTuple):
    """Where the activators of many cells stand after a number of steps."""

    strength: float
    """Blind strength γ, per environment step."""
    steps: int
    share_positive: float
    """Share of the entries that are above 0."""
    positive: Spread
    negative: Spread
    at_bound: float
    """Share of the activator's entries on which the bound acts."""
    same_rows: float
    """Share of cells in which every action has the same row, to within `SAME`: those steer nothing any more."""


class Trajectories(NamedTuple):
    """Many cells over time, from their start on; `time` has an entry more than there are steps."""

    activator: Float[np.ndarray, "strengths patterns time features actions"]
    readout: Float[np.ndarray, "strengths patterns time actions"]


def trajectories(
    cell: ReactionDiffusion, strengths: tuple[float, ...], shape: tuple[int, int], patterns: int, steps: int, seed: int
) -> Trajectories:
    """Activators and readouts under an observation of ones; the same drawn patterns for every strength.

    Args:
        shape: features and actions.
        patterns: how many are drawn, from `seed`.
        steps: environment steps.
    """
    keys = jax.random.split(jax.random.key(seed), patterns)
    starts = jax.vmap(lambda key: cell.init(key, shape))(keys)
    over_patterns = jax.vmap(_live, in_axes=(None, None, 0, None))
    over_strengths = jax.vmap(over_patterns, in_axes=(None, 0, None, None))
    guidances = jax.tree.map(lambda *one: jnp.array(one), *(Blind(strength=strength) for strength in strengths))
    found = eqx.filter_jit(over_strengths)(cell, guidances, starts, steps)
    return Trajectories(*map(np.asarray, found))


def ends(activators: Float[np.ndarray, "patterns features actions"], strength: float, steps: int, bound: float) -> Ends:
    """Summarise where the activators of many cells stand after `steps` steps."""
    apart = np.ptp(activators, axis=2).max(axis=1)
    return Ends(
        strength=strength,
        steps=steps,
        share_positive=float((activators > 0).mean()),
        positive=_spread(activators[activators > 0]),
        negative=_spread(activators[activators < 0]),
        at_bound=float((np.abs(activators) >= bound).mean()),
        same_rows=float((apart < SAME).mean()),
    )


def _live(cell: ReactionDiffusion, guidance: Blind, start: ActivatorInhibitor, steps: int) -> tuple[Array, Array]:
    observation = jnp.ones(start.activator.shape[0])

    def step(state: ActivatorInhibitor, _: None) -> tuple[ActivatorInhibitor, tuple[Array, Array]]:
        state = cell.step(state, observation, guidance)
        return state, (state.activator, cell.read(state, observation))

    _, later = jax.lax.scan(step, start, length=steps)
    first = start.activator, cell.read(start, observation)
    return jax.tree.map(lambda one, more: jnp.concatenate([one[None], more]), first, later)


def _spread(sample: Float[np.ndarray, " n"]) -> Spread:
    return Spread(*map(float, np.quantile(sample, [0.5, 0.1, 0.9]))) if sample.size else Spread(*[float("nan")] * 3)
