"""An echo-state network: fixed recurrent weights that see the observation, and a fixed random readout."""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FINITE, NOT_NEGATIVE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing


class Weights(NamedTuple):
    """What is drawn once a run: recurrent weights are orthogonal, all others standard normal."""

    recurrent: Float[Array, "units units"]
    inputs: Float[Array, "units features"]
    readout: Float[Array, "actions units"]


class EchoState(Dynamics):
    """As many units as the post's system has state variables: random dynamics without reaction and diffusion.

        r ← tanh( ρ·Q r + s·V x ),   o = σ·W r / √units

    Q is orthogonal, so that every eigenvalue of the recurrent weights has modulus ρ, the `spectral_radius`, exactly and
    on every device; with ρ < 1 the start is forgotten. σ is the readout's standard deviation over weights when all
    units are at ±1.

    As memory it shows [x, k·(s·V x − r)]: what a unit gets now, less what it holds. r itself served worse.

    Source: Jaeger, "The echo state approach to analysing and training recurrent neural networks", 2001; orthogonal
    weights after White, Lee and Sompolinsky, "Short-term memory in orthogonal neural networks", 2004; the cycle is the
    simple cycle reservoir of Rodan and Tiňo, "Minimum complexity echo state network", 2011, whose structure is fixed,
    so that no luck of wiring enters.
    """

    deviation: float = setting(1.0, NOT_NEGATIVE)
    """σ: standard deviation of the readout of units at ±1, in units of the logits."""
    spectral_radius: float = setting(0.9, NOT_NEGATIVE)
    """ρ: modulus of the eigenvalues of the recurrent weights; how slowly it forgets."""
    input_scale: float = setting(1.0, FINITE)
    """s: standard deviation of the input weights."""
    gain: float = setting(10.0, FINITE, learned="fixed")
    """k: how large a memory's differences appear to the networks."""
    wiring: Literal["random", "cycle"] = setting("random", static=True)
    """`random`: Q and V are drawn for each run (as memory: once for all runs). `cycle`: each unit passes its value on
    to the next in a circle, and V has entries ±1 without a pattern, the same in all runs."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, " units"]:
        """A reservoir at rest."""
        return jnp.zeros(units(shape))

    def constants(self, key: PRNGKeyArray, shape: Shape) -> Weights:
        """Draw the weights."""
        features, actions = shape
        key_recurrent, key_inputs, key_readout = jax.random.split(key, 3)
        return Weights(
            recurrent=jax.random.orthogonal(key_recurrent, units(shape)),
            inputs=jax.random.normal(key_inputs, (units(shape), features)),
            readout=jax.random.normal(key_readout, (actions, units(shape))),
        )

    def step(
        self,
        state: Float[Array, " units"],
        observation: Float[Array, " features"],
        guide: Guide = nothing,
        *,
        constants: Weights,
    ) -> Float[Array, " units"]:
        passed_on = jnp.roll(state, 1) if self.wiring == "cycle" else constants.recurrent @ state
        return jnp.tanh(self.spectral_radius * passed_on + self._fed(state, observation, constants))

    def read(
        self, state: Float[Array, " units"], observation: Float[Array, " features"], *, constants: Weights
    ) -> Float[Array, " actions"]:
        return self.deviation / jnp.sqrt(float(state.size)) * (constants.readout @ state)

    def show(
        self, state: Float[Array, " units"], observation: Float[Array, " features"], *, constants: Weights
    ) -> Float[Array, " shown"]:
        fed = self._fed(state, observation, constants)
        return jnp.concatenate([observation, self.gain * (fed - state)])

    def _fed(
        self, state: Float[Array, " units"], observation: Float[Array, " features"], constants: Weights
    ) -> Float[Array, " units"]:
        """What the observation gives to each unit."""
        inputs = signs(state.size, observation.size) if self.wiring == "cycle" else constants.inputs
        return self.input_scale * (inputs @ observation)


def units(shape: Shape) -> int:
    """As many units as an activator and an inhibitor for each feature and action."""
    return 2 * shape[0] * shape[1]


def signs(rows: int, columns: int) -> Float[Array, "rows columns"]:
    """Entries ±1 without a pattern: the bits of a fixed generator."""
    return jnp.asarray(np.random.default_rng(0).choice([-1.0, 1.0], (rows, columns)), jnp.float32)
