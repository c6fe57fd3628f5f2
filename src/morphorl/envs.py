"""Environments: gymnax's, and CartPole with its velocities hidden, for gymnax and for Gymnasium."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import gymnasium
import gymnax
import jax
import jax.numpy as jnp
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv as GymnasiumCartPole
from gymnax.environments import spaces
from gymnax.environments.classic_control.cartpole import CartPole
from gymnax.environments.classic_control.mountain_car import MountainCar
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from morphorl.errors import SettingError, did_you_mean


class Step(NamedTuple):
    """What one environment step returns; `observation` is that of the state reached, before any reset."""

    state: Any
    observation: Float[Array, " features"]
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]


class Environment(NamedTuple):
    """A pair of pure functions and the sizes that the agent needs.

    Observations are flattened to float32 vectors. Nothing resets by itself: whoever steps decides what follows an end.
    """

    id: str
    num_features: int
    num_actions: int
    time_limit: int
    """No episode is longer than this many steps, so that it is truncated at most once in that many."""
    threshold: float | None
    """The return from which Gymnasium calls the task solved, if it names one."""
    reset: Callable[[PRNGKeyArray], tuple[Any, Float[Array, " features"]]]
    step: Callable[[PRNGKeyArray, Any, Int[Array, ""]], Step]
    continuous: bool = False
    """Whether actions are `num_actions` real numbers (for Gymnasium's alone, `host.py`)."""


class StatelessCartPole(CartPole):
    """CartPole that shows position and angle only, [x, θ]: the post's "Stateless CartPole"."""

    def get_obs(self, state, params=None, key=None):
        return jnp.array([state.x, state.theta])

    def observation_space(self, params):
        high = jnp.array([params.x_threshold * 2, params.theta_threshold_radians * 2])
        return spaces.Box(-high, high, (2,), dtype=jnp.float32)


class CartPoleNoVel(CartPole):
    """CartPole with both velocities set to zero, [x, 0, θ, 0]: what the RL zoo benchmarks memory on."""

    def get_obs(self, state, params=None, key=None):
        return jnp.array([state.x, 0.0, state.theta, 0.0])


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


CARTPOLE = CartPole().default_params
LIMITS = np.array([CARTPOLE.x_threshold, 0.0, CARTPOLE.theta_threshold_radians, 0.0])
"""Of position and angle, beyond which an episode of CartPole ends."""
VISIBLE = np.array([1, 0, 1, 0], np.float32)
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


def names() -> list[str]:
    """The ids that `make` accepts."""
    usable = [name for name in gymnax.registered_envs if name not in REFUSED and name != "CartPole-v1"]
    return ["CartPole-v1", *OURS, *usable]


@functools.cache
def make(env_id: str) -> Environment:
    """The environment of that id: one of ours (`OURS`), any gymnax one with discrete actions, or `gym:` and an id of
    Gymnasium's, which only the host can step.

    Raises:
        SettingError: for an unknown id, or one that is refused.
    """
    if env_id.startswith("gym:"):
        from morphorl import host  # which needs this module

        return host.describe(env_id)
    if env_id in REFUSED:
        raise SettingError(f"environment = {env_id!r}: {REFUSED[env_id]}: {', '.join(names())}.")
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


class GymnasiumStatelessCartPole(GymnasiumCartPole):
    """`morphorl/StatelessCartPole-v1` for Gymnasium: observation [x, θ]."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        high = np.array([self.x_threshold * 2, self.theta_threshold_radians * 2], np.float32)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=np.float32)

    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation[[0, 2]], info

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation[[0, 2]], reward, terminated, truncated, info


class GymnasiumCartPoleNoVel(GymnasiumCartPole):
    """`morphorl/CartPoleNoVel-v1` for Gymnasium: observation [x, 0, θ, 0]."""

    def reset(self, **kwargs):
        observation, info = super().reset(**kwargs)
        return observation * VISIBLE, info

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation * VISIBLE, reward, terminated, truncated, info
