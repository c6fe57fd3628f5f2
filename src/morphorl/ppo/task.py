"""The environment and the settings as they are at a moment of training."""

from jaxtyping import Array, Float

from morphorl.dynamics.guidance.base import Performance
from morphorl.environments import wrappers
from morphorl.environments.base import Environment
from morphorl.ppo.schedules import scheduled
from morphorl.ppo.settings import Settings


def around(settings: Settings, env: Environment) -> Environment:
    """`env` as the agent meets it under the settings of a run, whose numbers are as given (for sizes and shapes)."""
    env = wrappers.with_squash(env) if settings.ppo.squash and env.continuous else env
    return wrappers.around(settings.task, settings.memory, settings.guidance, env)


def at(
    settings: Settings, env: Environment, performance: Performance | None, progress: float | Float[Array, ""]
) -> tuple[Settings, Environment]:
    """The settings as they are now (`schedules.scheduled`), and `env` as it is now (`Environment.at`) and as the agent
    meets it under them.

    Args:
        performance: how the run is doing, where the guidance wants to know.
        progress: the share of the training that is over.
    """
    now = scheduled(settings, performance, progress)
    return now, around(now, env if env.at is None else env.at(progress))
