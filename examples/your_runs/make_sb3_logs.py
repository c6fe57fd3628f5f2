"""Train PPO and A2C of Stable-Baselines3 on CartPole, eight seeds each, and keep the logs that they write.

It made `logs/stable_baselines3`. It needs `pip install stable-baselines3 tensorboard`, and nothing of morphorl:

    python make_sb3_logs.py logs/stable_baselines3
"""

import argparse
from pathlib import Path

import gymnasium
import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor

ALGORITHMS = {"ppo": PPO, "a2c": A2C}
ENVIRONMENT = "CartPole-v1"


def train(algorithm: str, seed: int, steps: int, folder: Path, everything: bool) -> None:
    """One run: every episode goes to monitor.csv, every 2,000th step's evaluation to evaluations.npz.

    Args:
        everything: also keep the logger's progress.csv and its event file for TensorBoard.
    """
    folder.mkdir(parents=True)
    env = Monitor(gymnasium.make(ENVIRONMENT), str(folder))
    model = ALGORITHMS[algorithm]("MlpPolicy", env, seed=seed, device="cpu")
    if everything:
        model.set_logger(configure(str(folder), ["csv", "tensorboard"]))
    evaluation = Monitor(gymnasium.make(ENVIRONMENT))
    evaluation.reset(seed=10_000 + seed)
    watch = EvalCallback(evaluation, eval_freq=2_000, n_eval_episodes=4, log_path=str(folder), verbose=0)
    model.learn(steps, callback=watch)


def main() -> None:
    """Train all runs, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=12_000)
    parser.add_argument("--everything", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(options.seeds):
        for algorithm in ALGORITHMS:
            train(algorithm, seed, options.steps, options.folder / algorithm / f"seed_{seed}", options.everything)


if __name__ == "__main__":
    main()
