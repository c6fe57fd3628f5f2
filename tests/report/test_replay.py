"""Replays show what the agents do: the trained ones, the state that was read, and logits that blend."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.finished_studies import finish, study
from morphorl import cli
from morphorl.config.consoles import TextConsole
from morphorl.dynamics.blending import blend
from morphorl.environments import registry
from morphorl.ppo import task
from morphorl.ppo.agent import init_agent
from morphorl.report.replay import record, replays
from morphorl.studies import stored_agents
from morphorl.studies.runner import run
from morphorl.studies.stages import STAGES
from morphorl.studies.store import Store

ARMS = {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.2]}}}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A study of two seeds, run as `morphorl run` does, and its folder."""
    tiny = study(ARMS, seeds=2, environments=("StatelessCartPole-v1",))
    store = Store(tmp_path_factory.mktemp("replayed"))
    assert run(tiny, store, TextConsole(quiet=True), with_agents=True) == 0
    return tiny, store


@pytest.fixture(scope="module")
def shown(ran):
    tiny, store = ran
    return list(replays(tiny.runs(), stored_agents.staged_agents(store, tiny.runs())))


def test_there_is_an_early_a_middle_and_a_final_agent_of_the_first_seed_of_each_arm(shown):
    expected = [(arm, 0, stage) for arm in ("γ = 0", "γ = 0.2") for stage in STAGES]
    assert [(r.run.arm, r.run.seed, r.stage) for r in shown] == expected
    assert [r.updates for r in shown] == 2 * [2, 25, 50]


def test_an_episode_is_one_whole_episode_of_cartpole(shown):
    for replay in shown:
        episode = replay.episode
        assert 1 <= len(episode.action) <= 500
        assert {len(array) for array in jax.tree.leaves(episode)} == {len(episode.action)}
        assert episode.alive.all()
        assert np.abs(episode.position[0]).max() <= 0.05  # CartPole starts there
        assert (np.abs(episode.position) < [2.4, np.radians(12)]).all()
        # It ended because the pole had all but fallen, or the cart had all but left.
        if len(episode.action) < 500:
            assert (np.abs(episode.position[-1]) > [1.8, np.radians(8)]).any()


def test_the_readout_is_what_the_observation_makes_of_the_activator_shown(shown):
    for replay in shown:
        episode = replay.episode  # Stateless CartPole's observation is what `position` holds; emphasis is linear
        expected = np.einsum("tf,tfk->tk", episode.position, episode.states["activator"])
        np.testing.assert_allclose(episode.readout, expected, atol=1e-5)
        blended = blend(replay.run.settings.blend, jnp.asarray(episode.network), jnp.asarray(episode.readout))
        np.testing.assert_allclose(episode.blended, blended, atol=1e-6)


def test_guidance_shows_in_the_cell(shown):
    calm, guided = (np.abs(replay.episode.states["inhibitor"][-1]).max() for replay in shown[2::3])
    assert guided > 5 * calm


CONTROLS = {
    "sign": {"dynamics": {"kind": "sign_flipped"}},
    "noise": {"dynamics": {"kind": "correlated_noise", "deviation": 1.0}},
    "sticky": {"task": {"sticky": True}, "blend": {"kind": "none"}},
    "reservoir": {"dynamics": {"kind": "echo_state", "deviation": 1.0}},
    "GRU": {"ppo": {"network": "gru"}, "blend": {"kind": "none"}},
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_in_the_place_of_the_dynamics_is_replayed_too(name):
    (settings,) = study({name: CONTROLS[name]}, environments=("StatelessCartPole-v1",)).expand("standard").values()
    env = task.around(settings, registry.make_env("StatelessCartPole-v1"))
    agent = init_agent(settings, env.num_features, env.num_actions, jax.random.key(0), jax.random.key(1))
    episode = jax.jit(lambda agent: record(settings, env, agent, 2))(agent)
    length = int(episode.alive.sum())
    assert 5 < length < 500
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(episode))
    expected = np.einsum("tf,tfk->tk", episode.position, episode.states.get("activator", np.zeros((500, 2, 2))))
    if name == "noise":  # acted on as it is
        np.testing.assert_array_equal(episode.states["state"][:, 0], episode.readout)
    if name == "reservoir":
        assert episode.states["state"].shape == (500, 1, 8)
        assert np.abs(episode.states["state"][length - 1]).max() <= 1
    if name == "sign":
        np.testing.assert_allclose(np.abs(episode.readout), np.abs(expected), atol=1e-5)
        assert (np.sign(episode.readout * expected)[:length].min(), np.sign(episode.readout * expected).max()) == (
            -1,
            1,
        )
    if name in ("sticky", "GRU"):
        np.testing.assert_array_equal(episode.blended, episode.network)


def test_the_final_agent_is_the_one_that_training_ends_with(ran):
    tiny, store = ran
    trained = stored_agents.trained_agents(store, tiny.runs())
    kept = stored_agents.staged_agents(store, tiny.runs())
    assert len(kept) == 2
    for run_id, agents in kept.items():
        place = [one.id for one in tiny.runs()].index(run_id)
        jax.tree.map(lambda mine, u, i=place: np.testing.assert_array_equal(mine[-1], u[i]), agents, trained.arrays)
        early, middle, final = agents.actor.weights[0]
        assert np.abs(early - middle).max() > 0
        assert np.abs(middle - final).max() > 0


def test_a_folder_that_keeps_no_agents_gets_a_report_without_replays_that_says_so(tmp_path, capsys):
    finish(tmp_path, study(ARMS, seeds=2, environments=("CartPole-v1",)))
    cli.parse(["report", str(tmp_path)])()
    assert re.search("No replays: .* keeps no agents for them", capsys.readouterr().out)
    assert "folder keeps no agents to show" in (tmp_path / "report.html").read_text("utf-8")
