"""An echo-state network of the cell's size: fixed random recurrent weights, and a fixed random readout."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

Scalar = float | Float[Array, ""]


class Wiring(NamedTuple):
    """The weights, drawn once a run: recurrent ones are orthogonal, all others standard normal."""

    recurrent: Float[Array, "units units"]
    inputs: Float[Array, "units features"]
    readout: Float[Array, "actions units"]


def size(features: int, actions: int) -> int:
    """As many units as the cell has state variables: an activator and an inhibitor per feature and action."""
    return 2 * features * actions


def wire(key: PRNGKeyArray, features: int, actions: int) -> Wiring:
    """Draw the weights of a reservoir."""
    key_recurrent, key_inputs, key_readout = jax.random.split(key, 3)
    units = size(features, actions)
    return Wiring(
        recurrent=jax.random.orthogonal(key_recurrent, units),
        inputs=jax.random.normal(key_inputs, (units, features)),
        readout=jax.random.normal(key_readout, (actions, units)),
    )


def step(
    wiring: Wiring,
    spectral_radius: Scalar,
    input_scale: Scalar,
    deviation: Scalar,
    state: Float[Array, "units envs"],
    observation: Float[Array, "features envs"],
) -> tuple[Float[Array, "units envs"], Float[Array, "actions envs"]]:
    """Advance one environment step under an observation; return the new state and its readout.

        r ← tanh( ρ·Q r + s·V x ),   o = σ·W r / √units

    Q is orthogonal, so that every eigenvalue of the recurrent weights has modulus ρ, the `spectral_radius`, exactly and
    on every device; with ρ < 1 the start is forgotten. σ is the readout's standard deviation over wirings when all
    units are at ±1.

    Source: Jaeger, "The echo state approach to analysing and training recurrent neural networks", 2001; orthogonal
    weights after White, Lee and Sompolinsky, "Short-term memory in orthogonal neural networks", 2004.
    """
    state = jnp.tanh(spectral_radius * (wiring.recurrent @ state) + input_scale * (wiring.inputs @ observation))
    return state, deviation / jnp.sqrt(float(len(state))) * (wiring.readout @ state)
