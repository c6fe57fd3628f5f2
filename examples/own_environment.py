"""An environment of your own, trained with a memory: where the light was, after it has gone out.

Usage: uv run examples/own_environment.py [--steps 20480]
"""

from dataclasses import dataclass

import gymnasium
import numpy as np
import tyro
from gymnasium import spaces

from morphorl.dynamics.blending import Blend
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.none import NoDynamics
from morphorl.ppo import evaluation
from morphorl.ppo.settings import PRESETS, Settings
from morphorl.studies import batch_training
from morphorl.studies.study import Run


class Lamp(gymnasium.Env):
    """A lamp shines on one side in an episode's first step; +1 for pointing there in each of the three that follow."""

    observation_space = spaces.Box(-1, 1, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.time, self.side = 0, self.np_random.integers(2)
        return np.array([2.0 * self.side - 1], np.float32), {}

    def step(self, action):
        self.time += 1
        right = self.time > 1 and action == self.side
        return np.zeros(1, np.float32), float(right), self.time == 4, False, {}


gymnasium.register("Lamp-v0", Lamp)  # pyright: ignore[reportArgumentType]


@dataclass
class Options:
    """Train four agents with a memory and four without, in an environment defined in this file."""

    steps: int = 20_480
    """Environment steps of each agent's training."""


def main(options: Options) -> None:
    for memory in (NoDynamics(), LeakyIntegrators()):
        settings = Settings(
            environment="gym:Lamp-v0",
            steps=options.steps,
            evaluate_every=0,
            ppo=PRESETS["tuned"],
            blend=Blend(kind="none"),
            memory=memory,
        )
        trained = batch_training.train_batch([Run(memory.kind, settings, seed, seed) for seed in range(4)], size=4)
        returns = evaluation.evaluate_agents([settings] * 4, trained.agents, episodes=50, greedy=True)
        print(f"memory {memory.kind!r}: mean return {returns.mean():.2f} of 3")


if __name__ == "__main__":
    main(tyro.cli(Options))
