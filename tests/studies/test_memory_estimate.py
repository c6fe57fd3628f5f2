"""Memory: estimated from shapes, so that hopeless sizes are refused before anything of them is made."""

import math

import jax
import pytest

from morphorl import train
from morphorl.config.errors import SettingError
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.ppo.checkpoints import skeleton
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies.batches import programs
from morphorl.studies.memory_estimate import of_machine, parts_of_run, refuse_too_large, words
from morphorl.studies.runner import run_study
from morphorl.studies.study import Study

NETWORKS = ("ppo.hidden", "memory.kind")


@pytest.mark.parametrize(
    "settings",
    [
        Settings(ppo=PPO(hidden=(300, 200))),
        Settings(ppo=PPO(hidden=(300,)), memory=LeakyIntegrators(columns=20)),
        Settings(ppo=PPO(hidden=(300, 200), network="gru")),
        Settings(ppo=PPO(hidden=(300, 200), network="lru")),
    ],
    ids=["two layers", "with a memory", "recurrent", "linear recurrent"],
)
def test_networks_are_as_large_as_those_that_are_made(settings):
    agent = skeleton(settings, 1)
    made = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves((agent.actor, agent.critic, agent.core)))
    estimated = parts_of_run(settings)[NETWORKS] / 4 / 4  # bytes, and four copies
    assert made == pytest.approx(estimated, rel=0.35)


def test_what_there_is_more_of_takes_more_in_proportion():
    def most(**sizes):
        return sum(parts_of_run(Settings(steps=10**9, evaluate_every=0, ppo=PPO(**sizes))).values())

    assert most(num_envs=4_096) / most(num_envs=2_048) == pytest.approx(2, rel=0.1)
    assert most(hidden=(2**16, 2**16)) / most(hidden=(2**15, 2**15)) == pytest.approx(4, rel=0.1)


HOPELESS = [
    ({"ppo": PPO(hidden=(1_000_000_000,))}, r"ppo\.hidden = \(1000000000,\)"),
    ({"ppo": PPO(num_envs=10**12)}, r"ppo\.num_envs = 1000000000000, ppo\.rollout_steps = 128"),
    ({"ppo": PPO(rollout_steps=10**12)}, r"ppo\.num_envs = 4, ppo\.rollout_steps = 1000000000000"),
    ({"ppo": PPO(epochs=10**12)}, r"ppo\.epochs = 1000000000000"),
    ({"evaluation_episodes": 10**12}, r"evaluation_episodes = 1000000000000"),
    ({"steps": 10**16}, r"steps = 10000000000000000"),
    ({"dynamics": GiererMeinhardt(sites=16_384), "ppo": PPO(num_envs=10**7)}, r"dynamics\.kind = 'gierer_meinhardt'"),
    ({"memory": LeakyIntegrators(columns=16_384), "ppo": PPO(num_envs=10**7)}, r"memory\.kind = 'leaky_integrators'"),
]


@pytest.mark.parametrize(("sizes", "what"), HOPELESS, ids=[what for _, what in HOPELESS])
def test_hopeless_sizes_are_refused_with_what_they_take_and_what_there_is(sizes, what, tmp_path):
    steps = max(100_000, sizes.get("ppo", PPO()).batch)
    study = Study("large", ("CartPole-v1",), {"one": Settings(**{"steps": steps} | sizes)}, 1)
    message = rf"{what}.*: calls for .* TB of memory, 1 runs at once; must be at most the .* that this machine has"
    with pytest.raises(SettingError, match=message):
        refuse_too_large(programs(study.iterate()), 16)
    with pytest.raises(SettingError, match=what):
        run_study(study, tmp_path / "OUT")
    assert list(tmp_path.iterdir()) == []


def test_agents_in_memory_are_refused_as_well():
    with pytest.raises(SettingError, match=r"ppo\.hidden = \(1000000000,\).*: calls for"):
        train("CartPole-v1", ppo=PPO(hidden=(1_000_000_000,)), progress=False)


def test_the_machine_has_some_memory_and_bytes_have_words():
    assert of_machine() > 10**8
    assert [words(size) for size in (1, 2_500_000, 3 * 10**9, 2**62, 10**30)] == [
        "less than 1 MB", "2.5 MB", "3.0 GB", "more than 1,000,000 TB", "more than 1,000,000 TB",
    ]  # fmt: skip
