"""Leaky integrators: the features are the formulas, and with reaction and diffusion they are a driven cell."""

from dataclasses import replace

import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers.acting import remembered
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.plain import from_dict
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.leaky_integrators import Filters, LeakyIntegrators
from morphorl.dynamics.reaction_diffusion import couple
from morphorl.ppo.settings import Settings

LEAKY = LeakyIntegrators(columns=3, bound=np.inf)
REACTING = LeakyIntegrators(production=0.005, first_diffusion=0.02, second_diffusion=0.08)
OBSERVATIONS = np.random.default_rng(1).normal(size=(20, 2)).astype(np.float32)


def test_they_are_two_exponential_filters_one_after_the_other():
    """The closed form: each observation counts with μ₁·p₁ⁿ in m₁, and with μ₁·μ₂·(p₁ⁿ − p₂ⁿ)/(p₁ − p₂) in m₂."""
    fast, slow = np.geomspace(0.9, 0.4, 3), np.geomspace(0.2, 0.05, 3)
    rows = remembered(LEAKY, OBSERVATIONS)
    changes = OBSERVATIONS.astype(np.float64) - OBSERVATIONS[0]  # a constant past is what both filters start from
    for t in range(1, len(rows)):
        age = np.arange(t - 1, -1, -1)[:, None]
        in_first = fast * (1 - fast) ** age
        in_second = fast * slow * ((1 - fast) ** age - (1 - slow) ** age) / (slow - fast)
        first, second = (np.einsum("tf,tc->fc", changes[:t], weight) for weight in (in_first, in_second))
        expected = [OBSERVATIONS[t], (10 * (changes[t][:, None] - first)).ravel(), (3 * (first - second)).ravel()]
        assert_allclose(rows[t], np.concatenate(expected), rtol=1e-4, atol=1e-4)


def random_state(scale=1.0, features=2):
    drawn = (np.random.default_rng(s).normal(size=(features, 2)) for s in (2, 3))
    return Filters(*(jnp.asarray(scale * u) for u in drawn))


def test_reaction_and_diffusion_that_are_off_leave_the_filters_to_the_bit():
    state, observation = random_state(), jnp.asarray(OBSERVATIONS[0])
    after = LeakyIntegrators().step(state, observation)
    rates = [jnp.array([fastest, slowest]) for fastest, slowest in ((0.9, 0.4), (0.2, 0.05))]
    assert_array_equal(after.first, state.first + rates[0][None] * (observation[:, None] - state.first))
    assert_array_equal(after.second, state.second + rates[1][None] * (state.first - state.second))


def test_with_reaction_diffusion_and_guidance_it_is_a_cell_that_the_observation_drives():
    state = random_state()
    after = replace(REACTING, production=0.3, bound=1.5).step(state, jnp.array([0.5, -0.2]), Blind(strength=0.07))
    a, h = map(np.asarray, state)
    drive = np.array([[0.5], [-0.2]]) - a
    grown = a + [0.9, 0.4] * drive + 0.02 * (a.mean() - a) + 0.3 * a**2 / (abs(h) + 1) + 0.07 * np.sign(a)
    assert_allclose(after.first, np.clip(grown, -1.5, 1.5), rtol=1e-5)
    held = h + [0.2, 0.05] * (a - h) + 0.08 * (h.mean() - h) + 0.3 * a**2 + 0.07 * np.sign(h)
    assert_allclose(after.second, np.clip(held, -1.5, 1.5), rtol=1e-5)


def test_with_the_former_numbers_it_is_the_former_memory_to_the_bit():
    """The memory that was called `cell` had a reaction and diffusion; its results stay what they are."""
    state, observation = random_state(scale=3.0, features=40), jnp.asarray(OBSERVATIONS.reshape(-1))
    after = REACTING.step(state, observation, Blind(strength=0.07))
    a, h = state
    fast, slow = (jnp.array([first, last])[None] for first, last in ((0.9, 0.4), (0.2, 0.05)))
    grown = fast * (observation[:, None] - a) + 0.02 * couple("mean", a) + 0.005 * a**2 / (jnp.abs(h) + 1.0)
    held = slow * (a - h) + 0.08 * couple("mean", h) + 0.005 * a**2
    assert_array_equal(after.first, jnp.clip(a + (grown + 0.07 * jnp.sign(a)), -10.0, 10.0))
    assert_array_equal(after.second, jnp.clip(h + (held + 0.07 * jnp.sign(h)), -10.0, 10.0))


FORMER = [
    (
        {"kind": "leaky"},
        r"memory.kind = 'leaky': must be one of .*, or MODULE:CLASS for one of your own\. "
        r"Did you mean 'leaky_integrators'\?",
    ),
    ({"kind": "previous"}, r"memory.kind = 'previous': must be one of .* Did you mean 'previous_observation'\?"),
    ({"kind": "reservoir"}, r"memory.kind = 'reservoir': must be one of .* Did you mean 'echo_state'\?"),
    (
        {"kind": "leaky_integrators", "activator_fast": 0.5},
        r"memory.activator_fast: no such setting; .* Did you mean 'first_fast'\?",
    ),
    (
        {"kind": "leaky_integrators", "inhibitor_gain": 0.5},
        r"memory.inhibitor_gain: no such setting; .* Did you mean 'second_gain'\?",
    ),
    (
        {"kind": "leaky_integrators", "inhibitor_diffusion": 0.0},
        r"memory.inhibitor_diffusion: no such setting; .* Did you mean 'second_diffusion'\?",
    ),
    ({"columns": 3}, "memory.columns: no such setting; must be one of reset, redraw, normalise"),
    (
        {"kind": "leaky_integrators", "columns": 0},
        r"memory.columns = 0: must be a whole number of at least 1 and at most 16,384\.",
    ),
]


@pytest.mark.parametrize(("values", "message"), FORMER, ids=lambda value: str(value)[:30])
def test_a_former_or_foreign_name_is_refused_with_the_present_one(values, message, monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # which refuses other kinds before we do
    with pytest.raises(SettingError, match=message):
        from_dict(Settings, {"memory": values})


def test_a_former_name_in_a_search_is_offered_by_the_present_one_too():
    known = ["memory.first_fast", "memory.second_fast"]
    assert did_you_mean("memory.inhibitor_fast", known) == " Did you mean 'memory.second_fast'?"


def test_an_observation_that_never_changes_is_nothing_new():
    rows = remembered(LEAKY, np.repeat(OBSERVATIONS[:1], 10, axis=0))
    assert_allclose(rows[:, 2:], 0, atol=1e-6)
