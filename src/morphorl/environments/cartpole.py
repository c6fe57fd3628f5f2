"""CartPole in JAX, with its velocities shown or hidden.

A pole stands on a cart that is pushed left or right. With force F, the mass m_p of the pole and M of both, half the
pole's length l, position x and angle θ from upright:

    τ = (F + m_p·l·θ'²·sin θ)/M
    θ'' = (g·sin θ − τ·cos θ)/(l·(4/3 − m_p·cos² θ/M))
    x'' = τ − m_p·l·θ''·cos θ/M

Euler steps of 0.02 s. Each step pays +1 until |x| > 2.4 m or |θ| > 12°, the step that leads there included.

Source: Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult learning control problems",
1983, with the constants of Gymnasium's CartPole-v1. Steps and resets equal gymnax's to the last bit, and this file
spares the start of a training gymnax's import, which brings plotting libraries.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.environments.base import Environment, Step

GRAVITY = 9.8
"""m/s²."""
MASS_POLE = 0.1
"""kg."""
MASS = 1.0 + MASS_POLE
"""Of cart and pole, kg."""
HALF_LENGTH = 0.5
"""Of the pole, m."""
FORCE = 10.0
"""N."""
SECONDS = 0.02
"""Of a step."""
POSITION_LIMIT = 2.4
"""m."""
ANGLE_LIMIT = 12 * 2 * math.pi / 360
"""Radians."""
TIME_LIMIT = 500
"""Steps."""
THRESHOLD = 475.0
"""The return from which Gymnasium calls CartPole-v1 solved."""
LIMITS = np.array([POSITION_LIMIT, 0.0, ANGLE_LIMIT, 0.0])
"""Of position and angle, beyond which an episode ends."""


class CartPoleState(NamedTuple):
    """Where cart and pole are, how fast they move, and how many steps the episode has."""

    position: Float[Array, ""]
    velocity: Float[Array, ""]
    angle: Float[Array, ""]
    angular_velocity: Float[Array, ""]
    time: Int[Array, ""]


def whole(state: CartPoleState) -> Float[Array, "4"]:
    """CartPole-v1's observation: [x, x', θ, θ']."""
    return jnp.array([state.position, state.velocity, state.angle, state.angular_velocity])


def stateless(state: CartPoleState) -> Float[Array, "2"]:
    """Position and angle only, [x, θ]: the post's "Stateless CartPole"."""
    return jnp.array([state.position, state.angle])


def without_velocities(state: CartPoleState) -> Float[Array, "4"]:
    """Both velocities set to zero, [x, 0, θ, 0]: what the RL zoo benchmarks memory on."""
    return jnp.array([state.position, 0.0, state.angle, 0.0])


OBSERVATIONS = {
    "CartPole-v1": whole,
    "StatelessCartPole-v1": stateless,
    "CartPoleNoVel-v1": without_velocities,
    "NoisyStatelessCartPole-v1": stateless,
    "NoisyCartPoleNoVel-v1": without_velocities,
}
"""What each of them shows; noise comes in `registry.py`."""


def make(env_id: str) -> Environment:
    """CartPole that shows what `OBSERVATIONS` says."""
    observe = OBSERVATIONS[env_id]

    def reset(key: PRNGKeyArray) -> tuple[CartPoleState, Float[Array, " features"]]:
        state = start(key)
        return state, observe(state)

    def step(key: PRNGKeyArray, state: CartPoleState, action: Int[Array, ""]) -> Step:
        paid = 1.0 - has_fallen(state)
        state = move(state, action)
        return Step(state, observe(state), jnp.float32(paid), has_fallen(state), state.time >= TIME_LIMIT)

    features = jax.eval_shape(reset, jax.random.key(0))[1].size
    return Environment(env_id, features, 2, TIME_LIMIT, THRESHOLD, reset, step)


def start(key: PRNGKeyArray) -> CartPoleState:
    """Where an episode starts: positions and velocities are uniform between −0.05 and 0.05."""
    numbers = jax.random.uniform(key, (4,), minval=-0.05, maxval=0.05)
    return CartPoleState(numbers[0], numbers[1], numbers[2], numbers[3], jnp.int32(0))


def move(
    state: CartPoleState,
    action: Int[Array, ""],
    gravity: float | Float[Array, ""] = GRAVITY,
    half_length: float | Float[Array, ""] = HALF_LENGTH,
) -> CartPoleState:
    """One Euler step of the equations above; action 1 pushes to the right, 0 to the left.

    Args:
        gravity: g, in m/s².
        half_length: l, in m. The mass of the pole is the same whatever its length.
    """
    force = FORCE * action - FORCE * (1 - action)
    cos, sin = jnp.cos(state.angle), jnp.sin(state.angle)
    moment = MASS_POLE * half_length
    thrust = (force + moment * state.angular_velocity**2 * sin) / MASS
    angular = (gravity * sin - cos * thrust) / (half_length * (4.0 / 3.0 - MASS_POLE * cos**2 / MASS))
    linear = thrust - moment * angular * cos / MASS
    return CartPoleState(
        position=state.position + SECONDS * state.velocity,
        velocity=state.velocity + SECONDS * linear,
        angle=state.angle + SECONDS * state.angular_velocity,
        angular_velocity=state.angular_velocity + SECONDS * angular,
        time=state.time + 1,
    )


def has_fallen(state: CartPoleState) -> Bool[Array, ""]:
    """Whether an episode ends here: the pole leans too far, or the cart has left the track."""
    off = (state.position < -POSITION_LIMIT) | (state.position > POSITION_LIMIT)
    return off | (state.angle < -ANGLE_LIMIT) | (state.angle > ANGLE_LIMIT)
