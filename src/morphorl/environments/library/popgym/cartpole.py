"""POPGym's CartPoles: only the positions, only the velocities, or the positions in noise."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.environments.base import Environment, Step
from morphorl.environments.cartpole import ANGLE_LIMIT, POSITION_LIMIT, CartPoleState, has_fallen, move, start, whole
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.noise import noisy

PLAIN_STEPS = {"easy": 200, "medium": 400, "hard": 600}
POSITION_STEPS = levels("PositionOnlyCartPole", **PLAIN_STEPS)
VELOCITY_STEPS = levels("VelocityOnlyCartpole", **PLAIN_STEPS)  # popgym's own spelling
NOISE = levels("NoisyPositionOnlyCartPole", easy=0.1, medium=0.2, hard=0.3)
NOISY_STEPS = 200
IDS = (*POSITION_STEPS, *VELOCITY_STEPS, *NOISE)

HIGH = 2 * np.array([POSITION_LIMIT, ANGLE_LIMIT], np.float32)
"""The largest position and angle that are shown in noise: twice those at which an episode ends."""
POSITIONS, VELOCITIES = np.array([0, 2]), np.array([1, 3])
"""Where they stand in CartPole's own observation."""

Show = Callable[[PRNGKeyArray, Float[Array, "4"]], Float[Array, "2"]]


def make(env_id: str) -> Environment | None:
    """One of popgym's CartPoles; None for an id of another task."""
    if env_id in POSITION_STEPS:
        return position_only(env_id, POSITION_STEPS[env_id])
    if env_id in VELOCITY_STEPS:
        return velocity_only(env_id, VELOCITY_STEPS[env_id])
    return noisy_position_only(env_id, NOISE[env_id]) if env_id in NOISE else None


def position_only(env_id: str, steps: int) -> Environment:
    """CartPole that shows position (m) and angle (rad) alone: [x, θ].

    Action: push left or right. Reward: 1/`steps` at every step, so that returns are between 0 and 1. The episode
    terminates as CartPole-v1's does, and is truncated after `steps` steps: 200, 400 and 600.
    """
    return _cartpole(env_id, steps, lambda _, full: full[POSITIONS], lambda _, full: full[POSITIONS])


def velocity_only(env_id: str, steps: int) -> Environment:
    """CartPole that shows the two velocities alone (m and rad per second), and otherwise is as `position_only`.

    As in popgym, an episode's first observation shows the two positions instead: who can integrate knows them all.
    """
    return _cartpole(env_id, steps, lambda _, full: full[POSITIONS], lambda _, full: full[VELOCITIES])


def noisy_position_only(env_id: str, deviation: float) -> Environment:
    """`position_only` of 200 steps, whose two numbers carry fresh normal noise of standard deviation .1, .2 or .3 (m
    and rad alike), held to twice the values at which an episode ends."""

    def show(key: PRNGKeyArray, full: Float[Array, "4"]) -> Float[Array, "2"]:
        return noisy(key, full[POSITIONS], deviation, HIGH)

    return _cartpole(env_id, NOISY_STEPS, show, show)


def _cartpole(env_id: str, steps: int, show_first: Show, show: Show) -> Environment:
    def reset(key):
        key_start, key_noise = jax.random.split(key)
        state = start(key_start)
        return state, show_first(key_noise, whole(state))

    def step(key, state: CartPoleState, action) -> Step:
        _, key_noise = jax.random.split(key)
        after = move(state, action)
        return Step(after, show(key_noise, whole(after)), jnp.array(1 / steps), has_fallen(after), after.time >= steps)

    return Environment(env_id, 2, 2, steps, None, reset, step)
