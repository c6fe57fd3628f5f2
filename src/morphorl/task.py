"""The task as a run's agent meets it: the environment, with whatever the settings put around it."""

from typing import Any

from morphorl import memory, sticky
from morphorl.envs import Environment, Step
from morphorl.guidance import Guidance
from morphorl.memory import Memory
from morphorl.settings import Settings


def around(settings: Settings, env: Environment) -> Environment:
    """`env` with sticky actions if the control says so, and with the memory of its observations."""
    if settings.control.kind == "sticky":
        env = sticky.make_sticky(env, settings.control.repeat)
    return env if settings.memory.kind == "none" else with_memory(settings.memory, settings.guidance, env)


def with_memory(settings: Memory, guidance: Guidance, env: Environment) -> Environment:
    """`env` showing [observation, features of the past] in place of the observation."""

    def reset(key):
        inner, observation = env.reset(key)
        state = memory.start(settings, observation)
        return (inner, state), memory.show(settings, state, observation)

    def step(key, state: tuple[Any, memory.State], action) -> Step:
        inner, remembered = state
        after = env.step(key, inner, action)
        shown = memory.show(settings, remembered, after.observation)
        remembered = memory.remember(settings, guidance, remembered, after.observation)
        return after._replace(state=(after.state, remembered), observation=shown)

    size = env.num_features + memory.num_features(settings, env.num_features)
    return env._replace(num_features=size, reset=reset, step=step)
