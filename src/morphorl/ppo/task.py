"""The task as a run's agent meets it: the environment, with whatever the settings put around it."""

from morphorl.environments import wrappers
from morphorl.environments.base import Environment
from morphorl.ppo.settings import Settings


def around(settings: Settings, env: Environment) -> Environment:
    """`env` with sticky actions if the task says so, and with the memory of its observations."""
    return wrappers.around(settings.task, settings.memory, settings.guidance, env)
