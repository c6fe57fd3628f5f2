"""MuJoCo's Swimmer in JAX, so that hundreds swim at once; and with the nose's heading alone observed."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from gymnax.environments import spaces
from gymnax.environments.environment import Environment, EnvParams
from jaxtyping import Array, Int

from morphorl.environments.swimmer_physics import TIME_STEP, Pose, from_joints, move, to_joints

FRAME_SKIP = 4
"""Steps of the physics in one of the environment."""
CONTROL_COST = 1e-4
RESET_NOISE = 0.1
"""Half the range of all coordinates and velocities at an episode's start."""
TIME_LIMIT = 1000


class SwimmerState(NamedTuple):
    """Where the swimmer is, how it moves, and how many steps ago it was reset."""

    pose: Pose
    velocity: Pose
    time: int | Int[Array, ""]


class Swimmer(Environment):
    """Gymnasium's Swimmer-v5 without MuJoCo: swim along x by two motors, in [−1, 1], between three rods.

    Reward: the mean speed along x in the step, minus 10⁻⁴ times the sum of the squared actions. An episode never
    terminates, and is truncated at 1,000 steps. A step agrees with Gymnasium's to 10⁻¹⁰ in double precision and to
    10⁻⁴ in single precision, limits of the joints included. (One step in some 10,000 differs by some 10⁻⁶: MuJoCo's
    solver of the limits may stop early.)

    Observation: heading, two joints, velocities of x, y, heading and joints.

    Source: `gymnasium.envs.mujoco.swimmer_v5`.
    """

    num_features = 8
    low, high = -1.0, 1.0
    """Bounds of each action."""

    @property
    def default_params(self):
        return EnvParams(max_steps_in_episode=TIME_LIMIT)

    def reset_env(self, key, params):
        """A nearly straight swimmer along x, nearly at rest."""
        pose, velocity = jax.random.uniform(key, (2, 5), minval=-RESET_NOISE, maxval=RESET_NOISE)
        state = SwimmerState(from_joints(pose), from_joints(velocity), 0)
        return self.get_obs(state), state

    def step_env(self, key, state, action, params):
        """Actions beyond the bounds act as the bounds, but cost what they are, as in Gymnasium."""
        action = jnp.asarray(action)
        pose, velocity = move(state.pose, state.velocity, action, FRAME_SKIP)
        speed = (pose[0] - state.pose[0]) / (FRAME_SKIP * TIME_STEP)
        reward = speed - CONTROL_COST * (action**2).sum()
        state = SwimmerState(pose, velocity, state.time + 1)
        return self.get_obs(state), state, reward, self.is_terminated(state, params), {}

    def get_obs(self, state, params=None, key=None):
        return jnp.concatenate([to_joints(state.pose)[2:], to_joints(state.velocity)])

    def is_terminated(self, state, params):
        return jnp.array(False)

    @property
    def num_actions(self):
        return 2

    def action_space(self, params):
        return spaces.Box(self.low, self.high, (self.num_actions,), jnp.float32)

    def observation_space(self, params):
        return spaces.Box(-jnp.inf, jnp.inf, (self.num_features,), jnp.float32)


class HeadingSwimmer(Swimmer):
    """The same swimmer that sees its heading alone, (cos, sin) of the nose's angle: neither joints nor any velocity."""

    num_features = 2

    def get_obs(self, state, params=None, key=None):
        return jnp.array([jnp.cos(state.pose[2]), jnp.sin(state.pose[2])])
