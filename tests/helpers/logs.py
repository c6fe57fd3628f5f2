"""Small logs as other programs write them, and the numbers that are in them."""

import json

import numpy as np


def monitor(folder, returns, lengths, *, start=1000.0, env="CartPole-v1", name="monitor.csv", times=None):
    """What `stable_baselines3.common.monitor.Monitor` writes."""
    folder.mkdir(parents=True, exist_ok=True)
    times = np.cumsum(lengths) / 100 if times is None else times
    rows = "".join(f"{r},{n},{t}\n" for r, n, t in zip(returns, lengths, times, strict=True))
    (folder / name).write_text(f"#{json.dumps({'t_start': start, 'env_id': env})}\nr,l,t\n{rows}")


def evaluations(folder, steps, results):
    """What `stable_baselines3.common.callbacks.EvalCallback` writes."""
    folder.mkdir(parents=True, exist_ok=True)
    lengths = np.full(np.shape(results), 10)
    np.savez(folder / "evaluations.npz", timesteps=np.array(steps), results=np.array(results), ep_lengths=lengths)


def two_arms(root, seeds=8, episodes=40, gain=0.0, env="CartPole-v1"):
    """Monitors of two arms, whose seeds differ by chance and whose means by `gain`."""
    generator = np.random.default_rng(0)
    for arm, shift in (("a2c", 0.0), ("ppo", gain)):
        for seed in range(seeds):
            level = 100 + 10 * generator.standard_normal() + shift
            monitor(root / arm / f"seed_{seed}", np.full(episodes, level), [25] * episodes, env=env)
    return root
