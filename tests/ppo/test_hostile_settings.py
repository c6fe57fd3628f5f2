"""Numbers that are allowed and that no float32 survives: such a run is flagged or finite, and its neighbours keep their
bits."""

import dataclasses

import jax
import numpy as np
import pytest

from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.learned_parameters import Learned
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.run import Run

INF = float("inf")
SMALL = PPO(num_envs=2, rollout_steps=16, minibatches=2, epochs=2, hidden=(4,))
LEAST = PPO(num_envs=1, rollout_steps=1, minibatches=1, epochs=1, hidden=(1,))
LEARNED = Learned(("dynamics.dt", "dynamics.activator_production", "guidance.strength"))
PROGRAMS = {
    "small": Settings(steps=96, evaluate_every=64, evaluation_episodes=1, ppo=SMALL),
    "one of everything": Settings(steps=1, evaluate_every=0, evaluation_episodes=1, ppo=LEAST),
    "learned through time": Settings(steps=96, evaluate_every=0, evaluation_episodes=1, ppo=SMALL, learned=LEARNED),
}
EXTREMES = (
    {"guidance.strength": 1e30},
    {"guidance.strength": 1e30, "dynamics.bound": INF},
    {"guidance.strength": -3e38, "dynamics.bound": INF},
    {"dynamics.activator_production": 1e30, "dynamics.inhibitor_production": -1e30, "dynamics.bound": INF},
    {"dynamics.dt": 1e9},
    {"dynamics.dt": 1e9, "dynamics.bound": INF},
    {"dynamics.dt": 3e38},
    {"dynamics.activator_decay": -1e30, "dynamics.bound": 1e38},
    {"dynamics.epsilon": 0.0, "dynamics.initial_scale": 0.0},
    {"dynamics.initial_scale": 1e38, "dynamics.bound": INF},
    {"dynamics.drive": 1e38, "blend.weight": 1e38},
    {"dynamics.population": 1e38, "dynamics.bound": INF},
    {"blend.weight": -1e20},
    {"blend.distil": 1e38},
    {"ppo.learning_rate": 1e6},
    {"ppo.learning_rate": 1e6, "ppo.max_gradient_norm": INF, "ppo.value_clip": INF},
    {"ppo.learning_rate": 3e38},
    {"ppo.clip": 1e38, "ppo.learning_rate": 1.0},
    {"ppo.entropy_coefficient": 1e38},
    {"ppo.value_coefficient": 1e38},
    {"ppo.max_gradient_norm": 2e-38},
    {"learned.learning_rate": 1e6},
    {"learned.learning_rate": 3e38},
    {"guidance.strength": 1e30, "dynamics.dt": 1e9, "ppo.learning_rate": 1e6, "dynamics.bound": INF},
)


def changed(base, changes):
    settings = dataclasses.replace(base, guidance=Blind(strength=0.1), blend=Blend(weight=0.3))
    for name, value in changes.items():
        part, field = name.split(".")
        module = dataclasses.replace(getattr(settings, part), **{field: value})
        settings = dataclasses.replace(settings, **{part: module})
    return settings


@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_runs_are_flagged_or_finite_and_leave_their_neighbours_alone(name):
    base = PROGRAMS[name]
    allowed = [extreme for extreme in EXTREMES if not (base.learned.parameters and "dynamics.population" in extreme)]
    hostile = [Run(str(extreme), changed(base, extreme), 0, 0) for extreme in allowed]
    healthy = Run("healthy", changed(base, {}), 0, 0)
    runs = [healthy, *hostile, healthy]
    devices = len(jax.devices())
    size = -(-len(runs) // devices) * devices
    alone = batch_training.train_batch([healthy], size)
    beside = batch_training.train_batch(runs, size)
    assert alone.diverged_at[0] == -1
    for lane in (0, len(runs) - 1):
        for one, other in zip(jax.tree.leaves(alone), jax.tree.leaves(beside), strict=True):
            np.testing.assert_array_equal(one[0], other[lane])
    learned = (beside.agents.actor, beside.agents.critic, beside.agents.learned, beside.curve.learned)
    finite = np.all([np.isfinite(u).reshape(len(runs), -1).all(axis=1) for u in jax.tree.leaves(learned)], axis=0)
    assert finite[0]
    silent = [run.arm for i, run in enumerate(runs) if not finite[i] and beside.diverged_at[i] < 0]
    assert silent == []
    assert (beside.diverged_at >= 0).any()
