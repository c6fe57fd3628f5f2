"""Watching one agent: whole episodes, step by step, with the environment's own pictures beside what the dynamics do."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.blind import Blind
from morphorl.environments.gymnasium_wrappers import CellObservation
from morphorl.environments.jax_to_gymnasium import executed, single
from morphorl.ppo.agent import spread
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.rollout import decide
from morphorl.ppo.schedules import scheduled

MOST_STEPS = 2_000
"""Steps of an episode that are kept."""


class Look(NamedTuple):
    """One step: what the agent saw, thought and did, and the picture before it did (height, width, RGB), if any."""

    observation: np.ndarray
    states: dict[str, np.ndarray]
    """Of the dynamics, as `Dynamics.picture` gives them."""
    network: np.ndarray
    readout: np.ndarray
    blended: np.ndarray
    action: np.ndarray
    reward: float
    picture: np.ndarray | None


_decide = jax.jit(decide)
"""Compiled once for all episodes of an agent, and for all agents of its kind."""


def _without_reward(guidance: Guidance) -> Guidance:
    """A rule as it acts on a memory in an episode that is not learned from: blindly.

    What a strength makes of the returns (`adaptive`) is in the scheduled strength already. A rule that knows the reward
    within a rollout may not stand beside a memory that is guided (`compatibility.py`), and so does nothing there.
    """
    return Blind(strength=float(guidance.strength)) if guidance.needs else guidance


def episode(agent: Agents, seed: int, *, pictures: bool, greedy: bool = False) -> Iterator[Look]:
    """Play one episode with the only agent of a batch, actions sampled as in training unless `greedy`."""
    settings = agent.settings[0]
    single_agent = jax.tree.map(lambda u: jnp.asarray(u)[0], agent.arrays)
    settings = scheduled(settings, single_agent.performance, 1.0)
    env = single(settings.environment, pictures=pictures)
    shown = env
    if settings.memory.kind != "none":
        shown = CellObservation(env, settings.memory, append="memory", guidance=_without_reward(settings.guidance))
    cells = spread(single_agent.pattern, 1)
    memory = None if single_agent.core is None else jnp.zeros((single_agent.core.hidden_size, 1))
    observation, _ = shown.reset(seed=seed)
    for time in range(MOST_STEPS):
        key = jax.random.fold_in(jax.random.key(seed), time)
        seen = np.asarray(observation)[:, None]
        cells, output, action = _decide(settings, single_agent, cells, seen, memory, key, greedy)
        memory = output.memory
        picture: Any = env.render() if pictures and env.render_mode == "rgb_array" else None
        taken = executed(env, np.asarray(action)[..., 0], squash=settings.ppo.squash)
        after, reward, terminated, truncated, _ = shown.step(taken)
        network, readout, blended = (np.asarray(u)[:, 0] for u in (output.logits, output.readout, output.blended))
        alone = jax.tree.map(lambda u: u[..., 0], cells)
        pictures_of = {} if settings.blend.kind == "none" else settings.dynamics.picture(alone)
        states = jax.tree.map(np.asarray, pictures_of)
        yield Look(observation, states, network, readout, blended, np.asarray(action)[..., 0], float(reward), picture)
        observation = after
        if terminated or truncated:
            break
    env.close()
