"""POPGym's Pendulums, whose velocity is hidden, in noise or not; their actions are continuous."""

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from gymnax.environments.classic_control.pendulum import EnvState, Pendulum
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import Environment, Step
from morphorl.environments.library.popgym.levels import levels
from morphorl.environments.library.popgym.noise import noisy

STEPS = levels("PositionOnlyPendulum", easy=200, medium=150, hard=100)
NOISE = levels("NoisyPositionOnlyPendulum", easy=0.1, medium=0.2, hard=0.3)
NOISY_STEPS = 200
IDS = (*STEPS, *NOISE)

PHYSICS, PARAMETERS = Pendulum(), Pendulum().default_params
TORQUE = ActionRange((-PARAMETERS.max_torque,), (PARAMETERS.max_torque,))
HALF_RANGE = 16.2736044 / 2
"""Half of the largest cost of Pendulum's step: θ = π, 8 rad/s and 2 N m."""
HIGH = np.ones(2, np.float32)

Show = Callable[[PRNGKeyArray, Float[Array, "3"]], Float[Array, "2"]]


def make(env_id: str) -> Environment | None:
    """One of popgym's Pendulums; None for an id of another task."""
    if env_id in STEPS:
        return position_only(env_id, STEPS[env_id])
    return noisy_position_only(env_id, NOISE[env_id]) if env_id in NOISE else None


def position_only(env_id: str, steps: int) -> Environment:
    """Pendulum that shows where it is and not how fast it moves: [cos θ, sin θ].

    Action: a torque from −2 to 2 N m, in units of that range (`TORQUE`); what is beyond is clipped. Reward: (1 − cost /
    8.137)/`steps`, with Pendulum's cost θ² + 0.1 θ'² + 0.001 torque² of the state before the step, so that returns are
    between −1 and 1. The episode is truncated after `steps` steps: 200, 150 and 100.
    """
    return _pendulum(env_id, steps, lambda _, full: full[:2])


def noisy_position_only(env_id: str, deviation: float) -> Environment:
    """`position_only` of 200 steps, whose two numbers carry fresh normal noise of standard deviation .1, .2 or .3, held
    between −1 and 1."""
    return _pendulum(env_id, NOISY_STEPS, lambda key, full: noisy(key, full[:2], deviation, HIGH))


def _pendulum(env_id: str, steps: int, show: Show) -> Environment:
    def reset(key):
        key_start, key_noise = jax.random.split(key)
        full, state = PHYSICS.reset_env(key_start, PARAMETERS)
        state = dataclasses.replace(state, last_u=jnp.array(0.0, jnp.float32), time=jnp.array(0, jnp.int32))
        return state, show(key_noise, full)

    def step(key, state: EnvState, action: Float[Array, " torque"]) -> Step:
        key_step, key_noise = jax.random.split(key)
        full, after, cost, _, _ = PHYSICS.step_env(key_step, state, TORQUE.executed(action)[0], PARAMETERS)
        reward = (1 + cost / HALF_RANGE) / steps
        return Step(after, show(key_noise, full), reward, jnp.array(False), jnp.asarray(after.time >= steps))

    return Environment(env_id, 2, PHYSICS.num_actions, steps, None, reset, step, TORQUE)
