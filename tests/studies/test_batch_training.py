"""Many runs in one program: the bits of each do not depend on what runs beside it, and survive on disk."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.agents import agent
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments import registry
from morphorl.ppo import checkpoints, evaluation, training
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import batch_training
from morphorl.studies.run import Run

SMALL = PPO(num_envs=4, rollout_steps=32, minibatches=2, hidden=(16,), learning_rate=1e-3)
BASE = Settings(steps=512, evaluate_every=256, evaluation_episodes=2, ppo=SMALL)
CARTPOLE = registry.make_env("CartPole-v1")


def run(seed=0, **changes):
    return Run("arm", dataclasses.replace(BASE, **changes), seed, seed)


def assert_same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(a, b)


def lanes(result, chosen):
    return jax.tree.map(lambda u: u[chosen], result)


# --- Bits -------------------------------------------------------------------------------------------------------------


@pytest.mark.optimised
def test_same_seed_gives_the_same_bits():
    batch = [run(seed) for seed in range(3)]
    first = batch_training.train_batch(batch, 4)
    assert_same(first, batch_training.train_batch(batch, 4))
    assert not np.array_equal(first.agents.actor.weights[0][0], first.agents.actor.weights[0][1])


@pytest.mark.optimised
def test_progress_in_chunks_and_agents_kept_on_the_way_leave_the_bits_of_one_go(monkeypatch):
    batch = [run(seed) for seed in range(2)]
    monkeypatch.setattr(batch_training, "CHUNK_SECONDS", 1e6)
    whole = batch_training.train_batch(batch, 4)
    pausing = batch_training.train_batch(batch, 4, staged=frozenset([batch[1].id]))
    monkeypatch.setattr(batch_training, "CHUNK_SECONDS", 0.0)
    chunks = batch_training.train_batch(batch, 4, staged=frozenset([batch[1].id]))
    assert_same(pausing, chunks)
    assert_same(pausing._replace(staged=None), whole)
    assert pausing.staged is not None
    assert pausing.staged.runs == [batch[1].id]
    assert_same(jax.tree.map(lambda u: u[-1], pausing.staged.agents), lanes(whole.agents, 1))
    assert len(np.unique(pausing.staged.agents.actor.weights[0], axis=0)) == 3


@pytest.mark.optimised
def test_zero_blend_weight_is_exactly_plain_ppo():
    plain = batch_training.train_batch([run(s, blend=Blend(kind="none")) for s in range(4)], 4)
    for kind in ("average", "add"):
        blended = batch_training.train_batch(
            [run(s, blend=Blend(kind=kind, weight=0.0), guidance=Blind(strength=0.3)) for s in range(4)], 4
        )
        assert_same((plain.agents, plain.curve[:3]), (blended.agents, blended.curve[:3]))


@pytest.mark.optimised
def test_zero_strength_is_exactly_unguided():
    unguided = batch_training.train_batch([run(s, guidance=NoGuidance()) for s in range(4)], 4)
    assert_same(unguided, batch_training.train_batch([run(s, guidance=Blind(strength=0.0)) for s in range(4)], 4))


@pytest.mark.optimised
def test_diverging_run_is_flagged_and_leaves_its_neighbours_alone():
    healthy = [run(seed) for seed in range(4)]
    exploding = run(1, dynamics=ReactionDiffusion(activator_production=1e30, bound=float("inf")))
    undisturbed = batch_training.train_batch(healthy, 4)
    disturbed = batch_training.train_batch([healthy[0], exploding, *healthy[2:]], 4)
    assert disturbed.diverged_at[1] > 0
    assert list(np.delete(disturbed.diverged_at, 1)) == [-1, -1, -1]
    assert_same(lanes(undisturbed, np.array([0, 2, 3])), lanes(disturbed, np.array([0, 2, 3])))


# --- All else ---------------------------------------------------------------------------------------------------------


def test_annealing_over_more_steps_makes_a_run_the_first_part_of_a_longer_one():
    short = run(steps=256, ppo=dataclasses.replace(SMALL, anneal_steps=512))
    whole, part = (batch_training.train_batch([one], 4).curve for one in (run(), short))
    np.testing.assert_array_equal(part.episode_return[0], whole.episode_return[0, :2])
    np.testing.assert_array_equal(part.greedy_return[0], whole.greedy_return[0, :2])


def test_vmap_equals_loop():
    batch = [run(seed, guidance=Blind(strength=0.1 * seed), blend=Blend(weight=0.2 + 0.1 * seed)) for seed in range(4)]
    together = batch_training.train_batch(batch, 4)
    train = jax.jit(training.train, static_argnums=1)
    for i, one in enumerate(batch):
        alone = train(one.settings, CARTPOLE, one.seed)
        for a, b in zip(jax.tree.leaves(alone.agent), jax.tree.leaves(lanes(together.agents, i)), strict=True):
            np.testing.assert_allclose(a, b, atol=2e-4)
        np.testing.assert_allclose(alone.curve.episode_return, together.curve.episode_return[i], rtol=1e-4)


def test_untrained_return_is_that_of_whole_episodes_of_the_first_network():
    """Few episodes that end early in a rollout would be the short ones: uniformly random play lasts 22 steps."""
    settings = dataclasses.replace(BASE, evaluation_episodes=64, blend=Blend(kind="none"))
    measure = jax.jit(jax.vmap(lambda seed: training.init(settings, CARTPOLE, seed, seed).untrained_return))
    returns = np.asarray(measure(jnp.arange(32)))
    assert abs(returns.mean() - 22.2) < 3 * 12 / np.sqrt(32 * 64) + 0.5  # the network is not quite uniform


def test_randomness_depends_on_the_seeds_alone_and_the_cell_seed_moves_only_the_pattern():
    one, other = Run("a", BASE, 0, 0), Run("b", BASE, 0, 1)
    start = [training.init(r.settings, CARTPOLE, jnp.array(r.seed), jnp.array(r.cell_seed)) for r in (one, other)]
    assert_same(start[0].agent.actor, start[1].agent.actor)
    assert_same(start[0].rollout_state.observation, start[1].rollout_state.observation)
    assert not np.array_equal(start[0].agent.pattern.activator, start[1].agent.pattern.activator)


@pytest.mark.parametrize(
    "changes", [{}, {"dynamics": ReactionDiffusion(reset="redraw", normalise=True)}, {"blend": Blend(kind="none")}]
)
def test_saved_and_loaded_agents_act_identically(tmp_path, changes):
    settings = dataclasses.replace(BASE, **changes)
    arrays = jax.tree.map(lambda *u: jnp.concatenate(u), *(agent(settings, seed).arrays for seed in range(2)))
    saved = checkpoints.Agents([settings] * 2, [0, 1], arrays)
    checkpoints.save_agents(saved, tmp_path)
    loaded = checkpoints.load_agents(tmp_path)
    assert loaded.seeds == [0, 1]
    assert jax.tree.structure(loaded.settings[0]) == jax.tree.structure(settings)
    assert_same(saved.arrays, loaded.arrays)
    for greedy in (True, False):
        one, other = (evaluation.evaluate_agents(b.settings, b.arrays, 5, greedy=greedy) for b in (saved, loaded))
        np.testing.assert_array_equal(one, other)


def test_damaged_agents_are_refused(tmp_path):
    with pytest.raises(checkpoints.AgentsError, match="holds no"):
        checkpoints.load_agents(tmp_path)
    untouched = agent(BASE)
    checkpoints.save_agents(untouched, tmp_path)
    arrays = tmp_path / "agents.safetensors"
    arrays.write_bytes(arrays.read_bytes()[:-7])
    with pytest.raises(checkpoints.AgentsError, match=r"agents\.safetensors"):
        checkpoints.load_agents(tmp_path)
    wider = dataclasses.replace(BASE, ppo=PPO(**(vars(SMALL) | {"hidden": (17,)})))
    checkpoints.save_agents(checkpoints.Agents([wider], [0], untouched.arrays), tmp_path)
    with pytest.raises(
        checkpoints.AgentsError, match=r"actor\.weights\.0 has shape \(1, 16, 4\); must be \(1, 17, 4\)"
    ):
        checkpoints.load_agents(tmp_path)
