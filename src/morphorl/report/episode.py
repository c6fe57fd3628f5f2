"""Watching one agent: whole episodes, step by step, with the environment's own pictures beside what the cell does."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from morphorl.environments.gymnasium_wrappers import CellObservation
from morphorl.environments.jax_to_gymnasium import executed, single
from morphorl.ppo import companion, distributions
from morphorl.ppo.agent import policy_step, spread
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.schedules import scheduled
from morphorl.report import replay

MOST_STEPS = 2_000
"""Steps of an episode that are kept."""


class Look(NamedTuple):
    """One step: what the agent saw, thought and did, and the picture before it did (height, width, RGB), if any."""

    observation: np.ndarray
    states: dict[str, np.ndarray]
    """Of the cell (or control), as `replay.matrices` gives them."""
    network: np.ndarray
    readout: np.ndarray
    blended: np.ndarray
    action: np.ndarray
    reward: float
    picture: np.ndarray | None


def episode(agent: Agents, seed: int, *, pictures: bool, greedy: bool = False) -> Iterator[Look]:
    """Play one episode with the only agent of a batch, actions sampled as in training unless `greedy`."""
    settings = agent.settings[0]
    single_agent = jax.tree.map(lambda u: jnp.asarray(u)[0], agent.arrays)
    settings = scheduled(settings, single_agent.performance, 1.0)
    env = single(settings.environment, pictures=pictures)
    actions = single_agent.actor.biases[-1].size
    shown = env if settings.memory.kind == "none" else CellObservation(env, settings.memory, guidance=settings.guidance)

    @jax.jit
    def act(cells, observation, memory, key):
        key_action, key_control = jax.random.split(key)
        chance = companion.draw_chance(settings, key_control, (), actions, 1)
        cells, output = policy_step(settings, single_agent, cells, observation[:, None], memory, chance)
        drawn = distributions.sample(key_action, output.blended, single_agent.log_deviation)
        best = distributions.best(output.blended, single_agent.log_deviation)
        return cells, output, (best if greedy else drawn)[..., 0]

    cells = spread(single_agent.pattern, 1)
    memory = None if single_agent.core is None else jnp.zeros((single_agent.core.hidden_size, 1))
    observation, _ = shown.reset(seed=seed)
    for time in range(MOST_STEPS):
        cells, output, action = act(
            cells, np.asarray(observation), memory, jax.random.fold_in(jax.random.key(seed), time)
        )
        memory = output.memory
        picture: Any = env.render() if pictures and env.render_mode == "rgb_array" else None
        after, reward, terminated, truncated, _ = shown.step(executed(env, np.asarray(action)))
        network, readout, blended = (np.asarray(u)[:, 0] for u in (output.logits, output.readout, output.blended))
        states = {} if settings.blend.kind == "none" else jax.tree.map(np.asarray, replay.matrices(cells, actions))
        yield Look(observation, states, network, readout, blended, np.asarray(action), float(reward), picture)
        observation = after
        if terminated or truncated:
            break
    env.close()
