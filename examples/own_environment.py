"""An environment of your own, trained with a memory: where the light was, after it has gone out.

Usage: uv run examples/own_environment.py [--steps 20480]
"""

from dataclasses import dataclass

import gymnasium
import numpy as np
import tyro
from gymnasium import spaces

from morphorl import evaluate, train
from morphorl.dynamics.leaky_integrators import LeakyIntegrators


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
    for name, memory in (("without", None), ("with", LeakyIntegrators())):
        trained = train(
            "gym:Lamp-v0", memory=memory, ppo="tuned", steps=options.steps, seeds=4, evaluate_every=0, progress=False
        )
        returns = evaluate(trained.agents, episodes=50)
        print(f"{name} memory: mean return {returns.mean():.2f} of 3")


if __name__ == "__main__":
    main(tyro.cli(Options))
