"""Patterns that are kept by the returns they brought: the rule beside its equations, its controls, and a probe."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import compiled
from helpers.probes import OBSERVATION_DEPENDENT_ACTION
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.explored_pattern import Explored, ExploredPattern
from morphorl.dynamics.guidance.base import Performance
from morphorl.dynamics.guidance.return_weighted import ReturnWeighted
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import PPO, Settings

SYSTEM = ExploredPattern(reset="redraw")
RULE = ReturnWeighted(strength=0.3, weight=0.25)
UNKNOWN = Performance(*(jnp.array(jnp.nan),) * 4)
ENVS, ROWS, ACTIONS = 3, 3, 2
ENDS = [([True, False, False], [2.0, 9.0, 9.0]), ([False] * 3, [9.0] * 3), ([True, True, False], [6.0, -1.0, 9.0])]
"""Which episodes end at each step, and the returns; those of episodes that go on must not count."""


def begun():
    drawn = [SYSTEM.init(jax.random.key(e), (ROWS - 1, ACTIONS)) for e in range(ENVS)]
    return jax.tree.map(lambda *u: jnp.stack(u, axis=-1), *drawn)


def fresh(step):
    return begun()._replace(deviation=jnp.full((ROWS, ACTIONS, ENVS), float(step)))


def after(rule):
    states = begun()
    for step, (done, returns) in enumerate(ENDS):
        states = rule.at_end(states, fresh(step), jnp.array(done), jnp.array(returns), UNKNOWN, SYSTEM.bounded)
    return states


def by_hand(advantages):
    """The mean after `ENDS`, by loops over episodes; `advantages` gives those of a step from its returns."""
    mean, tried = np.zeros((ROWS, ACTIONS)), np.array(begun().deviation)
    usual = spread = count = 0.0
    for step, (done, returns) in enumerate(ENDS):
        ended = np.flatnonzero(done)
        if not len(ended):
            continue
        share = 1 - 0.75 ** len(ended) if count else 1.0
        usual += share * (np.mean([returns[e] for e in ended]) - usual)
        spread += share * (np.mean([(returns[e] - usual) ** 2 for e in ended]) - spread)
        told = advantages(np.clip((np.array(returns) - usual) / (np.sqrt(spread) + 1e-3), -3, 3))
        for e in ended:
            mean += 0.3 * told[e] * tried[..., e]
            tried[..., e] = step
        count += len(ended)
    return mean


@pytest.mark.parametrize(
    ("signal", "advantages"),
    [("returns", lambda a: a), ("constant", np.ones_like), ("shuffled", lambda a: np.roll(a, 1))],
)
def test_the_mean_moves_by_returns_and_is_the_same_in_all_environments(signal, advantages):
    states = after(replace(RULE, signal=signal))
    for e in range(ENVS):
        assert_allclose(states.mean[..., e], by_hand(advantages), rtol=1e-5, atol=1e-6)
    assert_array_equal(states.episodes, 3)
    assert_array_equal(states.deviation[..., 2], begun().deviation[..., 2])  # its episode has not ended
    assert_array_equal(states.deviation[..., 0], 2.0)


def test_the_readout_is_that_of_mean_and_deviation_and_an_evaluation_knows_the_mean_alone():
    x = jnp.array([2.0, -1.0])
    state = Explored(jnp.ones((3, 2)), jnp.arange(6.0).reshape(3, 2), *(jnp.zeros(()),) * 3)
    weights = 1 + 0.5 * np.arange(6.0).reshape(3, 2)
    assert_allclose(ExploredPattern(size=0.5).read(state, x), [2.0, -1.0, 1.0] @ weights)
    assert_allclose(ExploredPattern(size=0.5).read(RULE.kept(state), x), [2.0, 2.0])


def test_coupling_pulls_a_deviation_to_its_mean_and_none_leaves_it():
    state = SYSTEM.init(jax.random.key(0), (2, 2))
    assert_array_equal(SYSTEM.step(state, jnp.zeros(2)).deviation, state.deviation)
    coupled = ExploredPattern(diffusion=0.5).step(state, jnp.zeros(2)).deviation
    assert_allclose(coupled, 0.5 * (state.deviation + state.deviation.mean()), atol=1e-6)


def test_the_rule_finds_the_answer_to_the_cue_without_a_network_that_learns_and_its_control_does_not():
    still = PPO(num_envs=8, rollout_steps=16, hidden=(4,), learning_rate=1e-8)
    scores = {}
    for signal in ("returns", "shuffled"):
        settings = Settings(
            "CartPole-v1", 4_096, evaluate_every=0, ppo=still, dynamics=SYSTEM, blend=Blend("add", 1.0),
            guidance=ReturnWeighted(strength=0.3, signal=signal),
        )  # fmt: skip
        agent = compiled.train(settings, OBSERVATION_DEPENDENT_ACTION, 0).agent
        played = compiled.evaluate(settings, OBSERVATION_DEPENDENT_ACTION, agent, jax.random.key(1), 200, greedy=True)
        scores[signal] = played.mean()
    assert scores["returns"] == 1.0
    assert scores["shuffled"] < 0.9


def test_another_system_and_an_open_door_of_a_control_are_refused():
    with pytest.raises(SettingError, match=r"dynamics\.kind = 'reaction_diffusion': must be 'explored_pattern' where"):
        Settings(dynamics=ReactionDiffusion(reset="redraw"), guidance=RULE)
    with pytest.raises(SettingError, match=r"guidance\.selection = 'fittest': must be 'none' where guidance.signal is"):
        ReturnWeighted(signal="constant", selection="fittest")
