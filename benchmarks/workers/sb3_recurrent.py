"""Worker: one agent trained by sb3-contrib's RecurrentPPO on CartPole with its velocities removed.

Usage: sb3_recurrent.py UPDATES THREADS

The LSTMs are the library's default (256 units, one for the policy, one for the value), which the RL zoo's settings for
CartPole without velocities use too.
"""

import sys

import gymnasium
import numpy as np
from gymnasium.envs.classic_control import CartPoleEnv
from sb3_contrib import RecurrentPPO
from sb3_ppo import serve


class StatelessCartPole(CartPoleEnv):
    """CartPole that shows position and angle only, [x, θ]."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        high = np.array([self.x_threshold * 2, self.theta_threshold_radians * 2], np.float32)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)

    def reset(self, **kwargs):
        """Gymnasium's reset, velocities left out."""
        observation, info = super().reset(**kwargs)
        return observation[[0, 2]], info

    def step(self, action):
        """Gymnasium's step, velocities left out."""
        observation, *rest = super().step(action)
        return observation[[0, 2]], *rest


gymnasium.register("StatelessCartPole-v1", StatelessCartPole, max_episode_steps=500)


if __name__ == "__main__":
    serve(RecurrentPPO, "MlpLstmPolicy", "StatelessCartPole-v1", int(sys.argv[1]), int(sys.argv[2]))
