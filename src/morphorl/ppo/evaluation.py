"""Evaluation: whole episodes with trained agents, greedily or with sampled actions."""

import dataclasses
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
from morphorl.ppo.schedules import scheduled
from morphorl.ppo.settings import Settings, stack


def evaluate(
    agents: Agents, episodes: int = 100, *, greedy: bool = True, seed: int = 0, environment: str | None = None
) -> np.ndarray:
    """Play whole episodes with trained agents, whose settings differ at most in numbers.

    Args:
        agents: from `train` or `load_agents`.
        episodes: how many each of them plays.
        greedy: whether to take the most probable action, or to sample actions as in training.
        seed: decides the episodes.
        environment: where to play, if not where they were trained: a memory trained in `TMaze-10` can be tested in
            `TMaze-100`.

    Returns:
        Episode returns of shape (agents, episodes).

    Raises:
        SettingError: for less than one episode, or an environment that shows other numbers or takes other actions.

    Example:
        >>> evaluate(trained.agents).mean(axis=1)
    """
    if not COUNT.holds(episodes):
        raise SettingError(f"episodes = {episodes}: must be {COUNT.words}.")
    settings = agents.settings if environment is None else [moved(one, environment) for one in agents.settings]
    return evaluate_agents(settings, agents.arrays, episodes, greedy=greedy, seed=seed)


def moved(settings: Settings, environment: str) -> Settings:
    """The settings of a run as if its environment were another one.

    Raises:
        SettingError: for one that does not exist, or that shows other numbers or takes other actions.
    """
    there = dataclasses.replace(settings, environment=environment)
    if not fits(settings.environment, environment):
        has, needs = (
            f"{features} features and {actions} {kind} actions"
            for features, actions, kind in map(_sizes, (environment, settings.environment))
        )
        raise SettingError(
            f"environment = {environment!r}: has {has}; must have {needs}, as {settings.environment} has, in which "
            "the agents were trained."
        )
    return there


def fits(trained_in: str, environment: str) -> bool:
    """Whether agents of one environment can act in another: it shows as many numbers, and takes the same actions."""
    return _sizes(trained_in) == _sizes(environment)


def _sizes(environment: str) -> tuple[int, int, str]:
    env = registry.make_env(environment)
    return env.num_features, env.num_actions, "continuous" if env.continuous else "discrete"


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
        agents = jax.tree.map(jnp.asarray, arrays)
        now = jax.vmap(scheduled, in_axes=(0, 0, None))(stack(settings), agents.performance, 1.0)
        return gymnasium_training.evaluate(now, agents, settings[0].environment, episodes, seed, greedy=greedy)
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
