"""The registry of environments: ours, gymnax's and Gymnasium's, by their ids."""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import gymnax
import jax
import jax.numpy as jnp
from gymnax.environments import spaces

from morphorl.config.errors import SettingError, did_you_mean
from morphorl.environments import gymnasium_envs, library
from morphorl.environments.base import Environment, Step, is_host
from morphorl.environments.cartpole import LIMITS, CartPoleNoVel, StatelessCartPole
from morphorl.environments.mountain_car import SparseMountainCar, StatelessSparseMountainCar
from morphorl.environments.previous_action import SUFFIX, with_previous_action
from morphorl.environments.wrappers import with_noise

OURS: dict[str, Callable[[], Any]] = {
    "StatelessCartPole-v1": StatelessCartPole,
    "CartPoleNoVel-v1": CartPoleNoVel,
    "NoisyStatelessCartPole-v1": StatelessCartPole,
    "NoisyCartPoleNoVel-v1": CartPoleNoVel,
    "SparseMountainCar-v0": SparseMountainCar,
    "StatelessSparseMountainCar-v0": StatelessSparseMountainCar,
}
NOISE = {"NoisyStatelessCartPole-v1": 0.05 * LIMITS[::2], "NoisyCartPoleNoVel-v1": 0.05 * LIMITS}
"""Standard deviation of normal noise on each observation feature: 5% of the limits. The angle's, 0.6°, is about as
large as its change in one step, so that two observations tell little of the velocity."""
THRESHOLDS = {"NoisyStatelessCartPole-v1": 475.0, "NoisyCartPoleNoVel-v1": 475.0} | dict.fromkeys(
    ("SparseMountainCar-v0", "StatelessSparseMountainCar-v0", "DeepSea-bsuite"), 0.9
)
"""The return from which we call a task solved that Gymnasium does not know."""


CONTINUOUS = ("Pendulum-v1", "MountainCarContinuous-v0", "PointRobot-misc", "Reacher-misc", "Swimmer-misc")
REFUSED = dict.fromkeys(CONTINUOUS, "has continuous actions; must be one with discrete actions") | {
    "MNISTBandit-bsuite": "downloads data when it is made; must be one that does not"
}
"""Ids of gymnax that cannot be used here, and why."""


class Offer(NamedTuple):
    """What a file of `environments/library` offers."""

    ids: tuple[str, ...]
    """The ids that are listed; `make` may know more of the same form."""
    make: Callable[[str], Environment | None]
    """The environment of an id of this file; None for any other id."""


def names() -> list[str]:
    """The ids that `make_env` accepts, and of those with a number in them the usual ones."""
    usable = [name for name in gymnax.registered_envs if name not in REFUSED and name != "CartPole-v1"]
    return ["CartPole-v1", *OURS, *(name for offer in library_offers() for name in offer.ids), *usable]


@functools.cache
def make_env(env_id: str) -> Environment:
    """The environment of that id: one of ours (`OURS`, `environments/library`), any gymnax one with discrete actions,
    or `gym:` and an id of Gymnasium's, which only the host can step.

    With `+action` after an id that is not Gymnasium's, it also shows the action before (`previous_action.py`).

    Raises:
        SettingError: for an unknown id, or one that is refused.
    """
    if is_host(env_id):
        return gymnasium_envs.describe(env_id)
    if env_id in REFUSED:
        raise SettingError(f"environment = {env_id!r}: {REFUSED[env_id]}: {', '.join(names())}.")
    if env_id.endswith(SUFFIX):
        return with_previous_action(make_env(env_id.removesuffix(SUFFIX)))
    if made := next((made for offer in library_offers() if (made := offer.make(env_id))), None):
        return made
    if env_id not in names():
        hint = did_you_mean(env_id, names())
        raise SettingError(f"environment = {env_id!r}: must be one of {', '.join(names())}.{hint}")
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
    made = Environment(
        env_id, features, env.num_actions, int(params.max_steps_in_episode), _threshold(env_id), reset, step
    )
    return with_noise(made, NOISE[env_id]) if env_id in NOISE else made


@functools.cache
def library_offers() -> tuple[Offer, ...]:
    """What each file of `environments/library` offers; those without `IDS` only serve the others."""
    files = pkgutil.walk_packages(library.__path__, f"{library.__name__}.")
    modules = [importlib.import_module(file.name) for file in files]
    return tuple(Offer(module.IDS, module.make) for module in modules if hasattr(module, "IDS"))


def _gymnax(env_id: str) -> tuple[Any, Any]:
    if env_id not in OURS:
        return gymnax.make(env_id)
    env = OURS[env_id]()
    return env, env.default_params


def _threshold(env_id: str) -> float | None:
    if env_id in THRESHOLDS:
        return THRESHOLDS[env_id]
    spec = gymnasium.registry.get(env_id) or gymnasium.registry.get(f"morphorl/{env_id}")
    return spec.reward_threshold if spec else None


def _flat(observation):
    return jnp.asarray(observation, jnp.float32).reshape(-1)


def _strong(state):
    """Arrays of fixed types in place of gymnax's Python numbers, so that stepped and reset states can be selected."""
    return jax.tree.map(lambda leaf: jax.lax.convert_element_type(jnp.asarray(leaf), jnp.asarray(leaf).dtype), state)
