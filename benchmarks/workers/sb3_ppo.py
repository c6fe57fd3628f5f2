"""Worker: one agent trained by Stable-Baselines3's PPO on CartPole-v1.

Usage: sb3_ppo.py UPDATES THREADS
"""

import sys

import torch
import work
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env


def serve(algorithm: type, policy: str, environment: str, updates: int, threads: int) -> None:
    """Train one agent for `updates` further updates, whenever told."""
    torch.set_num_threads(threads)
    networks = {"net_arch": {"pi": list(work.HIDDEN), "vf": list(work.HIDDEN)}, "activation_fn": torch.nn.Tanh}
    model = algorithm(
        policy,
        make_vec_env(environment, n_envs=work.NUM_ENVS, seed=0),
        n_steps=work.ROLLOUT_STEPS,
        n_epochs=work.EPOCHS,
        batch_size=work.MINIBATCH,
        learning_rate=work.LEARNING_RATE,
        gamma=work.DISCOUNT,
        gae_lambda=work.GAE_LAMBDA,
        clip_range=work.CLIP,
        clip_range_vf=work.CLIP,
        vf_coef=work.VALUE_COEFFICIENT,
        ent_coef=work.ENTROPY_COEFFICIENT,
        max_grad_norm=work.MAX_GRADIENT_NORM,
        policy_kwargs=networks,
        seed=0,
        device="cpu",
    )

    def repeat() -> float:
        model.learn(updates * work.BATCH, reset_num_timesteps=False)
        return updates * work.BATCH

    work.serve(repeat)


if __name__ == "__main__":
    serve(PPO, "MlpPolicy", "CartPole-v1", int(sys.argv[1]), int(sys.argv[2]))
