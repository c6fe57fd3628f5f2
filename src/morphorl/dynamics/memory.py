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

from morphorl.config.fields import BOUND, COUNT, FINITE, FRACTION, NOT_NEGATIVE, POSITIVE, check, setting
from morphorl.dynamics.guidance import Guidance, guide
from morphorl.dynamics.reaction_diffusion import couple


class Memory(eqx.Module):
    """Which memory joins the observation x, and its numbers.

    - `leaky`: a bank of leaky integrators. A first filter m₁ follows the observation, and a second, m₂, follows the
      first, each feature in several columns that differ in their time constants:

          m₁ ← m₁ + μ₁·(x − m₁)
          m₂ ← m₂ + μ₂·(m₁ − m₂)

      The networks see [x, k₁·(x − m₁), k₂·(m₁ − m₂)] with the m₁ that did not know x yet: how the present differs from
      the recent past, and the recent past from the one before, on every time scale.

      Read as a reaction-diffusion cell that the observation drives, m₁ is the activator and m₂ the inhibitor:

          m₁ ← m₁ + μ₁·(x − m₁)  + D₁·C(m₁) + ρ·m₁²/(|m₂| + ε) + γ·sign(m₁)
          m₂ ← m₂ + μ₂·(m₁ − m₂) + D₂·C(m₂) + ρ·m₁²            + γ·sign(m₂)

      ρ, D₁ and D₂ are 0 unless set: reaction and diffusion made the memory worse. γ is `guidance.strength`; both states
      stay within ±`bound`.
    - `previous`: [x, k₁·(x − x₋₁)] with the observation before. The least memory there is.
    - `reservoir`: [x, k₁·(s·V x − r)], an echo-state network with as many units as the leaky integrators have state
      variables, r ← tanh(ρ_r·Q r + s·V x), where Q passes each unit's value on to the next in a circle and V has
      entries ±1. What a unit gets now, less what it holds, is the difference that the other two show; r itself served
      worse.

    An episode starts as if the first observation had been there for ever (m₁ = m₂ = x₋₁ = x), but for r, which starts
    one step after 0.

    Source: `docs/memory.md`; the reservoir is the simple cycle reservoir of Rodan and Tiňo, "Minimum complexity echo
    state network", 2011, whose structure is fixed, so that no luck of wiring enters.
    """

    kind: Literal["none", "leaky", "previous", "reservoir"] = setting("none", static=True)
    """Which memory; `none`: the networks see the present alone."""
    columns: int = setting(2, COUNT, static=True)
    """Time scales of the leaky integrators."""
    first_fast: float = setting(0.9, FRACTION)
    """μ₁ of the fastest column, per environment step; columns are spread evenly on a logarithmic scale."""
    first_slow: float = setting(0.4, FRACTION)
    """μ₁ of the slowest column, per environment step."""
    second_fast: float = setting(0.2, FRACTION)
    """μ₂ of the fastest column, per environment step."""
    second_slow: float = setting(0.05, FRACTION)
    """μ₂ of the slowest column, per environment step."""
    first_gain: float = setting(10.0, FINITE)
    """k₁: how large differences from the first filter (or the previous observation, or the echo) appear."""
    second_gain: float = setting(3.0, FINITE)
    """k₂: how large differences between the two filters appear to the networks."""
    bound: float = setting(10.0, BOUND)
    """Largest absolute value of either filter, in units of the observation (inf: no bound)."""
    production: float = setting(0.0, FINITE)
    """ρ: autocatalysis of the first filter and production of the second, per environment step."""
    first_diffusion: float = setting(0.0, NOT_NEGATIVE)
    """D₁, per environment step; neighbours as in `cell.coupling` = mean."""
    second_diffusion: float = setting(0.0, NOT_NEGATIVE)
    """D₂, per environment step."""
    epsilon: float = setting(1.0, POSITIVE)
    """ε in m₁²/(|m₂| + ε), which keeps the reaction finite."""
    spectral_radius: float = setting(0.6, FRACTION)
    """ρ_r of the reservoir: how slowly it forgets."""
    input_scale: float = setting(0.3, FINITE)
    """s of the reservoir."""

    def __check_init__(self) -> None:
        check(self, "memory")


class LeakyMemory(NamedTuple):
    """What the leaky integrators hold, in units of the observation: m₁, which follows it, and m₂, which follows m₁."""

    first: Float[Array, "features columns"]
    second: Float[Array, "features columns"]


Rate = float | Float[Array, ""]
"""Of a filter, per environment step: a number, or a traced one."""

State = Any
"""A `LeakyMemory`, the previous observation (features,), or the reservoir's units (units,)."""


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
    return LeakyMemory(columns, columns)


def remember(memory: Memory, guidance: Guidance, state: State, observation: Float[Array, " features"]) -> State:
    """The memory after one more observation."""
    if memory.kind == "previous":
        return observation
    if memory.kind == "reservoir":
        return _reservoir(memory, state, observation)
    first, second = state
    first_rates = _between(memory.first_fast, memory.first_slow, memory.columns)
    second_rates = _between(memory.second_fast, memory.second_slow, memory.columns)
    first_change = (
        first_rates[None] * (observation[:, None] - first)
        + memory.first_diffusion * couple("mean", first)
        + memory.production * first**2 / (jnp.abs(second) + memory.epsilon)
        + guide(guidance, first)
    )
    second_change = (
        second_rates[None] * (first - second)
        + memory.second_diffusion * couple("mean", second)
        + memory.production * first**2
        + guide(guidance, second)
    )
    bounded = [jnp.clip(u, -memory.bound, memory.bound) for u in (first + first_change, second + second_change)]
    return LeakyMemory(*bounded)


def show(memory: Memory, state: State, observation: Float[Array, " features"]) -> Float[Array, " shown"]:
    """What the networks see: the observation, and how it differs from what `state` remembers of those before."""
    if memory.kind == "previous":
        return jnp.concatenate([observation, memory.first_gain * (observation - state)])
    if memory.kind == "reservoir":
        return jnp.concatenate([observation, memory.first_gain * (_drive(memory, observation, state.size) - state)])
    first, second = state
    differences = [memory.first_gain * (observation[:, None] - first), memory.second_gain * (first - second)]
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


def _between(fastest: Rate, slowest: Rate, columns: int) -> Float[Array, " columns"]:
    """`columns` rates from the fastest to the slowest, evenly spaced on a logarithmic scale."""
    share = jnp.linspace(0.0, 1.0, columns)
    return fastest ** (1 - share) * slowest**share
