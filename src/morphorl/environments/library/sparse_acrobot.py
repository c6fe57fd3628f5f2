"""Acrobot that pays at its goal alone."""

import jax.numpy as jnp
from gymnax.environments.classic_control.acrobot import Acrobot

from morphorl.environments.base import Environment
from morphorl.environments.from_gymnax import from_gymnax

ID = "SparseAcrobot-v1"
IDS = (ID,)
THRESHOLD = 0.9


class SparseAcrobot(Acrobot):
    """Acrobot that pays +1 when its tip is high enough and nothing before: nothing to learn from until it happens."""

    def step_env(self, key, state, action, params):
        observation, state, _, terminated, info = super().step_env(key, state, action, params)
        return observation, state, self.is_terminated(state, params).astype(jnp.float32), terminated, info


def make(env_id: str) -> Environment | None:
    """`SparseAcrobot-v1`: gymnax's Acrobot, 500 steps at most, +1 at the goal. Solved from .9 of the episodes."""
    return from_gymnax(ID, SparseAcrobot(), SparseAcrobot().default_params, THRESHOLD) if env_id == ID else None
