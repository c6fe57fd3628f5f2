"""A run's first rollout, and what a memory shows in an episode."""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.environments import registry
from morphorl.environments.wrappers import memory_of
from morphorl.ppo import losses, rollout, rollout_randomness, task, training
from morphorl.ppo.settings import PPO, Settings

SMALL = PPO(num_envs=4, rollout_steps=64, minibatches=2, hidden=(8,))


class Acted(NamedTuple):
    """A fresh run, the chance of its first rollout, and what it saw in it."""

    settings: Settings
    env: Any
    state: Any
    randomness: Any
    seen: Any

    @property
    def done(self):
        """Where an episode ended, (time, envs)."""
        return np.asarray(self.seen.terminated | self.seen.truncated)

    def answers(self):
        """Which state each step acts from, (time, …, envs), where nothing but a fresh draw moves it; and after which
        steps one was drawn."""
        start, drawn = (np.asarray(jax.tree.leaves(u)[0]) for u in (self.state.agent.pattern, self.randomness.pattern))
        again = self.done | np.asarray(self.randomness.redrawn)
        now, states = np.broadcast_to(start[..., None], drawn[0].shape), []
        for fresh, new in zip(drawn, again, strict=True):
            states.append(now)
            now = np.where(new, fresh, now)
        return np.stack(states), again

    def ratios(self):
        """The probability ratios of the first minibatch, with the post's blend."""
        samples = losses.prepare(self.settings, self.env, self.state.agent, self.seen, self.seen.observation[-1])
        logits = 0.3 * samples.readout + 0.7 * self.state.agent.actor(samples.observation)
        log_prob = jax.nn.log_softmax(logits, axis=0)[samples.action, jnp.arange(samples.action.size)]
        return jnp.exp(log_prob - samples.log_prob)


def small(**changes):
    """The settings of a short run."""
    return Settings(**{"steps": 512, "evaluate_every": 0, "ppo": SMALL} | changes)


def act(env=None, **changes):
    """Act for one rollout with the settings that differ from `small`."""
    settings, bare = small(**changes), env or registry.make_env(changes.get("environment", "CartPole-v1"))
    return Acted(settings, task.around(settings, bare), *first_rollout(settings, bare, jax.random.key(5)))


@functools.partial(jax.jit, static_argnums=1)
def first_rollout(settings, env, key):
    """A fresh run of seed 0, the chance of its first rollout, and what it saw; one program for all numbers."""
    state = training.init(settings, env, jnp.array(0), jnp.array(0))
    around = task.around(settings, env)
    randomness = rollout_randomness.draw(settings, around, key)
    return state, randomness, rollout.collect(settings, around, state.agent, state.rollout_state, randomness)[1]


def remembered(system, observations):
    """What the networks see of an episode with these observations, where a system serves as memory."""
    memory = memory_of(system, NoGuidance(), (observations.shape[1], 2))

    def step(state, observation):
        return memory.step(state, observation), memory.show(state, observation)

    @jax.jit
    def run(observations):
        state = memory.start(observations[0])
        first = memory.show(state, observations[0])
        return jnp.concatenate([first[None], jax.lax.scan(step, state, observations[1:])[1]])

    return np.asarray(run(jnp.asarray(observations)))
