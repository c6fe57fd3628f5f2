"""Finished studies without training: curves that rise as they are told, in a store as a run leaves it."""

import zlib

import jax
import numpy as np

from morphorl.ppo.training import Curve
from morphorl.studies.batch_training import BatchResult
from morphorl.studies.store import Store
from morphorl.studies.study import Study

UPDATES = 50
TINY = {"ppo": {"num_envs": 2, "rollout_steps": 16, "minibatches": 2, "epochs": 1, "hidden": [4]}}
"""Settings that train in no time: 32 environment steps an update."""

BLIND = {
    "plain PPO": {"blend": {"weight": 0.0}},
    "zero readout": {"dynamics": {"initial_scale": 0.0}},
    "γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.01, 0.1, 0.3]}},
}


def study(arms=None, seeds=8, environments=("CartPole-v1", "StatelessCartPole-v1"), **more):
    """A study of tiny agents, with the arms of `blind_dynamics`."""
    steps = UPDATES * 32
    return Study("tiny", environments, arms or BLIND, seeds, steps=steps, evaluate_every=32, settings=TINY, **more)


def finish(root, study, rates=None, evaluated=True, silent=(), diverged=(), updates=UPDATES, parts=1):
    """Fill a store with the results of a study's runs.

    Args:
        rates: by arm, how much faster than others it learns (1: as fast).
        silent: arms in which no episode ever ends.
        diverged: arms whose seed 0 diverges.
        parts: how many shards there are.
    """
    store = Store(root)
    store.open(study, resume=True)
    runs = list({run.id: run for run in study.iterate()}.values())
    time = np.linspace(0, 1, updates)
    returns = np.stack([_returns(run, time, (rates or {}).get(run.arm, 1.0)) for run in runs]).astype(np.float32)
    episodes = np.full(returns.shape, 5, np.int32)
    quiet = np.array([run.arm in silent for run in runs])
    returns[quiet], episodes[quiet] = np.nan, 0
    greedy = np.where(returns > 100, np.float32(500), returns) if evaluated else np.full_like(returns, np.nan)
    at = np.array([320 if run.arm in diverged and run.seed == 0 else -1 for run in runs])
    result = BatchResult(
        Curve(returns, episodes, greedy, np.zeros_like(returns)), None, at, np.full(len(returns), 22.0)
    )
    for i in range(parts):
        part = jax.tree.map(lambda u, i=i: u[i::parts], result)
        store.add(runs[i::parts], part, with_agents=False)
    return store


def _returns(run, time, rate):
    # Of labels, not of the run's id, which changes with every setting that is added.
    of = f"{run.arm}, {run.settings.environment}, {run.preset}"
    generator = np.random.default_rng([run.seed, zlib.crc32(of.encode())])
    noise = generator.normal(0, 2) * (time > 0) + generator.normal(0, 2, size=len(time))
    return 20 + 100 * rate * np.sqrt(time) + noise
