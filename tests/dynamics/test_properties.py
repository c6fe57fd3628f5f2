"""What is known of a system by trying it: of the system as it is set, and not of its class."""

import dataclasses

import jax.numpy as jnp
import pytest

from morphorl.config.errors import SettingError
from morphorl.config.fields import setting
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.properties import guided_states
from morphorl.ppo.settings import Settings


class Optional(Dynamics):
    """One number for each feature and action, guided once, twice, or not at all."""

    guided: int = setting(0, static=True)
    rate: float = setting(0.5)

    def init(self, key, shape):
        return jnp.ones(shape)

    def step(self, state, observation, guide):
        for i in range(self.guided):
            state = state + self.rate * guide(state, read=i == 0)
        return state

    def read(self, state, observation):
        return observation @ state


def test_guided_states_are_those_under_the_settings_given():
    assert [guided_states(Optional(guided=i)) for i in range(3)] == [(), (True,), (True, False)]


def test_numbers_do_not_change_them_and_are_not_traced_anew(monkeypatch):
    known = guided_states(Optional(guided=2, rate=0.1))
    monkeypatch.setattr(Optional, "step", None)
    assert guided_states(Optional(guided=2, rate=0.2)) == known


def test_guidance_that_would_reach_nothing_is_refused_by_the_settings_of_the_system():
    settings = Settings(dynamics=Optional(guided=1), guidance=Modulated())
    with pytest.raises(SettingError, match="must be a system whose step calls `guide`"):
        dataclasses.replace(settings, dynamics=Optional())
