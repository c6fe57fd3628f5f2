"""Memory for Stable-Baselines3 in one line: its PPO on StatelessCartPole-v1, with and without memory beside it.

Usage: uv run examples/sb3_memory.py [--seeds 5] [--steps 100000]      (uv sync --inexact --extra sb3; 10 minutes)
"""

import functools
from dataclasses import dataclass

import gymnasium
import numpy as np
import torch
import tyro
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import morphorl  # noqa: F401 (registers the environments)
from morphorl.environments.gymnasium_wrappers import CellObservation


@dataclass
class Options:
    """Train Stable-Baselines3's PPO on StatelessCartPole-v1, which shows no velocities."""

    seeds: int = 5
    """Agents with memory, and as many without."""
    steps: int = 100_000
    """Environment steps of each agent's training."""
    episodes: int = 20
    """Greedy episodes of each agent's evaluation."""


def train(seed: int, steps: int, episodes: int, with_memory: bool) -> float:
    """The mean greedy return of one agent after training."""
    wrap = functools.partial(CellObservation, scale=(1, 5)) if with_memory else None
    environments = make_vec_env("morphorl/StatelessCartPole-v1", n_envs=8, seed=seed, wrapper_class=wrap)
    model = PPO(
        "MlpPolicy",
        environments,
        n_steps=128,
        batch_size=256,
        n_epochs=8,
        learning_rate=lambda left: 2e-3 * left,
        gae_lambda=0.9,
        seed=seed,
        device="cpu",
    ).learn(steps)
    fresh = gymnasium.make("morphorl/StatelessCartPole-v1")
    fresh.reset(seed=1000 + seed)
    return float(np.mean(evaluate_policy(model, wrap(fresh) if wrap else fresh, episodes, warn=False)[0]))


def main(options: Options) -> None:
    torch.set_num_threads(1)
    for name, with_memory in (("with memory", True), ("without", False)):
        returns = [train(seed, options.steps, options.episodes, with_memory) for seed in range(options.seeds)]
        told = ", ".join(f"{value:.0f}" for value in returns)
        print(f"{name:14} mean {np.mean(returns):5.0f}, worst {min(returns):.0f}, best {max(returns):.0f}  ({told})")


if __name__ == "__main__":
    main(tyro.cli(Options))
