"""Probe environments: each can be solved by one ability alone, and its exact values are known."""

import jax
import jax.numpy as jnp

from morphorl.environments.base import Environment, Step


def probe(name, features, length, observe, reward, actions=2):
    """An environment of `length` steps whose state is (time, cue), the cue a fair coin ±1 drawn at reset."""

    def reset(key):
        state = (jnp.array(0), jax.random.rademacher(key, (), jnp.float32))
        return state, observe(*state)

    def step(key, state, action):
        time, cue = state
        after = (time + 1, cue)
        return Step(after, observe(*after), reward(time, cue, action), time + 1 >= length, jnp.array(False))

    return Environment(name, features, actions, length + 1, None, reset, step)


def agrees(cue, action):
    """+1 if action 0 answers a cue of +1 and action 1 a cue of −1, else −1."""
    return jnp.where((action == 0) == (cue > 0), 1.0, -1.0)


CONSTANT_VALUE = probe("constant value", 1, 1, lambda t, c: jnp.zeros(1), lambda t, c, a: jnp.array(1.0))
DISCOUNTING = probe("discounting", 1, 2, lambda t, c: jnp.float32(t)[None], lambda t, c, a: jnp.float32(t == 1))
OBSERVATION_DEPENDENT_ACTION = probe(
    "observation-dependent action", 1, 1, lambda t, c: c[None], lambda t, c, a: agrees(c, a)
)
ACTION_DEPENDENT_REWARD = probe(
    "action-dependent reward", 1, 1, lambda t, c: jnp.zeros(1), lambda t, c, a: jnp.where(a == 1, 1.0, -1.0)
)
MEMORY = probe(
    "memory: the cue shows at time 0, the answer counts at time 3",
    1,
    4,
    lambda t, c: jnp.where(t == 0, c, 0.0)[None],
    lambda t, c, a: jnp.where(t == 3, agrees(c, a), 0.0),
)
