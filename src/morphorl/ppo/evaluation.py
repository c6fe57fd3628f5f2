"""Evaluation: whole episodes with trained agents, greedily or with sampled actions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

from morphorl.config import random_streams
from morphorl.environments import registry
from morphorl.environments.base import is_host
from morphorl.ppo import gymnasium_training, rollout, task
from morphorl.ppo.agent import Agent
from morphorl.ppo.settings import Settings, stack


def evaluate_agents(
    settings: list[Settings], arrays: Agent, episodes: int, *, greedy: bool, seed: int = 0
) -> np.ndarray:
    """Play whole episodes with trained agents of one program.

    Returns:
        Episode returns of shape (agents, episodes).
    """
    if is_host(settings[0].environment):
        chosen = (stack(settings), jax.tree.map(jnp.asarray, arrays), settings[0].environment, episodes, seed)
        return gymnasium_training.evaluate(*chosen, greedy=greedy)
    keys = jax.random.split(jax.random.fold_in(jax.random.key(random_streams.EVALUATION), seed), len(settings))
    chosen = (stack(settings), jax.tree.map(jnp.asarray, arrays), keys)
    return np.asarray(_play(*chosen, environment=settings[0].environment, episodes=episodes, greedy=greedy))


@functools.partial(jax.jit, static_argnames=("environment", "episodes", "greedy"))
def _play(
    settings: Settings, agents: Agent, keys: Key[Array, " agents"], *, environment: str, episodes: int, greedy: bool
) -> Float[Array, "agents episodes"]:
    """Whole episodes of each agent; compiled once for all agents of one program."""
    env = registry.make(environment)

    def play(settings: Settings, agent: Agent, key: PRNGKeyArray) -> Float[Array, " episodes"]:
        now, here = task.at(settings, env, agent.performance, 1.0)
        return rollout.evaluate(now, here, agent, key, episodes, greedy=greedy)

    return jax.vmap(play)(settings, agents, keys)
