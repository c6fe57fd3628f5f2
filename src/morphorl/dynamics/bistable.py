"""Bistable cells: each rests at −1 or at 1 and stays there, until it is pushed hard enough."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import FINITE, NOT_NEGATIVE, POSITIVE, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing
from morphorl.dynamics.reaction_diffusion import drive


class Bistable(Dynamics):
    """A cell u for every observation feature and action, which remembers which way it was last pushed.

        u' = r·(u − u³)

    solved exactly over an environment step, after what is added to it:

        v = u + κ·drive(x) + guide(u),   u ← v / √( v² + (1 − v²)·e^{−2r} )

    Without a push the fixed points are ±1, which are stable, and 0 between them, the border of what each attracts.
    Under a constant drive b per environment step the fixed point on the other side of 0 disappears where |b| exceeds

        b* = (e^{2r/3} − 1)·√( (e^{−4r/3} − e^{−2r}) / (1 − e^{−2r}) ) ≈ 2r/(3√3) = .385·r

    so that a weaker drive is forgotten when it ends, and a stronger one switches the cell if it lasts. Blind guidance
    holds on to the state, and adds its strength to this threshold. A drive for a single step switches the cell if it
    carries u past 0. States stay within ±1/√(1 − e^{−2r}) at any input, ±2.3 at r = .1. The readout is
    that of `reaction_diffusion`: o_k = Σ_i x_i·u_ik.

    Source: the normal form of two stable states: Strogatz, "Nonlinear dynamics and chaos", 1994, sections 3.4 and 3.6.
    Bistable cells as memory in reinforcement learning: Vecoven, Ernst and Drion, "A bio-inspired bistable recurrent
    cell allows for long-lasting memory", PLoS ONE, 2021.
    """

    rate: float = setting(0.1, POSITIVE)
    """r: how fast a cell returns to its state, per environment step."""
    drive: float = setting(0.1, FINITE)
    """κ: how strongly the observation pushes the cells, x_i·c_k with c spread evenly from 1 to −1 over the actions, per
    environment step (0: off)."""
    initial_scale: float = setting(0.1, NOT_NEGATIVE)
    """Standard deviation of the initial state around 0."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, "features actions"]:
        """Cells near the border, most of which choose a side within 3/r steps unless they are pushed."""
        return self.initial_scale * jax.random.normal(key, shape)

    def step(
        self, state: Float[Array, "features actions"], observation: Float[Array, " features"], guide: Guide = nothing
    ) -> Float[Array, "features actions"]:
        pushed = state + self.drive * drive(observation, state.shape[1]) + guide(state, read=True)
        return pushed * restoring(pushed**2, self.rate)

    def read(
        self, state: Float[Array, "features actions"], observation: Float[Array, " features"]
    ) -> Float[Array, " actions"]:
        return observation @ state


def restoring(square: Float[Array, "..."], rate: float | Float[Array, ""]) -> Float[Array, "..."]:
    """By which factor an environment step of u' = r·(1 − |u|²)·u multiplies u, exactly: 1/√(|u|² + (1 − |u|²)·e^{−2r}).

    Args:
        square: |u|².
        rate: r, above 0.
    """
    forgotten = jnp.maximum(jnp.exp(-2 * rate), 1e-30)  # not 0, so that a u of 0 has a factor at any rate
    return 1 / jnp.sqrt(square + (1 - square) * forgotten)
