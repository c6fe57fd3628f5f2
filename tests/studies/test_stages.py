"""Which agents a study keeps for replays, and that keeping them changes nothing else."""

import dataclasses

import jax
import numpy as np

from helpers.small_studies import SMALL, fake_result, small_study
from morphorl.studies import stages, stored_agents
from morphorl.studies.batch_training import Staged
from morphorl.studies.batches import batches
from morphorl.studies.store import Store
from morphorl.studies.study import Study


def test_the_first_seed_of_every_arm_in_the_environments_that_can_be_drawn():
    mine = dataclasses.replace(small_study(), first_seed=7, cell_seeds=2, environments=("Acrobot-v1", "CartPole-v1"))
    found = [(run.settings.environment, run.arm, run.seed, run.cell_seed) for run in stages.first_runs(mine)]
    assert found == [("CartPole-v1", arm, 7, 7) for arm in ("plain", "weak", "strong")]
    assert stages.first_runs(dataclasses.replace(mine, environments=("Acrobot-v1",))) == []


def test_of_many_arms_the_first_ones_as_many_as_fit():
    arms = {"γ = {guidance.strength}": {"guidance": {"strength": [i / 100 for i in range(90)]}}}
    mine = Study("many", ("CartPole-v1", "StatelessCartPole-v1"), arms, seeds=2, presets=("standard", "tuned"))
    found = stages.first_runs(mine)
    assert len(found) == 48 <= stages.MOST_RUNS
    assert {run.arm for run in found} == {f"γ = {i / 100:g}" for i in range(12)}


def test_a_training_too_short_for_three_stages_has_them_all_the_same():
    assert stages.updates(SMALL) == [1, 2, 3]
    assert stages.updates(dataclasses.replace(SMALL, steps=32)) == [1, 1, 1]


def test_each_batch_knows_its_own():
    runs = small_study().runs()
    wanted = frozenset(run.id for run in stages.first_runs(small_study()))
    found = list(batches(runs, {runs[0].id}, 2, 2, wanted))
    assert frozenset().union(*(batch.staged for batch in found)) == wanted - {runs[0].id}
    assert all(batch.staged <= {run.id for run in batch.runs} for batch in found)


def test_agents_come_back_by_their_runs_stage_by_stage_and_diverged_ones_too(tmp_path):
    mine, store = Study("train", ("CartPole-v1",), {"a": SMALL}, seeds=2), Store(tmp_path)
    store.open(mine, resume=True)
    six = [dataclasses.replace(mine.runs()[0], seed=seed) for seed in range(6)]  # agents that tell: 0 to 5
    agents = jax.tree.map(np.array, fake_result(six, with_agents=True).agents)
    agents.critic.biases[0][5] = np.nan
    staged = Staged([run.id for run in mine.runs()], agents)
    store.add(mine.runs(), fake_result(mine.runs())._replace(staged=staged), with_agents=False)
    found = stored_agents.staged_agents(store, mine.runs()[1:])  # of a study that has fewer runs now
    (kept,) = found.values()
    assert list(found) == [mine.runs()[1].id]
    assert kept.actor.biases[0][:, 0].tolist() == [1, 3, 5]
    assert np.isnan(kept.critic.biases[0][2]).all()
    next(store.shards.glob("*.safetensors")).write_bytes(b"damaged")
    assert len(Store(tmp_path).open(mine, resume=True)) == 1
