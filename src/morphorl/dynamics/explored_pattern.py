"""A pattern that is explored: a mean that stays, and beside it a deviation that is tried for an episode."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import NOT_NEGATIVE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing
from morphorl.dynamics.reaction_diffusion import couple


class Explored(NamedTuple):
    """What is kept, what is tried, and what episodes have brought so far; parallel systems add an axis."""

    mean: Float[Array, "rows actions"]
    """m: a row for each observation feature, and one for a constant 1."""
    deviation: Float[Array, "rows actions"]
    """ξ: drawn anew for every episode."""
    usual: Float[Array, ""]
    """Ḡ: the running mean of returns, which `return_weighted` guidance keeps."""
    spread: Float[Array, ""]
    """S²: their running variance."""
    episodes: Float[Array, ""]
    """How many have ended."""


class ExploredPattern(Dynamics):
    """A linear policy m whose weights are perturbed by σ·ξ for a whole episode; what stays of that, guidance decides.

        o = (m + σ·ξ)ᵀ [x, 1],   ξ ← ξ + D·C(ξ)

    C(ξ) is the mean of all entries less the entry, as in the post's system. With D = 0 the pattern is still within an
    episode. Without `return_weighted` guidance m stays 0, and every episode tries another random pattern. Needs
    `reset` = redraw, or one deviation stays for ever.

    Source: exploration in the space of parameters: Rückstiess et al., "Exploring parameter space in reinforcement
    learning", Paladyn, 2010.
    """

    size: float = setting(1.0, NOT_NEGATIVE)
    """σ: how large a deviation is beside the mean, in units of the logits for a feature of 1."""
    diffusion: float = setting(0.0, NOT_NEGATIVE)
    """D: coupling of the deviation's entries, per environment step."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Explored:
        """A mean of 0, and a deviation of standard normal numbers."""
        rows = (shape[0] + 1, shape[1])
        return Explored(jnp.zeros(rows), jax.random.normal(key, rows), *(jnp.zeros(()),) * 3)

    def step(self, state: Explored, observation: Float[Array, " features"], guide: Guide = nothing) -> Explored:
        change = self.diffusion * couple("mean", state.deviation) + guide(state.deviation)
        return state._replace(deviation=state.deviation + change)

    def read(self, state: Explored, observation: Float[Array, " features"]) -> Float[Array, " actions"]:
        weights = state.mean + self.size * state.deviation
        return jnp.append(observation, 1.0) @ weights
