"""Worker: agents trained as PureJaxRL trains them (Lu et al., 2022), written after its published description.

The same parts: a flax module that holds both networks, gymnax with the wrapper that logs episodes, distrax for the
actions, values computed while acting, a whole training run as nested scans, `vmap` over agents. The settings are those
of `work.py`. PureJaxRL is a script to be copied, and no package that could be installed.

Usage: purejaxrl_ppo.py AGENTS UPDATES CORES
"""

import sys
from typing import NamedTuple

import distrax
import flax.linen as nn
import gymnax
import jax
import jax.numpy as jnp
import optax
import work
from flax.linen.initializers import constant, orthogonal
from flax.training.train_state import TrainState
from gymnax.wrappers.purerl import FlattenObservationWrapper, LogWrapper


class ActorCritic(nn.Module):
    """Two networks of two hidden layers: the distribution of actions, and the value."""

    actions: int

    @nn.compact
    def __call__(self, x):
        def network(outputs, scale):
            y = x
            for width in work.HIDDEN:
                y = nn.tanh(nn.Dense(width, kernel_init=orthogonal(2**0.5), bias_init=constant(0.0))(y))
            return nn.Dense(outputs, kernel_init=orthogonal(scale), bias_init=constant(0.0))(y)

        return distrax.Categorical(logits=network(self.actions, 0.01)), network(1, 1.0)[..., 0]


class Transition(NamedTuple):
    """What is kept of a step."""

    done: jax.Array
    action: jax.Array
    value: jax.Array
    reward: jax.Array
    log_prob: jax.Array
    observation: jax.Array
    info: dict


def loss_of(params, apply, batch, advantage, target):
    """The clipped surrogate, the clipped value loss and the entropy bonus."""
    policy, value = apply(params, batch.observation)
    bounded = batch.value + (value - batch.value).clip(-work.CLIP, work.CLIP)
    value_loss = 0.5 * jnp.maximum((value - target) ** 2, (bounded - target) ** 2).mean()
    ratio = jnp.exp(policy.log_prob(batch.action) - batch.log_prob)
    normalised = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    surrogate = jnp.minimum(ratio * normalised, ratio.clip(1 - work.CLIP, 1 + work.CLIP) * normalised).mean()
    return work.VALUE_COEFFICIENT * value_loss - surrogate - work.ENTROPY_COEFFICIENT * policy.entropy().mean()


def train_one(updates, env, params, key):
    """One agent's training from beginning to end."""
    network = ActorCritic(env.action_space(params).n)
    key, key_network, key_reset = jax.random.split(key, 3)
    weights = network.init(key_network, jnp.zeros(env.observation_space(params).shape))
    adam = optax.chain(optax.clip_by_global_norm(work.MAX_GRADIENT_NORM), optax.adam(work.LEARNING_RATE, eps=1e-5))
    learner = TrainState.create(apply_fn=network.apply, params=weights, tx=adam)
    observation, state = jax.vmap(env.reset, in_axes=(0, None))(jax.random.split(key_reset, work.NUM_ENVS), params)

    def act(carry, _):
        learner, state, observation, key = carry
        key, key_action, key_step = jax.random.split(key, 3)
        policy, value = network.apply(learner.params, observation)
        action = policy.sample(seed=key_action)
        keys = jax.random.split(key_step, work.NUM_ENVS)
        following, state, reward, done, info = jax.vmap(env.step, in_axes=(0, 0, 0, None))(keys, state, action, params)
        kept = Transition(done, action, value, reward, policy.log_prob(action), observation, info)
        return (learner, state, following, key), kept

    def back(carry, step):
        advantage, following = carry
        delta = step.reward + work.DISCOUNT * following * (1 - step.done) - step.value
        advantage = delta + work.DISCOUNT * work.GAE_LAMBDA * (1 - step.done) * advantage
        return (advantage, step.value), advantage

    def minibatch(learner, batch):
        gradient = jax.grad(loss_of)(learner.params, network.apply, *batch)
        return learner.apply_gradients(grads=gradient), None

    def epoch(carry, _):
        learner, batch, key = carry
        key, key_order = jax.random.split(key)
        order = jax.random.permutation(key_order, work.BATCH)
        parts = jax.tree.map(
            lambda u: jnp.take(u.reshape(work.BATCH, *u.shape[2:]), order, axis=0).reshape(
                work.MINIBATCHES, -1, *u.shape[2:]
            ),
            batch,
        )
        return (jax.lax.scan(minibatch, learner, parts)[0], batch, key), None

    def update(carry, _):
        (learner, state, observation, key), steps = jax.lax.scan(act, carry, None, work.ROLLOUT_STEPS)
        last = network.apply(learner.params, observation)[1]
        _, advantage = jax.lax.scan(back, (jnp.zeros_like(last), last), steps, reverse=True, unroll=16)
        batch = steps, advantage, advantage + steps.value
        learner, _, key = jax.lax.scan(epoch, (learner, batch, key), None, work.EPOCHS)[0]
        return (learner, state, observation, key), steps.info

    (learner, *_), info = jax.lax.scan(update, (learner, state, observation, key), None, updates)
    return learner.params, info["returned_episode_returns"]


def main(agents: int, updates: int, cores: int) -> None:
    """Train `agents` agents for `updates` updates, whenever told."""
    jax.config.update("jax_num_cpu_devices", cores)
    env, params = gymnax.make("CartPole-v1")
    env = LogWrapper(FlattenObservationWrapper(env))
    train = jax.vmap(lambda key: train_one(updates, env, params, key))
    keys = jax.random.split(jax.random.key(0), agents)
    if cores > 1:
        train, keys = jax.pmap(train), keys.reshape(cores, agents // cores)
    else:
        train = jax.jit(train)

    def repeat() -> float:
        _, returns = jax.block_until_ready(train(keys))
        print(f"mean return of the last update {returns[..., -1, :, :].mean():.0f}")
        return agents * updates * work.BATCH

    work.serve(repeat)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
