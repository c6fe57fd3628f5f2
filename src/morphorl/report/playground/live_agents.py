"""Agents as the playground plays them: networks, cell and memory as plain values, ready for JSON."""

import base64

import jax
import numpy as np
from jaxtyping import Array, Float

from morphorl.config.kinds import is_foreign
from morphorl.config.plain import to_dict
from morphorl.dynamics import learned_parameters
from morphorl.dynamics.guidance.base import Guidance
from morphorl.environments.base import CARTPOLES
from morphorl.ppo.agent import Agent, Statistics, variance_of
from morphorl.ppo.networks import MLP
from morphorl.ppo.schedules import scheduled
from morphorl.ppo.settings import Settings
from morphorl.report.html_data import Plain

MEMORIES = ("none", "leaky_integrators")
"""Memories that the page computes."""


def why_not(settings: Settings) -> str | None:
    """Why the page cannot compute what such an agent does, as the end of a sentence; None if it can."""
    if settings.environment not in CARTPOLES:
        return f"its environment is {settings.environment}"
    if settings.ppo.network != "mlp":
        return f"its network is {settings.ppo.network}"
    if settings.blend.kind != "none" and settings.dynamics.kind != "reaction_diffusion":
        return f"its dynamics are {settings.dynamics.kind}"
    if settings.memory.kind not in MEMORIES:
        return f"its memory is {settings.memory.kind}"
    if is_foreign(settings.guidance.kind):
        return f"its guidance is {settings.guidance.kind}"
    return "its task is sticky" if settings.task.sticky else None


def is_finite(agent: Agent) -> bool:
    """Whether no value by which an agent acts is NaN or infinite; it is of NumPy arrays."""
    acting = (agent.actor, agent.pattern, agent.statistics, agent.core, agent.learned)
    return all(np.isfinite(values).all() for values in jax.tree.leaves(acting))


def live(settings: Settings, agent: Agent, progress: float) -> Plain:
    """An agent that `why_not` lets pass.

    Guidance that knows the reward has none to know here, and so does nothing: its strength is 0. So is that of none.

    Args:
        agent: a single one, of NumPy arrays.
        progress: the share of the training that was over.
    """
    now = scheduled(learned_parameters.effective(settings, agent.learned), agent.performance, progress)
    blended = settings.blend.kind != "none"
    cell = _numbers(to_dict(now.dynamics)) if blended else None
    pattern = {name: packed(getattr(agent.pattern, name)) for name in ("activator", "inhibitor")} if blended else None
    return {
        "environment": settings.environment,
        "activation": agent.actor.activation,
        "layers": layers(agent.actor),
        "skip": None if agent.actor.skip is None else packed(agent.actor.skip),
        "statistics": _standard(agent.statistics) if settings.ppo.normalise_observations else None,
        "cellScale": _root_mean_square(agent.statistics) if blended and settings.dynamics.normalise else None,
        "cell": cell,
        "pattern": pattern,
        "blend": str(settings.blend.kind),
        "weight": float(now.blend.weight),
        "strength": float(now.guidance.strength) if _guides(settings.guidance) else 0.0,
        "memory": None if settings.memory.kind == "none" else _numbers(to_dict(now.memory)),
    }


def _guides(guidance: Guidance) -> bool:
    """Whether a rule does anything in an episode that is not learned from: it knows no reward there."""
    return guidance.kind != "none" and not guidance.knows_reward


def layers(network: MLP) -> list[Plain]:
    """Weights and biases, layer by layer."""
    pairs = zip(network.weights, network.biases, strict=True)
    return [{"weight": packed(weight), "bias": packed(bias)} for weight, bias in pairs]


def packed(array: Float[np.ndarray | Array, "..."]) -> str:
    """An array row by row in single precision (little-endian), as base64."""
    return base64.b64encode(np.asarray(array, "<f4").tobytes()).decode()


def _standard(statistics: Statistics) -> dict[str, list[float]]:
    """Mean and deviation as `agent.network_view` uses them."""
    deviation = np.sqrt(np.asarray(variance_of(statistics)) + np.float32(1e-8))
    return {"mean": np.asarray(statistics.mean, float).tolist(), "deviation": deviation.astype(float).tolist()}


def _root_mean_square(statistics: Statistics) -> list[float]:
    """What `agent.dynamics_view` divides by."""
    mean = np.asarray(statistics.mean)
    return np.sqrt(np.asarray(variance_of(statistics)) + mean**2 + np.float32(1e-8)).astype(float).tolist()


def _numbers(values: Plain) -> Plain:
    """Plain values that JSON holds: a bound of infinity becomes one that no float reaches."""
    return {name: _number(value) for name, value in values.items()}


def _number(value: object) -> object:
    if isinstance(value, str | bool | int):
        return value
    return float(np.clip(np.asarray(value, float), -1e300, 1e300))


def single(agents: Agent, i: int) -> Agent:
    """One of a batch of agents."""
    return jax.tree.map(lambda u: np.asarray(u)[i], agents)
