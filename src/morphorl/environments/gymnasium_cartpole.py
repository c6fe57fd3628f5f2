"""CartPole with its velocities hidden, for Gymnasium; `cartpole.py` has the same in JAX."""

import gymnasium
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

VISIBLE = np.array([1, 0, 1, 0], np.float32)


class GymnasiumStatelessCartPole(CartPoleEnv):
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


class GymnasiumCartPoleNoVel(CartPoleEnv):
    """`morphorl/CartPoleNoVel-v1` for Gymnasium: observation [x, 0, θ, 0]."""

    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation * VISIBLE, info

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation * VISIBLE, reward, terminated, truncated, info
