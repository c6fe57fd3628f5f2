"""State-dependent exploration: a random linear readout of what the policy network sees in its last hidden layer."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

Scalar = float | Float[Array, ""]


def init(key: PRNGKeyArray, units: int, actions: int) -> Float[Array, "units actions"]:
    """Fresh weights θ, standard normal, for a last hidden layer of `units`."""
    return jax.random.normal(key, (units, actions))


def step(
    deviation: Scalar, weights: Float[Array, "units actions envs"], hidden: Float[Array, "units envs"]
) -> Float[Array, "actions envs"]:
    """The readout of one environment step. The weights stay as they are until they are drawn anew.

        o = σ/√H · θᵀ φ(x)

    φ(x) ∈ R^H is the policy's last hidden layer. Over draws of θ the standard deviation of o is σ·rms(φ(x)), at most σ
    with tanh. One observation answered twice by one network and one θ gets one readout.

    Args:
        deviation: σ, in units of the logits.
        weights: θ of each environment.
        hidden: φ(x) of each environment, after the activation.

    Source: generalised state-dependent exploration (gSDE), Raffin, Kober and Stulp, "Smooth exploration for robotic
    reinforcement learning", CoRL 2021. There the sum is the noise of a continuous action, its deviations are learned,
    and θ is drawn anew every n steps. This is its transfer to the logits of discrete actions, with a fixed σ and
    without memory of when θ was drawn.
    """
    scale = deviation / jnp.sqrt(float(len(hidden)))
    return scale * jnp.einsum("uae,ue->ae", weights, hidden)
