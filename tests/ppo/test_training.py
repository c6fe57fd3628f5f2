from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest

from helpers import compiled
from helpers.probes import ACTION_DEPENDENT_REWARD, CONSTANT_VALUE, DISCOUNTING, MEMORY, OBSERVATION_DEPENDENT_ACTION
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import PPO, Settings

QUICK = PPO(learning_rate=5e-3, num_envs=16, rollout_steps=16, hidden=(32,), entropy_coefficient=0.0)
PLAIN = Settings(steps=8_000, evaluate_every=0, ppo=QUICK, blend=Blend(kind="none"))


def trained(env, settings=PLAIN):
    return compiled.train(settings, env, 0).agent


def mean_return(env, settings=PLAIN):
    agent = trained(env, settings)
    return compiled.evaluate(settings, env, agent, jax.random.key(1), 200, greedy=True).mean()


def test_value_of_a_constant_reward_is_that_reward():
    assert trained(CONSTANT_VALUE).critic(jnp.zeros((1, 1)))[0, 0] == pytest.approx(1.0, abs=0.05)


def test_value_one_step_before_the_reward_is_discounted_once():
    value = trained(DISCOUNTING).critic(jnp.array([[0.0, 1.0]]))[0]
    assert value[1] == pytest.approx(1.0, abs=0.05)
    assert value[0] == pytest.approx(QUICK.discount, abs=0.05)


def test_discount_of_a_half_halves_that_value():
    half = Settings(
        steps=8_000, evaluate_every=0, ppo=PPO(**(vars(QUICK) | {"discount": 0.5})), blend=Blend(kind="none")
    )
    assert trained(DISCOUNTING, half).critic(jnp.zeros((1, 1)))[0, 0] == pytest.approx(0.5, abs=0.05)


def test_action_follows_the_observation():
    assert mean_return(OBSERVATION_DEPENDENT_ACTION) == 1.0


def test_better_action_is_found_without_any_observation():
    assert mean_return(ACTION_DEPENDENT_REWARD) == 1.0


def test_memory_is_beyond_plain_ppo_and_within_reach_of_a_driven_cell():
    # The cue feeds the activator, which outlives it; softmax emphasis reads the one row even where nothing shows.
    cell = ReactionDiffusion(drive=1.0, initial_scale=0.0, emphasis="softmax")
    driven = replace(PLAIN, dynamics=cell, blend=Blend(kind="add", weight=10.0))
    assert abs(mean_return(MEMORY)) < 0.25
    assert mean_return(MEMORY, driven) > 0.95
