"""Fast weights: a readout of the policy network's last hidden layer that guidance alone changes."""

from typing import ClassVar

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FRACTION, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class FastWeights(Dynamics):
    """Weights W beside the network's own last layer, which start at 0 and forget.

        o = Wᵀ φ(x),    W ← (1 − ρ)·W + guide(W)

    φ(x) ∈ R^H is the policy's last hidden layer, which PPO learns slowly; W can change at every step. Without guidance
    they stay at 0. Under `three_factor` they follow the learning signal within a rollout, and with `reset` = never from
    one to the next; such a rule on a network's own features is an actor with eligibility traces beside PPO.

    Source: Schmidhuber, "Learning to control fast-weight memories", 1992, for weights of two time scales; Sutton and
    Barto, "Reinforcement Learning", 2nd edition, section 13.5, for the actor with traces.
    """

    decay: float = setting(0.0, FRACTION)
    """ρ, per environment step: what is forgotten of the weights (0: nothing)."""

    sees: ClassVar[str] = "hidden"

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, "units actions"]:
        """No weights, whatever the key."""
        return jnp.zeros(shape)

    def step(
        self, state: Float[Array, "units actions"], observation: Float[Array, " units"], guide: Guide = nothing
    ) -> Float[Array, "units actions"]:
        return (1 - self.decay) * state + guide(state, read=True)

    def read(
        self, state: Float[Array, "units actions"], observation: Float[Array, " units"]
    ) -> Float[Array, " actions"]:
        return observation @ state
