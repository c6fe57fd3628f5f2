"""MountainCar that pays at the goal alone, and with its velocity hidden."""

import jax.numpy as jnp
from gymnax.environments import spaces
from gymnax.environments.classic_control.mountain_car import MountainCar


class SparseMountainCar(MountainCar):
    """MountainCar that pays +1 at the goal and nothing before: nothing to learn from until it is found by chance."""

    def step_env(self, key, state, action, params):
        observation, state, _, terminated, info = super().step_env(key, state, action, params)
        return observation, state, self.is_terminated(state, params).astype(jnp.float32), terminated, info


class StatelessSparseMountainCar(SparseMountainCar):
    """The same with its velocity hidden: a force that depends on the position alone adds no energy to the car."""

    def get_obs(self, state, params=None, key=None):
        return jnp.array([state.position])

    def observation_space(self, params):
        return spaces.Box(jnp.array([params.min_position]), jnp.array([params.max_position]), (1,), dtype=jnp.float32)
