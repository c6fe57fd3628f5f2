"""Worker: agents trained by morphorl, batch by batch as a study runs them.

Usage: morphorl_ppo.py AGENTS UPDATES ENVIRONMENT BLEND DYNAMICS KERNEL [NUM_ENVS WIDTH CORES]
"""

import os
import sys

import work

from morphorl.config import devices

if len(sys.argv) > 9:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[9])])
devices.use_all_cores()

from morphorl.config.kinds import resolve  # noqa: E402
from morphorl.dynamics.base import Dynamics  # noqa: E402
from morphorl.dynamics.blending import Blend  # noqa: E402
from morphorl.dynamics.guidance.blind import Blind  # noqa: E402
from morphorl.ppo.settings import PPO, Settings  # noqa: E402
from morphorl.studies import batch_training  # noqa: E402
from morphorl.studies.batches import batches  # noqa: E402
from morphorl.studies.study import Study  # noqa: E402

GUIDANCE_STRENGTH = 0.1


def main(
    agents: int,
    updates: int,
    environment: str,
    blend: str,
    dynamics: str,
    kernel: str,
    num_envs: int = work.NUM_ENVS,
    width: int = work.HIDDEN[0],
    *_: object,
) -> None:
    """Train `agents` agents for `updates` updates, whenever told."""
    ppo = PPO(
        learning_rate=work.LEARNING_RATE,
        anneal=False,
        discount=work.DISCOUNT,
        gae_lambda=work.GAE_LAMBDA,
        clip=work.CLIP,
        value_clip=work.CLIP,
        value_coefficient=work.VALUE_COEFFICIENT,
        entropy_coefficient=work.ENTROPY_COEFFICIENT,
        max_gradient_norm=work.MAX_GRADIENT_NORM,
        num_envs=num_envs,
        rollout_steps=work.ROLLOUT_STEPS,
        epochs=work.EPOCHS,
        minibatches=work.MINIBATCHES,
        hidden=(width, width),
    )
    steps = updates * ppo.batch
    guidance = Blind(strength=GUIDANCE_STRENGTH)
    settings = Settings(
        environment,
        steps,
        evaluate_every=0,
        ppo=ppo,
        dynamics=resolve(Dynamics, dynamics)(),
        guidance=guidance,
        blend=Blend(kind=blend),  # pyright: ignore[reportArgumentType]
        kernel=kernel,  # pyright: ignore[reportArgumentType]
    )
    runs = Study("speed", (environment,), {"agent": settings}, agents, kernel=kernel).runs()

    def repeat() -> float:
        for batch in batches(runs, set(), *devices.batch_sizes()):
            batch_training.train_batch(batch.runs, batch.size)
        return agents * steps

    work.serve(repeat)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:7], *map(int, sys.argv[7:]))
