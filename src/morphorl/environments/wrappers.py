"""Around an environment in JAX: noise on what it shows, sticky actions, and the memory of what it has shown."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from morphorl.config.fields import FRACTION, check, setting
from morphorl.dynamics.base import Dynamics, Shape, call
from morphorl.dynamics.guidance.base import Guidance
from morphorl.environments.base import Action, Environment, Step

MEMORY_KEY = 0
"""Decides what a memory draws once and for all: the same in all runs, so that no luck of wiring enters."""


class Task(eqx.Module):
    """What of the task itself differs from the environment of that name."""

    sticky: bool = setting(False, static=True)
    """Whether the environment sometimes repeats the previous action instead of the one chosen."""
    repeat: float = setting(0.25, FRACTION)
    """Probability with which a sticky environment does so (Machado et al., 2018, use 0.25)."""

    def __check_init__(self) -> None:
        check(self, "task")


def with_noise(env: Environment, deviation: Float[np.ndarray, " features"]) -> Environment:
    """`env` seen through normal noise of the given standard deviations, fresh at every observation."""

    def noisy(key, observation):
        return observation + jnp.asarray(deviation, jnp.float32) * jax.random.normal(key, observation.shape)

    def reset(key):
        key_reset, key_noise = jax.random.split(key)
        state, observation = env.reset(key_reset)
        return state, noisy(key_noise, observation)

    def step(key, state, action):
        key_step, key_noise = jax.random.split(key)
        after = env.step(key_step, state, action)
        return after._replace(observation=noisy(key_noise, after.observation))

    return env._replace(reset=reset, step=step)


def make_sticky(env: Environment, repeat: float | Float[Array, ""]) -> Environment:
    """`env`, executing the previously *executed* action again with probability `repeat`.

    Stickiness is a part of the environment: the agent does not know which action was executed, and its update sees the
    action that it chose with that action's own probability, so that PPO's gradient is unbiased. An episode's first
    action is always the one chosen. Evaluation meets the same environment as training.

    Source: Machado et al., "Revisiting the Arcade Learning Environment", 2018, section 5.
    """

    def reset(key):
        state, observation = env.reset(key)
        none_yet = jnp.zeros(env.num_actions) if env.continuous else jnp.array(0, jnp.int32)
        return (state, none_yet, jnp.array(False)), observation

    def step(key, state: tuple[PyTree, Action, Array], action) -> Step:
        inner, previous, begun = state
        key_step, key_repeat = jax.random.split(key)
        again = jax.random.bernoulli(key_repeat, repeat) & begun
        executed = jnp.where(again, previous, action.astype(previous.dtype))
        after = env.step(key_step, inner, executed)
        return after._replace(state=(after.state, executed, jnp.array(True)))

    return env._replace(reset=reset, step=step)


def with_squash(env: Environment) -> Environment:
    """`env`, whose continuous actions tanh squashes into their range, in place of clipping them at its ends."""
    return env._replace(step=lambda key, state, action: env.step(key, state, jnp.tanh(action)))


class Memory(NamedTuple):
    """A system that serves as memory, as functions of one environment's observations alone.

    The networks see what `show` gives: an observation together with what the system holds of those before it.
    """

    system: Dynamics
    guidance: Guidance
    constants: PyTree
    drawn: PyTree
    """The state before an episode's first observation."""

    def start(self, observation: Float[Array, " features"]) -> PyTree:
        """The state after an episode's first observation."""
        return call(self.system.start, self._offered, self.drawn, observation, self.guidance)

    def step(self, state: PyTree, observation: Float[Array, " features"]) -> PyTree:
        """The state after one more observation."""
        return call(self.system.step, self._offered, state, observation, self.guidance)

    def show(self, state: PyTree, observation: Float[Array, " features"]) -> Float[Array, " shown"]:
        """What the networks see of an observation and the state before it."""
        return call(self.system.show, self._offered, state, observation)

    @property
    def _offered(self) -> dict[str, PyTree]:
        return {"constants": self.constants}


def memory_of(system: Dynamics, guidance: Guidance, shape: Shape) -> Memory:
    """A system as the memory of observations of so many features (and actions).

    What it draws (a reservoir's weights, a start) is drawn once for all runs: seeds of a study do not differ in it.
    """
    key = jax.random.key(MEMORY_KEY)
    return Memory(system, guidance, system.constants(key, shape), system.init(key, shape))


def num_shown(memory: Memory, features: int) -> int:
    """How many numbers the networks see."""
    observation = jax.ShapeDtypeStruct((features,), jnp.float32)
    return jax.eval_shape(lambda x: memory.show(memory.start(x), x), observation).size


def with_memory(system: Dynamics, guidance: Guidance, env: Environment) -> Environment:
    """`env` showing what a memory makes of its observations in place of them.

    A memory depends on the observations alone. So it may be a part of the environment, and PPO learns from what it
    shows as from any observation, without backpropagation through time; every value, also that of the observation
    which a truncation cut off, is one of the right history.
    """
    memory = memory_of(system, guidance, (env.num_features, env.num_actions))

    def reset(key):
        inner, observation = env.reset(key)
        state = memory.start(observation)
        return (inner, state), memory.show(state, observation)

    def step(key, state: tuple[PyTree, PyTree], action) -> Step:
        inner, remembered = state
        after = env.step(key, inner, action)
        shown = memory.show(remembered, after.observation)
        return after._replace(state=(after.state, memory.step(remembered, after.observation)), observation=shown)

    return env._replace(num_features=num_shown(memory, env.num_features), reset=reset, step=step)


def around(task: Task, memory: Dynamics, guidance: Guidance, env: Environment) -> Environment:
    """`env` as the agent meets it."""
    if task.sticky:
        env = make_sticky(env, task.repeat)
    return env if memory.kind == "none" else with_memory(memory, guidance, env)
