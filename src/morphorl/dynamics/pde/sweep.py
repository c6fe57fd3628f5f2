"""The map of where patterns form: many fields with as many equations, as one program over all cores."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, PartitionSpec

from morphorl.dynamics.pde import linear_theory, patterns
from morphorl.dynamics.pde.gierer_meinhardt import GiererMeinhardtEquation, Grid, advance, perturbed, solver

TIME = 40_000.0
"""Default length of each run: near the boundary growth is slow."""
DT = 10.0
"""Largest time step; a pattern's relative error is then below 1e-3."""
CHUNKS = 40
"""Signs of life."""


class Plan(NamedTuple):
    """The two axes of the map, and the boundary that theory draws on it."""

    strengths: np.ndarray
    """Guidance strengths γ, 1/time."""
    ratios: np.ndarray
    """Ratios D_h/D_a, D_a fixed."""
    critical: np.ndarray
    """The strength at which linear theory ends the pattern, for each ratio; 0 where there is none."""


def plan(equation: GiererMeinhardtEquation, largest: float | None, strengths: int = 32, ratios: int = 24) -> Plan:
    """Ratios from a fifth of the equation's own to twice it, equally spaced in the logarithm; strengths from 0 on.

    Args:
        largest: the largest strength; by default a quarter more than ends the pattern at the largest ratio.
    """
    own = equation.inhibitor_diffusion / equation.activator_diffusion if equation.activator_diffusion else 40.0
    axis = np.geomspace(own / 5, 2 * own, ratios) if own else np.geomspace(8.0, 80.0, ratios)
    critical = np.asarray(
        jax.jit(jax.vmap(lambda ratio: linear_theory.critical_strength(_at(equation, ratio))))(jnp.asarray(axis))
    )
    most = largest or 1.25 * np.nanmax(critical) or 0.01
    return Plan(np.linspace(0.0, most, strengths), axis, critical)


def amplitudes(
    equation: GiererMeinhardtEquation,
    plan: Plan,
    grid: Grid,
    time: float,
    noise: float,
    seed: int,
    report: Callable[..., Any] = lambda completed: None,
) -> np.ndarray:
    """Relative amplitude of the pattern at the end of each run, of shape (ratios, strengths); NaN where one blew up.

    All runs start from their own steady state under the same noise.

    Args:
        report: called with `completed`, the share that is done.
    """
    ratios, strengths = (axis.ravel() for axis in np.meshgrid(plan.ratios, plan.strengths, indexing="ij"))
    cores = len(jax.devices())
    fill = -len(ratios) % cores
    ratios, strengths = (jnp.asarray(np.pad(axis, (0, fill), mode="edge")) for axis in (ratios, strengths))
    chunks = max(1, min(CHUNKS, int(np.ceil(time / DT))))
    steps = int(np.ceil(time / (DT * chunks)))
    mesh = jax.make_mesh((cores,), ("runs",), axis_types=(AxisType.Auto,))
    runs = PartitionSpec("runs")

    def start(ratio: jax.Array, strength: jax.Array):
        guided = linear_theory.guided(_at(equation, ratio), strength)
        field = perturbed(linear_theory.steady_state(guided), grid, jax.random.key(seed), noise)
        return solver(guided, grid, time / (steps * chunks) if time else 1.0), field

    def over_cores(function: Callable[..., Any], inputs: int) -> Callable[..., Any]:
        mapped = jax.vmap(function)
        return jax.jit(jax.shard_map(mapped, mesh=mesh, in_specs=(runs,) * inputs, out_specs=runs, check_vma=False))

    solvers, fields = over_cores(start, 2)(ratios, strengths)
    forward = over_cores(lambda solver, field: advance(solver, field, steps)[0], 2)
    for chunk in range(chunks if time else 0):
        fields = jax.block_until_ready(forward(solvers, fields))
        report(completed=(chunk + 1) / chunks)
    found = over_cores(lambda field: patterns.amplitude(field[0]), 1)(fields)
    return np.asarray(found)[: len(found) - fill].reshape(plan.ratios.size, plan.strengths.size)


def boundary(plan: Plan, amplitudes: np.ndarray) -> list[dict[str, float | None]]:
    """For each ratio the strength at which the simulated pattern ends, and that of linear theory.

    A pattern ends where its amplitude falls through `PATTERN`, interpolated between two strengths; 0 if there is none
    without guidance, None if it outlives the largest strength.
    """
    return [
        {"ratio": float(ratio), "simulated": _end(plan.strengths, row), "theory": float(critical)}
        for ratio, critical, row in zip(plan.ratios, plan.critical, amplitudes, strict=True)
    ]


def _end(strengths: np.ndarray, row: np.ndarray) -> float | None:
    below = ~(row > patterns.PATTERN)
    if below[0]:
        return 0.0
    if not below.any():
        return None
    first = int(np.argmax(below))
    high, low = row[first - 1], np.nan_to_num(row[first])
    share = (high - patterns.PATTERN) / (high - low)
    return float(strengths[first - 1] + share * (strengths[first] - strengths[first - 1]))


def _at(equation: GiererMeinhardtEquation, ratio: jax.Array) -> GiererMeinhardtEquation:
    diffusion = ratio * equation.activator_diffusion
    return eqx.tree_at(lambda equation: equation.inhibitor_diffusion, equation, diffusion)
