"""Watching an agent: what is shown is what it did, in a page that needs no network, a GIF, and the terminal."""

import base64
import importlib.util
import io
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from helpers.agents import agent
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.gierer_meinhardt import GiererMeinhardt
from morphorl.dynamics.guidance.adaptive import Adaptive
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import PPO, Settings
from morphorl.report import episode, episode_page, terminal

DRIVEN = Settings("StatelessCartPole-v1", dynamics=ReactionDiffusion(drive=0.1), guidance=Blind(strength=0.1))
drawn = pytest.mark.skipif(importlib.util.find_spec("pygame") is None, reason="the extra render is not installed")


def play(settings, number=0, **options):
    return list(episode.episode(agent(settings), number, **{"pictures": False, **options}))


def test_an_episode_follows_the_dynamics_step_by_step():
    looks = play(DRIVEN)
    one = agent(DRIVEN)
    state = jax.tree.map(lambda u: u[0], one.arrays.pattern)
    for look in looks[:8]:
        observation = jnp.asarray(look.observation)
        state = DRIVEN.dynamics.step(state, observation, DRIVEN.guidance)
        readout = DRIVEN.dynamics.read(state, observation)
        np.testing.assert_allclose(look.states["activator"], state.activator, atol=1e-5)
        np.testing.assert_allclose(look.readout, readout, atol=1e-5)
        np.testing.assert_allclose(look.blended, 0.7 * look.network + 0.3 * look.readout, atol=1e-4)
    assert sum(look.reward for look in looks) == len(looks)


def test_greedy_actions_have_the_largest_logit():
    assert all(look.action == np.argmax(look.blended) for look in play(DRIVEN, greedy=True))


@pytest.mark.parametrize(
    "settings",
    [
        Settings("gym:Pendulum-v1", steps=600),
        Settings("MemoryChain-bsuite", steps=600),  # in gymnax alone
        Settings("StatelessCartPole-v1", memory=LeakyIntegrators(), blend=Blend(kind="none")),
        Settings("StatelessCartPole-v1", ppo=PPO(network="gru")),
        Settings("StatelessCartPole-v1", memory=LeakyIntegrators(), guidance=Adaptive(strength=0.1)),
    ],
    ids=["continuous", "gymnax", "memory", "GRU", "adaptive guidance of a memory"],
)
def test_every_kind_of_agent_can_be_watched(settings):
    looks = play(settings)
    assert len(looks) >= 1
    assert all(np.isfinite(look.blended).all() for look in looks)
    text = episode_page.page(agent(settings), [looks])
    assert "Return" in text


def data(text):
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))


def test_the_page_holds_everything_and_asks_for_nothing():
    looks = [play(DRIVEN, number) for number in range(2)]
    text = episode_page.page(agent(DRIVEN), looks)
    assert not re.search(r"""(?:src|href)=["']?(?!data:|#)\w""", text)
    assert "default-src 'none'" in text
    shown = data(text)["replay"]
    assert [one["stage"] for one in shown] == ["episode 1", "episode 2"]
    assert [one["length"] for one in shown] == [len(one) for one in looks]
    assert shown[0]["features"] == ["x", "θ"]


def test_a_field_is_drawn_as_its_lines():
    settings = Settings(steps=1024, dynamics=GiererMeinhardt(normalise=True))
    (shown,) = data(episode_page.page(agent(settings), [play(settings)]))["replay"]
    (field,) = shown["states"]
    assert (field["name"], field["rows"]) == ("field", 4 * 2)
    assert field["columns"] > 8
    held = np.frombuffer(base64.b64decode(field["data"]), "<i2")
    assert held.size == shown["length"] * field["rows"] * field["columns"]


@drawn
def test_pictures_are_the_environments_own(tmp_path):
    looks = play(DRIVEN, pictures=True)[:6]
    assert looks[0].picture.shape == (400, 600, 3)
    assert not np.array_equal(looks[0].picture, looks[-1].picture)
    (shown,) = data(episode_page.page(agent(DRIVEN), [looks]))["replay"]
    assert len(shown["pictures"]) == 6
    first = Image.open(io.BytesIO(base64.b64decode(shown["pictures"][0].split(",")[1])))
    assert first.size == (episode_page.WIDTH, 240)
    episode_page.gif([looks], tmp_path / "watch.gif")
    with Image.open(tmp_path / "watch.gif") as animated:
        assert animated.n_frames == 3


def test_without_the_extra_pictures_are_refused(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pygame", None)
    with pytest.raises(SettingError, match="watch: needs the extra 'render'"):
        play(DRIVEN, pictures=True)


def test_the_terminal_shows_numbers_of_the_last_step():
    looks, console = play(DRIVEN), Console(record=True, width=120, file=io.StringIO())
    assert terminal.show(looks, "StatelessCartPole-v1", console) == len(looks)
    printed = console.export_text()
    for value in (*looks[-1].states["activator"].ravel(), *looks[-1].blended):
        assert f"{value:.2f}" in printed
