"""Small studies, and results made up for them, whose numbers tell run and update."""

import dataclasses

import jax
import numpy as np

from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.ppo import checkpoints
from morphorl.ppo.settings import PPO, Settings
from morphorl.ppo.training import Curve
from morphorl.studies.batch_training import BatchResult
from morphorl.studies.batches import batches
from morphorl.studies.study import Study

SMALL = Settings(steps=96, ppo=PPO(num_envs=2, rollout_steps=16, minibatches=2, hidden=(4,)))  # three updates of 32


def small_study(seeds=3, name="small", **arms):
    arms = arms or {
        "plain": dataclasses.replace(SMALL, blend=Blend("none")),
        "weak": dataclasses.replace(SMALL, guidance=Blind(strength=0.1)),
        "strong": dataclasses.replace(SMALL, guidance=Blind(strength=0.3)),
    }
    return Study(name, ("CartPole-v1", "StatelessCartPole-v1"), arms, seeds)


def fake_result(runs, with_agents=False, diverged=()):
    """Three updates with numbers that tell run and update: 100·seed + 10·strength + update."""
    tell = np.array([r.seed + r.settings.guidance.strength / 10 for r in runs], np.float32)
    returns = 100 * tell[:, None] + np.arange(3, dtype=np.float32)
    greedy = np.where(np.arange(3) == 2, returns, np.float32(np.nan))
    arrays = None
    if with_agents:
        shapes = checkpoints.skeleton(runs[0].settings, len(runs))
        arrays = jax.tree.map(lambda u: np.broadcast_to(tell.reshape(-1, *[1] * (u.ndim - 1)), u.shape), shapes)
    curve = Curve(returns, np.full((len(runs), 3), 2, np.int32), greedy, np.zeros_like(returns))
    diverged_at = np.array([64 if r.seed in diverged else -1 for r in runs])
    return BatchResult(curve, arrays, diverged_at, np.full(len(runs), 22.0))


def fill(store, runs, largest=4, with_agents=False, diverged=()):
    for batch in batches(runs, store.finished(), largest, 2):
        store.add(batch.runs, fake_result(batch.runs, with_agents, diverged), with_agents=with_agents)


def snapshot(folder):
    return {path: (path.is_file() and path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*")}
