"""Evaluation: whole episodes with trained agents, greedily or with sampled actions."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray

from morphorl.config import random_streams
from morphorl.config.devices import refuse_after_fork
from morphorl.config.errors import SettingError
from morphorl.config.fields import COUNT
from morphorl.environments import registry
from morphorl.environments.base import is_host
from morphorl.ppo import gymnasium_training, rollout, task
from morphorl.ppo.agent import Agent
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.settings import Settings, stack


def evaluate(agents: Agents, episodes: int = 100, *, greedy: bool = True, seed: int = 0) -> np.ndarray:
    """Play whole episodes with trained agents, whose settings differ at most in numbers.

    Args:
        agents: from `train` or `load_agents`.
        episodes: how many each of them plays.
        greedy: whether to take the most probable action, or to sample actions as in training.
        seed: decides the episodes.

    Returns:
        Episode returns of shape (agents, episodes).

    Raises:
        SettingError: for less than one episode.

    Example:
        >>> evaluate(trained.agents).mean(axis=1)
    """
    if not COUNT.holds(episodes):
        raise SettingError(f"episodes = {episodes}: must be {COUNT.words}.")
    return evaluate_agents(agents.settings, agents.arrays, episodes, greedy=greedy, seed=seed)


def evaluate_agents(
    settings: list[Settings], arrays: Agent, episodes: int, *, greedy: bool, seed: int = 0
) -> np.ndarray:
    """Play whole episodes with trained agents of one program.

    Returns:
        Episode returns of shape (agents, episodes).

    Raises:
        SettingError: in a process that was forked after JAX had started, where it would wait for ever.
    """
    refuse_after_fork()
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
    env = registry.make_env(environment)

    def play(settings: Settings, agent: Agent, key: PRNGKeyArray) -> Float[Array, " episodes"]:
        now, here = task.at(settings, env, agent.performance, 1.0)
        return rollout.evaluate(now, here, agent, key, episodes, greedy=greedy)

    return jax.vmap(play)(settings, agents, keys)
