"""What a good episode tried is kept: the mean pattern moves towards deviations by the returns that they brought."""

from typing import ClassVar, Literal

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from morphorl.config.fields import FRACTION, setting
from morphorl.dynamics.explored_pattern import Explored
from morphorl.dynamics.guidance.base import Performance, RewardAware, refuse_open_doors

MOST, LEAST_SPREAD = 3.0, 1e-3
"""Bound of an episode's advantage, in deviations; and what is added to a deviation, so that equal returns give 0."""


class ReturnWeighted(RewardAware):
    """Nothing during an episode. At the ends of episodes e, with returns G_e and one mean m for all environments:

        a_e = clip( (G_e − Ḡ)/(S + 10⁻³), ±3 ),   m ← m + γ·Σ_e a_e·ξ_e

    and a fresh ξ_e is drawn. Ḡ and S are running mean and deviation of returns, these episodes included. An evaluation
    acts by m, with ξ = 0.

    Source: this is parameter-exploring policy gradients, beside PPO: Sehnke et al., "Parameter-exploring policy
    gradients", Neural Networks, 2010, with a fixed deviation.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"returns"})
    decides: ClassVar[bool] = True
    acts_on: ClassVar[frozenset[str]] = frozenset({"explored_pattern"})

    weight: float = setting(0.1, FRACTION)
    """Of an episode in the running mean and variance of returns."""
    signal: Literal["returns", "constant", "shuffled"] = setting("returns", static=True)
    """Where an episode's advantage comes from; the others are controls: always 1, or that of a neighbour."""

    def __check_init__(self) -> None:
        refuse_open_doors(self, self.signal)

    def __call__(self, state, signal=None, *, read=False):
        return jnp.zeros_like(state)

    def at_end(
        self,
        states: Explored,
        fresh: Explored,
        done: Bool[Array, " envs"],
        episode_return: Float[Array, " envs"],
        performance: Performance,
        bounded,
    ) -> Explored:
        ended = jnp.sum(done)
        some = ended > 0
        share = jnp.where(states.episodes > 0, 1 - (1 - self.weight) ** ended, 1.0) * some
        latest = jnp.sum(jnp.where(done, episode_return, 0.0)) / jnp.maximum(ended, 1)
        usual = states.usual + share * (latest - states.usual)
        off = episode_return - usual
        variance = jnp.sum(jnp.where(done, off**2, 0.0)) / jnp.maximum(ended, 1)
        spread = states.spread + share * (variance - states.spread)
        advantage = jnp.clip(off / (jnp.sqrt(spread) + LEAST_SPREAD), -MOST, MOST)
        told = {"returns": advantage, "constant": jnp.ones_like(advantage), "shuffled": jnp.roll(advantage, 1)}
        learned = jnp.einsum("rae,e->ra", states.deviation, jnp.where(done, told[self.signal], 0.0))
        return Explored(
            mean=states.mean + self.strength * learned[..., None],
            deviation=jnp.where(done[None, None], fresh.deviation, states.deviation),
            usual=usual,
            spread=spread,
            episodes=states.episodes + ended,
        )

    def kept(self, pattern: Explored) -> Explored:
        """The mean alone."""
        return pattern._replace(deviation=jnp.zeros_like(pattern.deviation))
