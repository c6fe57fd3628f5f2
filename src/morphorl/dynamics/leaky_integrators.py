"""A bank of leaky integrators: what the networks see of the past, on several time scales."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import BOUND, FINITE, FRACTION, NOT_NEGATIVE, POSITIVE, UNITS, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing
from morphorl.dynamics.reaction_diffusion import couple

Rate = float | Float[Array, ""]
"""Of a filter, per environment step: a number, or a traced one."""


class Filters(NamedTuple):
    """What the integrators hold, in units of the observation: m₁, which follows it, and m₂, which follows m₁."""

    first: Float[Array, "features columns"]
    second: Float[Array, "features columns"]


class LeakyIntegrators(Dynamics):
    """A first filter m₁ follows the observation, and a second, m₂, follows the first.

    Each feature has several columns that differ in their time constants:

        m₁ ← m₁ + μ₁·(x − m₁)
        m₂ ← m₂ + μ₂·(m₁ − m₂)

    The networks see [x, k₁·(x − m₁), k₂·(m₁ − m₂)] with the m₁ that did not know x yet: how the present differs from
    the recent past, and the recent past from the one before, on every time scale. An episode starts as if the first
    observation had been there for ever (m₁ = m₂ = x).

    Read as a reaction-diffusion system that the observation drives, m₁ is the activator and m₂ the inhibitor:

        m₁ ← m₁ + μ₁·(x − m₁)  + D₁·C(m₁) + ρ·m₁²/(|m₂| + ε) + guide(m₁)
        m₂ ← m₂ + μ₂·(m₁ − m₂) + D₂·C(m₂) + ρ·m₁²            + guide(m₂)

    ρ, D₁ and D₂ are 0 unless set: reaction and diffusion made the memory worse. Both states stay within ±`bound`.

    Source: `docs/memory.md`.
    """

    columns: int = setting(2, UNITS, static=True)
    """Time scales."""
    first_fast: float = setting(0.9, FRACTION)
    """μ₁ of the fastest column, per environment step; columns are spread evenly on a logarithmic scale."""
    first_slow: float = setting(0.4, FRACTION)
    """μ₁ of the slowest column, per environment step."""
    second_fast: float = setting(0.2, FRACTION)
    """μ₂ of the fastest column, per environment step."""
    second_slow: float = setting(0.05, FRACTION)
    """μ₂ of the slowest column, per environment step."""
    first_gain: float = setting(10.0, FINITE)
    """k₁: how large differences from the first filter appear to the networks."""
    second_gain: float = setting(3.0, FINITE)
    """k₂: how large differences between the two filters appear to the networks."""
    bound: float = setting(10.0, BOUND)
    """Largest absolute value of either filter, in units of the observation (inf: no bound)."""
    production: float = setting(0.0, FINITE)
    """ρ: autocatalysis of the first filter and production of the second, per environment step."""
    first_diffusion: float = setting(0.0, NOT_NEGATIVE)
    """D₁, per environment step; every entry is a neighbour of every other."""
    second_diffusion: float = setting(0.0, NOT_NEGATIVE)
    """D₂, per environment step."""
    epsilon: float = setting(1.0, POSITIVE)
    """ε in m₁²/(|m₂| + ε), which keeps the reaction finite."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Filters:
        """Filters at 0, of shape (features, columns)."""
        return Filters(*(jnp.zeros((shape[0], self.columns)) for _ in Filters._fields))

    def start(self, state: Filters, observation: Float[Array, " features"], guide: Guide = nothing) -> Filters:
        """Both filters at the first observation: m₁ = m₂ = x."""
        columns = jnp.repeat(observation[:, None], self.columns, axis=1)
        return Filters(columns, columns)

    def step(self, state: Filters, observation: Float[Array, " features"], guide: Guide = nothing) -> Filters:
        """Both filters an environment step later: the first follows the observation, the second the first."""
        first, second = state
        first_rates = between(self.first_fast, self.first_slow, self.columns)
        second_rates = between(self.second_fast, self.second_slow, self.columns)
        first_change = (
            first_rates[None] * (observation[:, None] - first)
            + self.first_diffusion * couple("mean", first)
            + self.production * first**2 / (jnp.abs(second) + self.epsilon)
            + guide(first)
        )
        second_change = (
            second_rates[None] * (first - second)
            + self.second_diffusion * couple("mean", second)
            + self.production * first**2
            + guide(second)
        )
        return Filters(self.bounded(first + first_change), self.bounded(second + second_change))

    def show(self, state: Filters, observation: Float[Array, " features"]) -> Float[Array, " shown"]:
        """[x, k₁·(x − m₁), k₂·(m₁ − m₂)], the filters row by row."""
        first, second = state
        differences = [self.first_gain * (observation[:, None] - first), self.second_gain * (first - second)]
        return jnp.concatenate([observation, *(u.reshape(-1) for u in differences)])

    def bounded(self, state: Float[Array, "..."]) -> Float[Array, "..."]:
        """One of the two filters within ±`bound`."""
        return jnp.clip(state, -self.bound, self.bound)


def between(fastest: Rate, slowest: Rate, columns: int) -> Float[Array, " columns"]:
    """`columns` rates from the fastest to the slowest, evenly spaced on a logarithmic scale."""
    share = jnp.arange(columns) / max(columns - 1, 1)
    return fastest ** (1 - share) * slowest**share
