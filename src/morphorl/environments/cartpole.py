"""CartPole with its velocities hidden, in JAX and for Gymnasium."""

import gymnasium
import jax.numpy as jnp
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv as GymnasiumCartPole
from gymnax.environments import spaces
from gymnax.environments.classic_control.cartpole import CartPole

CARTPOLE = CartPole().default_params
LIMITS = np.array([CARTPOLE.x_threshold, 0.0, CARTPOLE.theta_threshold_radians, 0.0])
"""Of position and angle, beyond which an episode of CartPole ends."""
VISIBLE = np.array([1, 0, 1, 0], np.float32)


class StatelessCartPole(CartPole):
    """CartPole that shows position and angle only, [x, θ]: the post's "Stateless CartPole"."""

    def get_obs(self, state, params=None, key=None):
        return jnp.array([state.x, state.theta])

    def observation_space(self, params):
        high = jnp.array([params.x_threshold * 2, params.theta_threshold_radians * 2])
        return spaces.Box(-high, high, (2,), dtype=jnp.float32)


class CartPoleNoVel(CartPole):
    """CartPole with both velocities set to zero, [x, 0, θ, 0]: what the RL zoo benchmarks memory on."""

    def get_obs(self, state, params=None, key=None):
        return jnp.array([state.x, 0.0, state.theta, 0.0])


class GymnasiumStatelessCartPole(GymnasiumCartPole):
    """`morphorl/StatelessCartPole-v1` for Gymnasium: observation [x, θ]."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        high = np.array([self.x_threshold * 2, self.theta_threshold_radians * 2], np.float32)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)

    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation[[0, 2]], info

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation[[0, 2]], reward, terminated, truncated, info


class GymnasiumCartPoleNoVel(GymnasiumCartPole):
    """`morphorl/CartPoleNoVel-v1` for Gymnasium: observation [x, 0, θ, 0]."""

    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation * VISIBLE, info

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation * VISIBLE, reward, terminated, truncated, info
