"""State-dependent exploration: a random linear readout of what the policy network sees in its last hidden layer."""

from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import NOT_NEGATIVE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class StateDependentNoise(Dynamics):
    """Weights θ that stay as they are until they are drawn anew.

        o = σ/√H · θᵀ φ(x)

    φ(x) ∈ R^H is the policy's last hidden layer. Over draws of θ the standard deviation of o is σ·rms(φ(x)), at most σ
    with tanh. One observation answered twice by one network and one θ gets one readout.

    Source: generalised state-dependent exploration (gSDE), Raffin, Kober and Stulp, "Smooth exploration for robotic
    reinforcement learning", CoRL 2021. There the sum is the noise of a continuous action, its deviations are learned,
    and θ is drawn anew every n steps. Here it is added to the mean of continuous actions, or to the logits of discrete
    ones, which are sampled as ever; σ is fixed, and θ is drawn anew as `reset` and `redraw` say.
    """

    deviation: float = setting(1.0, NOT_NEGATIVE)
    """σ, in units of the logits: the readout's, with all units at ±1."""

    sees: ClassVar[str] = "hidden"

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, "units actions"]:
        """Fresh weights θ, standard normal."""
        return jax.random.normal(key, shape)

    def step(
        self, state: Float[Array, "units actions"], observation: Float[Array, " units"], guide: Guide = nothing
    ) -> Float[Array, "units actions"]:
        return state

    def read(
        self, state: Float[Array, "units actions"], observation: Float[Array, " units"]
    ) -> Float[Array, " actions"]:
        scale = self.deviation / jnp.sqrt(float(observation.size))
        return scale * jnp.einsum("ua,u->a", state, observation)
