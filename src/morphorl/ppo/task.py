"""The task as a run's agent meets it: the environment, with whatever the settings put around it."""

from morphorl.environments.base import Environment
from morphorl.environments.wrappers import make_sticky, with_memory
from morphorl.ppo.settings import Settings


def around(settings: Settings, env: Environment) -> Environment:
    """`env` with sticky actions if the control says so, and with the memory of its observations."""
    if settings.control.kind == "sticky":
        env = make_sticky(env, settings.control.repeat)
    return env if settings.memory.kind == "none" else with_memory(settings.memory, settings.guidance, env)
