"""Worker: agents trained by rejax, all at once.

Usage: rejax_ppo.py AGENTS UPDATES CORES [ENVIRONMENT]

With one core this is the README's own way, `vmap(algo.train)`: JAX divides each operation among the machine's cores.
With more, the agents are divided among that many host devices by `pmap`, which the README names too.
"""

import sys

import jax
import work
from rejax import PPO


def main(agents: int, updates: int, cores: int, environment: str = "CartPole-v1") -> None:
    """Train `agents` agents for `updates` updates, whenever told."""
    jax.config.update("jax_num_cpu_devices", cores)
    steps = updates * work.BATCH
    algorithm = PPO.create(
        env=environment,
        agent_kwargs={"activation": "tanh", "hidden_layer_sizes": work.HIDDEN},
        num_envs=work.NUM_ENVS,
        num_steps=work.ROLLOUT_STEPS,
        num_epochs=work.EPOCHS,
        num_minibatches=work.MINIBATCHES,
        learning_rate=work.LEARNING_RATE,
        gamma=work.DISCOUNT,
        gae_lambda=work.GAE_LAMBDA,
        clip_eps=work.CLIP,
        vf_coef=work.VALUE_COEFFICIENT,
        ent_coef=work.ENTROPY_COEFFICIENT,
        max_grad_norm=work.MAX_GRADIENT_NORM,
        total_timesteps=steps,
        eval_freq=steps,
        skip_initial_evaluation=True,
    )
    algorithm = algorithm.replace(eval_callback=lambda algorithm, state, key: ())  # no evaluation
    train = jax.vmap(algorithm.train)
    keys = jax.random.split(jax.random.key(0), agents)
    if cores > 1:
        train, keys = jax.pmap(train), keys.reshape(cores, agents // cores)
    else:
        train = jax.jit(train)

    def repeat() -> float:
        jax.block_until_ready(train(keys))
        return agents * steps

    work.serve(repeat)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:4]), *sys.argv[4:])
