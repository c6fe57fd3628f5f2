"""What every system has: when its pattern is drawn anew, and that turned down to nothing it is plain PPO."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from helpers.acting import act, small
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.coloured_noise import ColouredNoise
from morphorl.dynamics.correlated_noise import CorrelatedNoise
from morphorl.dynamics.echo_state import EchoState
from morphorl.dynamics.guidance.win_stay import WinStay
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.dynamics.learned_parameters import Learned
from morphorl.dynamics.none import NoDynamics
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.dynamics.sign_flipped import SignFlipped
from morphorl.dynamics.state_dependent_noise import StateDependentNoise
from morphorl.environments import registry
from morphorl.environments.base import Environment, Step
from morphorl.ppo import rollout, rollout_randomness, training
from morphorl.ppo.agent import init_agent
from morphorl.ppo.settings import Settings, stack

FROZEN = ReactionDiffusion(dt=0.0, initial_scale=1.0)
CARTPOLE = registry.make_env("CartPole-v1")

# --- Reset and redraw -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", ["episode", "redraw"])
def test_a_frozen_pattern_is_one_a_run_or_with_redraw_one_an_episode(reset):
    acted = act(dynamics=dataclasses.replace(FROZEN, reset=reset))
    done = acted.done
    assert done.sum() > 4
    for env in range(done.shape[1]):
        episode = np.concatenate([[0], np.cumsum(done[:, env])[:-1]])
        patterns = []
        for number in range(episode[-1] + 1):
            x, o = (np.asarray(u)[episode == number, :, env] for u in (acted.seen.observation, acted.seen.readout))
            if len(x) < 4:
                continue
            pattern = np.linalg.lstsq(x, o)[0]  # one linear map answers the whole episode
            np.testing.assert_allclose(x @ pattern, o, atol=1e-4)
            patterns.append(pattern)
        drawn = np.asarray(acted.state.agent.pattern.activator)
        own = [np.allclose(pattern, drawn, atol=0.05) for pattern in patterns]
        assert all(own) if reset == "episode" else not any(own[1:])


def test_a_pattern_is_redrawn_within_an_episode_as_often_as_it_is_asked_to_be():
    rare, often = (dataclasses.replace(FROZEN, reset="redraw", redraw=p) for p in (0.0, 0.1))
    acted = act(dynamics=often)
    patterns, _ = acted.answers()
    np.testing.assert_allclose(
        acted.seen.readout, np.einsum("tfe,tfae->tae", acted.seen.observation, patterns), atol=1e-5
    )
    redrawn = np.asarray(acted.randomness.redrawn)
    assert redrawn.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / redrawn.size))
    assert (redrawn & ~np.asarray(acted.seen.terminated)).any()
    at_ends = rollout_randomness.draw(small(dynamics=rare), CARTPOLE, jax.random.key(5))
    assert not at_ends.redrawn.any()
    for one, other in zip(jax.tree.leaves(at_ends.pattern), jax.tree.leaves(acted.randomness.pattern), strict=True):
        np.testing.assert_array_equal(one, other)  # and all other chance is what it is without


def _always(key):
    return jnp.array(-1), jnp.ones(1)


FICKLE = Environment(
    "fickle: one observation, and a reward for every change of the action; an episode lasts ten steps",
    1,
    2,
    11,
    None,
    _always,
    lambda key, state, action: Step(
        action + 2 * (state // 2 + 1),
        jnp.ones(1),
        jnp.float32((state >= 0) & (state % 2 != action)),
        state // 2 + 1 >= 9,
        jnp.array(False),
    ),
)
"""The state holds the number of steps and the action before, 2·steps + action; −1 at the start."""


def test_evaluation_redraws_as_training_does():
    cells = [dataclasses.replace(FROZEN, reset="redraw", redraw=p) for p in (0.0, 0.25, 1.0)]
    fickle = stack([small(dynamics=cell, blend=Blend("add", weight=100.0)) for cell in cells])

    def returns(fickle):
        agent = init_agent(fickle, 1, 2, jax.random.key(0), jax.random.key(1))
        return rollout.evaluate(fickle, FICKLE, agent, jax.random.key(2), 200, greedy=True)

    never, sometimes, ever = jax.jit(jax.vmap(returns))(fickle)
    assert never.max() == 0  # one frozen pattern, one observation, one action
    assert sometimes.mean() == pytest.approx(9 * 0.25 / 2, abs=0.3)
    assert ever.mean() == pytest.approx(9 / 2, abs=0.4)


REDRAWN = ReactionDiffusion(reset="redraw", redraw=0.1)
REFUSED = [
    (
        lambda: ReactionDiffusion(redraw=0.1),
        r"dynamics.redraw = 0.1: must be 0 where dynamics.reset is 'episode'. Set dynamics.reset = 'redraw'\.",
    ),
    (
        lambda: LeakyIntegrators(redraw=0.1),
        r"memory.redraw = 0.1: must be 0 where memory.reset is 'episode'. Set memory.reset = 'redraw'\.",
    ),
    (
        lambda: ReactionDiffusion(reset="redraw", redraw=2.0),
        r"dynamics.redraw = 2.0: must be a number from 0 to 1\.",
    ),
    (
        lambda: Settings(dynamics=REDRAWN, guidance=WinStay(0.1)),
        "dynamics.redraw = 0.1: must be 0 where guidance.kind is 'win_stay'",
    ),
    (
        lambda: Settings(dynamics=REDRAWN, learned=Learned(("dynamics.drive",))),
        "dynamics.redraw = 0.1: must be 0 where learned.parameters names some",
    ),
    (
        lambda: Settings(dynamics=REDRAWN, environment="gym:CartPole-v1"),
        "dynamics.redraw = 0.1: must be 0 for environments of Gymnasium's",
    ),
    (
        lambda: Settings(dynamics=LeakyIntegrators()),
        "dynamics.kind = 'leaky_integrators': has no readout to be blended; must be one with a method `read`, or set "
        "blend.kind = 'none', or memory.kind = 'leaky_integrators' to let the networks see it",
    ),
    (
        lambda: Settings(memory=CorrelatedNoise()),
        "memory.kind = 'correlated_noise': must be a system that needs the observation alone, and no random numbers",
    ),
    (
        lambda: Settings(memory=LeakyIntegrators(reset="never")),
        "memory.reset = 'never': must be 'episode'; a memory starts afresh with every episode",
    ),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_what_cannot_be_drawn_blended_or_seen_is_refused_by_name(make, message):
    with pytest.raises(SettingError, match=message):
        make()


# --- Turned down to nothing -------------------------------------------------------------------------------------------

SYSTEMS = [
    SignFlipped(),
    CorrelatedNoise(reset="redraw"),
    CorrelatedNoise(reset="never"),
    ColouredNoise(reset="redraw", redraw=0.1),
    StateDependentNoise(reset="redraw"),
    EchoState(),
]


def weights_after(settings):
    """The policy's first weights after training, for each of the settings of one program."""
    train = jax.jit(jax.vmap(lambda one: training.train(one, CARTPOLE, jnp.array(0)).agent.actor.weights[0]))
    return np.asarray(train(stack(settings)))


@pytest.fixture(scope="module")
def plain():
    return weights_after([small(dynamics=NoDynamics(), blend=Blend("none"))])[0]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: f"{system.kind} {system.reset}")
def test_a_system_that_is_turned_down_to_nothing_is_plain_ppo_and_otherwise_is_not(system, plain):
    off, on = weights_after([small(dynamics=system, blend=Blend("add", weight=weight)) for weight in (0.0, 1.0)])
    assert not np.allclose(plain, on, atol=1e-4)
    np.testing.assert_allclose(plain, off, atol=1e-5)
