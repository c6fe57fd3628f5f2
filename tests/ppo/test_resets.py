"""Resets: fresh last layers when they are due, and nothing else."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from helpers import compiled
from helpers.probes import CONSTANT_VALUE
from morphorl.ppo.learning import optimiser
from morphorl.ppo.losses import Networks
from morphorl.ppo.networks import init_mlp
from morphorl.ppo.resets import reset_if_due
from morphorl.ppo.settings import PPO, Settings

RESETTING = Settings(steps=768, evaluate_every=0, ppo=PPO(num_envs=4, rollout_steps=32, reset_every=300, hidden=(8,)))
"""Updates of 128 steps end at 128, 256, … 768: a multiple of 300 lies in the third and in the fifth."""


def learned():
    """Networks with biases, and what Adam knows after a step."""
    actor, critic = (init_mlp(jax.random.key(n), (3, 8, 8, out), 1.0, "tanh") for n, out in ((0, 2), (1, 1)))
    networks = jax.tree.map(lambda w: w + 0.5, Networks(actor, critic))
    return networks, optimiser(RESETTING.ppo).update(networks, optimiser(RESETTING.ppo).init(networks))[1]


def parts(networks):
    """The last layers' arrays, and all others."""
    nets = (networks.actor, networks.critic)
    heads = [array for net in nets for array in (net.weights[-1], net.biases[-1])]
    return heads, [array for net in nets for array in (*net.weights[:-1], *net.biases[:-1])]


@pytest.mark.parametrize("index", range(5))
def test_the_last_layers_are_fresh_after_each_multiple_of_the_interval_and_nothing_else_changes(index):
    networks, state = learned()
    after, forgotten = reset_if_due(RESETTING, networks, state, jax.random.key(2), jnp.array(index))
    for was, now in ((networks, after), (state[1].mu, forgotten[1].mu), (state[1].nu, forgotten[1].nu)):
        heads, others = parts(now)
        changed = [bool(np.any(old != new)) for old, new in zip(parts(was)[0], heads, strict=True)]
        assert changed == [index in (2, 4)] * 4
        for old, new in zip(parts(was)[1], others, strict=True):
            assert_array_equal(old, new)
    assert forgotten[1].count == state[1].count


def test_a_fresh_layer_is_drawn_as_at_the_start_and_each_time_anew():
    networks, state = learned()
    first, forgotten = reset_if_due(RESETTING, networks, state, jax.random.key(2), jnp.array(2))
    second, _ = reset_if_due(RESETTING, networks, state, jax.random.key(3), jnp.array(4))
    actor, critic = first.actor.weights[-1], first.critic.weights[-1]
    np.testing.assert_allclose(actor @ actor.T, 0.01**2 * np.eye(2), atol=1e-8)  # orthogonal, of gain .01
    np.testing.assert_allclose(critic @ critic.T, np.eye(1), atol=1e-6)
    assert_array_equal(first.actor.biases[-1], 0)
    for moments in (forgotten[1].mu, forgotten[1].nu):
        assert not any(np.any(array) for array in parts(moments)[0])
    assert np.all(second.actor.weights[-1] != actor)


def test_training_resets_and_leaves_the_last_policy_as_it_was_learned():
    ppo = dataclasses.replace(RESETTING.ppo, reset_every=128, learning_rate=1e-30)
    still = dataclasses.replace(RESETTING, steps=384, ppo=ppo)
    state = compiled.init(still, CONSTANT_VALUE, jnp.array(0), jnp.array(0))
    changed = []
    for index in range(3):
        before = state.agent.actor.weights[-1]
        state = compiled.update(still, CONSTANT_VALUE, state, jnp.array(index))
        changed.append(bool(np.any(before != state.agent.actor.weights[-1])))
    assert changed == [True, True, False]
