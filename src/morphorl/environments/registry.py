"""The registry of environments: ours, gymnax's and Gymnasium's, by their ids."""

import functools
from typing import Any

import jax
import jax.numpy as jnp

from morphorl.config.errors import SettingError, did_you_mean
from morphorl.environments import cartpole
from morphorl.environments.base import Environment, Step, is_host
from morphorl.environments.cartpole import LIMITS
from morphorl.environments.wrappers import with_noise

MOUNTAIN_CARS = {
    "SparseMountainCar-v0": "SparseMountainCar",
    "StatelessSparseMountainCar-v0": "StatelessSparseMountainCar",
}
"""Our classes in `mountain_car.py`, after gymnax's."""
OURS = [*cartpole.OBSERVATIONS, *MOUNTAIN_CARS]
"""The ids of environments in JAX that are not gymnax's."""
NOISE = {"NoisyStatelessCartPole-v1": 0.05 * LIMITS[::2], "NoisyCartPoleNoVel-v1": 0.05 * LIMITS}
"""Standard deviation of normal noise on each observation feature: 5% of the limits. The angle's, 0.6°, is about as
large as its change in one step, so that two observations tell little of the velocity."""
THRESHOLDS = dict.fromkeys((*MOUNTAIN_CARS, "DeepSea-bsuite"), 0.9)
"""The return from which we call a task solved that Gymnasium does not know."""


CONTINUOUS = ("Pendulum-v1", "MountainCarContinuous-v0", "PointRobot-misc", "Reacher-misc", "Swimmer-misc")
REFUSED = dict.fromkeys(CONTINUOUS, "has continuous actions; must be one with discrete actions") | {
    "MNISTBandit-bsuite": "downloads data when it is made; must be one that does not"
}
"""Ids of gymnax that cannot be used here, and why."""


def names() -> list[str]:
    """The ids that `make_env` accepts."""
    import gymnax  # a second, and the plotting libraries that it imports, which CartPole does without

    return [*OURS, *(name for name in gymnax.registered_envs if name not in REFUSED and name not in OURS)]


@functools.cache
def make_env(env_id: str) -> Environment:
    """The environment of that id: one of ours (`OURS`), any gymnax one with discrete actions, or `gym:` and an id of
    Gymnasium's, which only the host can step.

    Raises:
        SettingError: for an unknown id, or one that is refused.
    """
    if env_id in cartpole.OBSERVATIONS:
        made = cartpole.make(env_id)
        return with_noise(made, NOISE[env_id]) if env_id in NOISE else made
    if is_host(env_id):
        from morphorl.environments import gymnasium_envs  # imports Gymnasium

        return gymnasium_envs.describe(env_id)
    if env_id in REFUSED:
        raise SettingError(f"environment = {env_id!r}: {REFUSED[env_id]}: {', '.join(names())}.")
    if env_id not in names():
        hint = did_you_mean(env_id, names())
        raise SettingError(f"environment = {env_id!r}: must be one of {', '.join(names())}.{hint}")
    from gymnax.environments import spaces

    env, params = _gymnax(env_id)
    if not isinstance(env.action_space(params), spaces.Discrete):
        raise SettingError(f"environment = {env_id!r}: has continuous actions; must be one with discrete actions.")

    def reset(key):
        observation, state = env.reset_env(key, params)
        return _strong(state), _flat(observation)

    def step(key, state, action):
        observation, state, reward, terminated, _ = env.step_env(key, state, action, params)
        truncated = env.is_truncated(state, params)
        return Step(_strong(state), _flat(observation), jnp.float32(reward), jnp.bool_(terminated), truncated)

    features = jax.eval_shape(reset, jax.random.key(0))[1].size
    return Environment(
        env_id, features, env.num_actions, int(params.max_steps_in_episode), _threshold(env_id), reset, step
    )


def _gymnax(env_id: str) -> tuple[Any, Any]:
    if env_id not in MOUNTAIN_CARS:
        import gymnax

        return gymnax.make(env_id)
    from morphorl.environments import mountain_car  # imports gymnax

    env = getattr(mountain_car, MOUNTAIN_CARS[env_id])()
    return env, env.default_params


def _threshold(env_id: str) -> float | None:
    if env_id in THRESHOLDS:
        return THRESHOLDS[env_id]
    import gymnasium

    spec = gymnasium.registry.get(env_id)
    return spec.reward_threshold if spec else None


def _flat(observation):
    return jnp.asarray(observation, jnp.float32).reshape(-1)


def _strong(state):
    """Arrays of fixed types in place of gymnax's Python numbers, so that stepped and reset states can be selected."""
    return jax.tree.map(lambda leaf: jax.lax.convert_element_type(jnp.asarray(leaf), jnp.asarray(leaf).dtype), state)
