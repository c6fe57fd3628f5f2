"""Rules of guidance: the formulas, the values at which they must do nothing, and the settings that each has."""

from functools import partial

import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config import kinds
from morphorl.config.errors import SettingError
from morphorl.config.plain import from_dict
from morphorl.dynamics.guidance.adaptive import Adaptive
from morphorl.dynamics.guidance.base import Guidance, Signal, nothing
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.guidance.modulated import Modulated
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.guidance.return_weighted import ReturnWeighted
from morphorl.dynamics.guidance.stabilise import Stabilise
from morphorl.dynamics.guidance.three_factor import ThreeFactor
from morphorl.dynamics.guidance.win_stay import WinStay
from morphorl.ppo.settings import Settings

STATE = np.array([[1.5, -2.0, 0.0], [0.3, 1e4, -1e-4]], np.float32)
SIGNAL = Signal(jnp.array(0.5), jnp.full(STATE.shape, 0.25))

numbers = st.floats(-1e3, 1e3, width=32, allow_subnormal=False)


@given(strength=numbers, u=numbers)
@settings(max_examples=50, deadline=None)
def test_blind_guidance_is_the_strength_with_the_sign_of_the_state(strength, u):
    pushed = Blind(strength=strength)(jnp.array([u, -u, 0.0]))
    assert_array_equal(pushed, np.float32(strength) * np.sign(np.float32([u, -u, 0])))


def test_without_guidance_there_is_no_push_whatever_the_strength():
    for guide in (NoGuidance(5.0), nothing):
        assert_array_equal(guide(jnp.asarray(STATE)), np.zeros_like(STATE))


def test_guidance_is_off_and_blind_unless_asked_for():
    assert Settings().guidance == Blind() == Blind(0.0)


TERMS = [
    (NoGuidance(0.3), np.zeros_like(STATE)),
    (Blind(0.3), 0.3 * np.sign(STATE)),
    (Adaptive(0.3), 0.3 * np.sign(STATE)),
    (Modulated(0.3, sensitivity=2.0), 0.3 * np.tanh(2 * 0.5) * np.sign(STATE)),
    (Stabilise(0.3, sensitivity=2.0), 0.3 * np.tanh(2 * 0.5) * STATE),
    (WinStay(0.3), np.zeros_like(STATE)),
    (ReturnWeighted(0.3), np.zeros_like(STATE)),
    (ThreeFactor(0.3), np.full_like(STATE, 0.3 * 0.5 * 0.25)),
]


@pytest.mark.parametrize(("rule", "term"), TERMS, ids=lambda value: getattr(value, "kind", ""))
def test_each_rule_is_its_documented_term_whose_strength_is_a_factor(rule, term):
    state = jnp.asarray(STATE)
    assert_allclose(rule(state, SIGNAL, read=True), term, rtol=1e-6)
    assert_allclose(partial(type(rule)(strength=0.0), signal=SIGNAL)(state, read=True), np.zeros_like(STATE))


def test_every_rule_is_among_them():
    assert sorted(rule.kind for rule, _ in TERMS) == sorted(kinds.names(Guidance))


def test_three_factors_act_on_the_state_that_is_read_out_alone():
    assert_array_equal(ThreeFactor(0.3)(jnp.asarray(STATE), SIGNAL), np.zeros_like(STATE))


REFUSED = [
    ({"kind": "blint"}, r"guidance.kind = 'blint': must be one of .*blind.* Did you mean 'blind'\?"),
    ({"kind": "blind", "sensitivity": 2.0}, "guidance.sensitivity: no such setting; must be one of strength."),
    (
        {"kind": "modulated", "sensitivty": 2.0},
        r"guidance.sensitivty: no such setting; must be one of .* Did you mean 'sensitivity'\?",
    ),
    ({"kind": "modulated", "strength": np.nan}, "guidance.strength = nan: must be a finite number"),
    ({"kind": "three_factor", "trace_decay": 2.0}, "guidance.trace_decay = 2.0: must be a number from 0 to 1"),
]


@pytest.mark.parametrize(("values", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_rule_has_its_own_settings_and_refuses_others_by_name(values, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(SettingError, match=message):
        from_dict(Settings, {"guidance": values})
