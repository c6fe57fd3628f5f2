"""The reference in double precision against what it judges, in small pieces."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from morphorl.dynamics.blending import Blend
from morphorl.environments.base import Environment
from morphorl.ppo import learning, losses, numpy_reference, samples
from morphorl.ppo.agent import init_agent
from morphorl.ppo.rollout import Experience
from morphorl.ppo.settings import PPO, Settings

FEATURES, ACTIONS, TIME, ENVS = 3, 4, 40, 2
PLAIN = Settings(ppo=PPO(hidden=(8, 5), num_envs=ENVS, rollout_steps=TIME, minibatches=2, epochs=3))
ENV = Environment("made up", FEATURES, ACTIONS, 1, None, lambda key: None, lambda key, state, action: None)
RNG = np.random.default_rng(0)


def normal(*shape):
    return jnp.array(RNG.normal(size=shape), jnp.float32)


AGENT = init_agent(PLAIN, FEATURES, ACTIONS, jax.random.key(0), jax.random.key(1))
AGENT = dataclasses.replace(AGENT, actor=jax.tree.map(lambda w: w + normal(*w.shape) / 4, AGENT.actor))
ENDS = RNG.choice(3, size=(TIME, ENVS), p=(0.8, 0.1, 0.1))
ROLLOUT = Experience(
    observation=normal(TIME, FEATURES, ENVS),
    final_observation=normal(TIME, FEATURES, ENVS),
    logits=normal(TIME, ACTIONS, ENVS),
    readout=3 * normal(TIME, ACTIONS, ENVS),
    action=jnp.array(RNG.integers(ACTIONS, size=(TIME, ENVS)), jnp.int32),
    reward=normal(TIME, ENVS),
    terminated=jnp.array(ENDS == 1),
    truncated=jnp.array(ENDS == 2),
    episode_return=normal(TIME, ENVS),
    at_bound=jnp.zeros(TIME),
)
LAST = normal(FEATURES, ENVS)


def arrays(network):
    return [np.asarray(a, np.float64) for layer in zip(network.weights, network.biases, strict=True) for a in layer]


def learner(agent=AGENT):
    actor, critic = arrays(agent.actor), arrays(agent.critic)
    none = [np.zeros_like(array) for array in (*actor, *critic)]
    return numpy_reference.Learner(actor, critic, 0, none, none)


BLENDS = {
    "none": Blend("none"),
    "average": Blend("average", weight=0.3),
    "add": Blend("add", weight=0.7),
    "distilled": Blend("average", weight=0.6, distil=0.5),
    "forgetful": Blend("average", weight=0.3, update="network"),
}


@pytest.fixture(params=BLENDS)
def settings(request):
    return dataclasses.replace(PLAIN, blend=BLENDS[request.param])


gradient = jax.jit(jax.grad(losses.ppo_loss))


def close(found, expected):
    scale = np.linalg.norm(expected)
    assert np.linalg.norm(np.asarray(found, np.float64) - expected) <= 3e-6 * scale + 1e-12


def test_samples_are_those_of_the_loss(settings):
    """With ends of both kinds, the value of an observation that was cut off included."""
    found = losses.prepare(settings, ENV, AGENT, ROLLOUT, LAST)
    expected = numpy_reference.prepare(settings, learner(), ROLLOUT, np.asarray(LAST, np.float64))
    assert ROLLOUT.terminated.any()
    assert ROLLOUT.truncated.any()
    for name in numpy_reference.Samples._fields:
        close(getattr(found, name), getattr(expected, name))


def test_the_gradient_is_that_of_the_loss(settings):
    """Where ratios and values lie on both sides of where they are clipped."""
    made = numpy_reference.prepare(settings, learner(), ROLLOUT, np.asarray(LAST, np.float64))
    made = made._replace(value=made.value + 0.4 * RNG.normal(size=made.value.shape))
    single = samples.Samples(*(jnp.asarray(u, jnp.float32 if u.dtype == np.float64 else jnp.int32) for u in made))
    found = gradient(losses.networks_of(AGENT), settings, single)
    expected = numpy_reference.loss_gradient(settings, learner(), made)
    for one, other in zip([*arrays(found.actor), *arrays(found.critic)], expected, strict=True):
        close(one, other)


def test_learning_takes_the_same_steps():
    """Epochs of minibatches, under a norm that clips some gradients, at a rate at which ratios leave 1 ± clip."""
    ppo = dataclasses.replace(PLAIN.ppo, max_gradient_norm=1.5)
    settings = dataclasses.replace(PLAIN, ppo=ppo, blend=Blend("average", weight=0.3))
    made = losses.prepare(settings, ENV, AGENT, ROLLOUT, LAST)
    networks, key = losses.networks_of(AGENT), jax.random.key(2)
    fresh = learning.optimiser(ppo).init(networks)
    learned, _, finite = jax.jit(learning.learn)(settings, networks, fresh, made, 0.01, key)
    double = numpy_reference.Samples(*(np.asarray(u, np.float64 if u.dtype == jnp.float32 else None) for u in made[:6]))
    orders = np.asarray(learning.shuffle(key, ppo.epochs, ppo.batch)).reshape(ppo.epochs * ppo.minibatches, -1)
    expected = numpy_reference.learn(settings, learner(), double, orders, 0.01)
    assert finite
    pairs = zip([*arrays(learned.actor), *arrays(learned.critic)], [*expected.actor, *expected.critic], strict=True)
    for one, other in pairs:
        assert np.linalg.norm(one - other) <= 1e-4 * np.linalg.norm(other)
