"""Memory: what the networks see of the past, so that a policy without recurrence can act on what it no longer sees.

A memory depends on the observations alone. So it may be a part of the environment (`task.py`), which then shows the
observation together with features of the past. PPO learns from these as from any observation, without backpropagation
through time, and every value, also that of the observation which a truncation cut off, is one of the right history.
"""

from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from morphorl.cell import couple
from morphorl.checks import BOUND, COUNT, FINITE, FRACTION, NOT_NEGATIVE, POSITIVE, check, setting
from morphorl.guidance import Guidance, guide


class Memory(eqx.Module):
    """Which memory joins the observation x, and its numbers.

    - `cell`: a reaction-diffusion cell that the observation drives. Its activator a follows the observation, its
      inhibitor h follows the activator, each row (feature) in several columns that differ in their time constants:

          a ← a + μ_a·(x − a) + D_a·C(a) + ρ·a²/(|h| + ε) + γ·sign(a)
          h ← h + μ_h·(a − h) + D_h·C(h) + ρ·a²           + γ·sign(h)

      The networks see [x, k_a·(x − a), k_h·(a − h)] with the a that did not know x yet: how the present differs from
      the recent past, and the recent past from the one before, on every time scale. γ is `guidance.strength`.
    - `previous`: [x, k_a·(x − x₋₁)] with the observation before. The least memory there is.
    - `reservoir`: [x, k_a·(s·V x − r)], an echo-state network with as many units as the cell has state variables,
      r ← tanh(ρ_r·Q r + s·V x), where Q passes each unit's value on to the next in a circle and V has entries ±1. What
      a unit gets now, less what it holds, is the difference that the other two show; r itself served worse.

    An episode starts as if the first observation had been there for ever (a = h = x₋₁ = x), but for r, which starts one
    step after 0. The last two are rivals of the cell: with them goes what needs no reaction and no diffusion to be
    explained.

    Source: `docs/memory.md`; the reservoir is the simple cycle reservoir of Rodan and Tiňo, "Minimum complexity echo
    state network", 2011, whose structure is fixed, so that no luck of wiring enters.
    """

    kind: Literal["none", "cell", "previous", "reservoir"] = setting("none", static=True)
    """Which memory; `none`: the networks see the present alone."""
    columns: int = setting(2, COUNT, static=True)
    """Time scales of the cell."""
    activator_fast: float = setting(0.9, FRACTION)
    """μ_a of the first column, per environment step; the others' are spread evenly on a logarithmic scale."""
    activator_slow: float = setting(0.4, FRACTION)
    """μ_a of the last column."""
    inhibitor_fast: float = setting(0.2, FRACTION)
    """μ_h of the first column, per environment step."""
    inhibitor_slow: float = setting(0.05, FRACTION)
    """μ_h of the last column."""
    activator_diffusion: float = setting(0.02, NOT_NEGATIVE)
    """D_a, per environment step; neighbours as in `cell.coupling` = mean."""
    inhibitor_diffusion: float = setting(0.08, NOT_NEGATIVE)
    """D_h, per environment step."""
    production: float = setting(0.005, FINITE)
    """ρ: autocatalysis of the activator and production of the inhibitor, per environment step."""
    epsilon: float = setting(1.0, POSITIVE)
    """ε in a²/(|h| + ε), which keeps the reaction finite."""
    bound: float = setting(10.0, BOUND)
    """Largest absolute value of either state, in units of the observation (inf: no bound)."""
    activator_gain: float = setting(10.0, FINITE)
    """k_a: how large differences from the activator (or the previous observation) appear to the networks."""
    inhibitor_gain: float = setting(3.0, FINITE)
    """k_h: how large differences between activator and inhibitor appear to the networks."""
    spectral_radius: float = setting(0.6, FRACTION)
    """ρ_r of the reservoir: how slowly it forgets."""
    input_scale: float = setting(0.3, FINITE)
    """s of the reservoir."""

    def __check_init__(self) -> None:
        check(self, "memory")


class CellMemory(NamedTuple):
    """What the driven cell holds: activator and inhibitor, in units of the observation."""

    activator: Float[Array, "features columns"]
    inhibitor: Float[Array, "features columns"]


State = Any
"""A `CellMemory`, the previous observation (features,), or the reservoir's units (units,)."""


def num_features(memory: Memory, features: int) -> int:
    """How many numbers a memory adds to an observation of `features` numbers."""
    return features * {"none": 0, "previous": 1}.get(memory.kind, 2 * memory.columns)


def start(memory: Memory, observation: Float[Array, " features"]) -> State:
    """The memory after an episode's first observation."""
    if memory.kind == "previous":
        return observation
    if memory.kind == "reservoir":
        return _reservoir(memory, jnp.zeros(num_features(memory, observation.size)), observation)
    columns = jnp.repeat(observation[:, None], memory.columns, axis=1)
    return CellMemory(columns, columns)


def remember(memory: Memory, guidance: Guidance, state: State, observation: Float[Array, " features"]) -> State:
    """The memory after one more observation."""
    if memory.kind == "previous":
        return observation
    if memory.kind == "reservoir":
        return _reservoir(memory, state, observation)
    a, h = state
    activator_rates = _between(memory.activator_fast, memory.activator_slow, memory.columns)
    inhibitor_rates = _between(memory.inhibitor_fast, memory.inhibitor_slow, memory.columns)
    activator_change = (
        activator_rates[None] * (observation[:, None] - a)
        + memory.activator_diffusion * couple("mean", a)
        + memory.production * a**2 / (jnp.abs(h) + memory.epsilon)
        + guide(guidance, a)
    )
    inhibitor_change = (
        inhibitor_rates[None] * (a - h)
        + memory.inhibitor_diffusion * couple("mean", h)
        + memory.production * a**2
        + guide(guidance, h)
    )
    bounded = [jnp.clip(u, -memory.bound, memory.bound) for u in (a + activator_change, h + inhibitor_change)]
    return CellMemory(*bounded)


def show(memory: Memory, state: State, observation: Float[Array, " features"]) -> Float[Array, " shown"]:
    """What the networks see: the observation, and how it differs from what `state` remembers of those before."""
    if memory.kind == "previous":
        return jnp.concatenate([observation, memory.activator_gain * (observation - state)])
    if memory.kind == "reservoir":
        return jnp.concatenate([observation, memory.activator_gain * (_drive(memory, observation, state.size) - state)])
    a, h = state
    differences = [memory.activator_gain * (observation[:, None] - a), memory.inhibitor_gain * (a - h)]
    return jnp.concatenate([observation, *(u.reshape(-1) for u in differences)])


def _reservoir(
    memory: Memory, units: Float[Array, " units"], observation: Float[Array, " features"]
) -> Float[Array, " units"]:
    drive = _drive(memory, observation, units.size)
    return jnp.tanh(memory.spectral_radius * jnp.roll(units, 1) + drive)


def _drive(memory: Memory, observation: Float[Array, " features"], units: int) -> Float[Array, " units"]:
    """What the observation gives to each unit; weights ±1 without a pattern, the bits of a fixed generator."""
    signs = jnp.asarray(np.random.default_rng(0).choice([-1.0, 1.0], (units, observation.size)), jnp.float32)
    return memory.input_scale * (signs @ observation)


def _between(first: Any, last: Any, columns: int) -> Float[Array, " columns"]:
    """`columns` rates from the first to the last, evenly spaced on a logarithmic scale."""
    share = jnp.linspace(0.0, 1.0, columns)
    return first ** (1 - share) * last**share
