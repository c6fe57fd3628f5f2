"""PPO in one file, after CleanRL's ppo.py, that keeps its logs as such scripts do: arrays, and a CSV of its episodes.

It made `logs/cleanrl_style`: two learning rates, eight seeds each. It needs PyTorch and Gymnasium, and nothing of
morphorl:

    python cleanrl_style.py logs/cleanrl_style
"""

import argparse
import csv
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

ENVIRONMENT, ENVS, STEPS, EPOCHS, MINIBATCHES = "CartPole-v1", 4, 128, 4, 4
DISCOUNT, LAMBDA, CLIP, ENTROPY = 0.99, 0.95, 0.2, 0.01


def layer(inputs: int, outputs: int, scale: float = 2**0.5) -> nn.Linear:
    """A layer with orthogonal weights and no bias at first."""
    made = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(made.weight, scale)
    nn.init.zeros_(made.bias)
    return made


def network(outputs: int, scale: float) -> nn.Sequential:
    """Two hidden layers of 64."""
    return nn.Sequential(layer(4, 64), nn.Tanh(), layer(64, 64), nn.Tanh(), layer(64, outputs, scale))


def train(seed: int, total: int, rate: float) -> list[tuple[int, float, int]]:
    """One run; gives step, return and length of every episode that ended."""
    torch.manual_seed(seed)
    envs = gym.vector.SyncVectorEnv(
        [lambda: gym.wrappers.RecordEpisodeStatistics(gym.make(ENVIRONMENT))] * ENVS,
        autoreset_mode=gym.vector.AutoresetMode.SAME_STEP,
    )
    actor, critic = network(2, 0.01), network(1, 1.0)
    parameters = [*actor.parameters(), *critic.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=rate, eps=1e-5)
    seen = torch.tensor(envs.reset(seed=seed)[0])
    episodes, step = [], 0
    for update in range(total // (ENVS * STEPS)):
        optimiser.param_groups[0]["lr"] = rate * (1 - update / (total // (ENVS * STEPS)))
        observations, actions, log_probs, rewards, ends, values = [], [], [], [], [], []
        for _ in range(STEPS):
            with torch.no_grad():
                policy, value = Categorical(logits=actor(seen)), critic(seen)[:, 0]
                action = policy.sample()
            new, reward, terminated, truncated, info = envs.step(action.numpy())
            step += ENVS
            for row in (observations, seen), (actions, action), (log_probs, policy.log_prob(action)), (values, value):
                row[0].append(row[1])
            rewards.append(torch.tensor(reward, dtype=torch.float32))
            ends.append(torch.tensor(terminated | truncated, dtype=torch.float32))
            if "final_info" in info:
                for i in np.flatnonzero(info["_final_info"]):
                    ended = info["final_info"]["episode"]
                    episodes.append((step, float(ended["r"][i]), int(ended["l"][i])))
            seen = torch.tensor(new)
        with torch.no_grad():
            following = critic(seen)[:, 0]
        advantage, advantages = torch.zeros(ENVS), []
        for i in reversed(range(STEPS)):
            delta = rewards[i] + DISCOUNT * following * (1 - ends[i]) - values[i]
            advantage = delta + DISCOUNT * LAMBDA * (1 - ends[i]) * advantage
            advantages.insert(0, advantage)
            following = values[i]
        flat = [torch.cat(rows) for rows in (observations, actions, log_probs, advantages, values)]
        for _ in range(EPOCHS):
            for chosen in torch.randperm(ENVS * STEPS).chunk(MINIBATCHES):
                x, a, old, gain, baseline = (rows[chosen] for rows in flat)
                policy = Categorical(logits=actor(x))
                ratio = (policy.log_prob(a) - old).exp()
                scaled = (gain - gain.mean()) / (gain.std() + 1e-8)
                surrogate = torch.min(ratio * scaled, ratio.clamp(1 - CLIP, 1 + CLIP) * scaled).mean()
                error = ((critic(x)[:, 0] - (gain + baseline)) ** 2).mean()
                loss = -surrogate + 0.25 * error - ENTROPY * policy.entropy().mean()
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, 0.5)
                optimiser.step()
    envs.close()
    return episodes


def save(episodes: list[tuple[int, float, int]], folder: Path, seed: int, rate: float) -> None:
    """Keep the episodes of a run twice: as arrays, and as a table."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{ENVIRONMENT}__ppo lr {rate:g}__{seed}__1"
    steps, returns = np.array([one[:2] for one in episodes]).T
    np.savez_compressed(folder / f"{name}.npz", steps=steps.astype(np.int64), returns=returns.astype(np.float32))
    with (folder.parent / f"{folder.name}.csv").open("a", newline="") as file:
        writer = csv.writer(file)
        if file.tell() == 0:
            writer.writerow(["env_id", "algorithm", "seed", "global_step", "episodic_return", "episodic_length"])
        writer.writerows([ENVIRONMENT, f"ppo lr {rate:g}", seed, *one] for one in episodes)


def main() -> None:
    """Train all runs, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=12_288)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for seed in range(1, options.seeds + 1):
        for rate in (2.5e-4, 1e-3):
            save(train(seed, options.steps, rate), options.folder, seed, rate)


if __name__ == "__main__":
    main()
