"""Gymnasium's environments, stepped on the host: what they are, and what their spaces must be.

An environment id that begins with `gym:` names Gymnasium's own environment; `gymnasium_training.py` trains in it.
`gym:MODULE:ID` is one that a module registers when it is imported, which must be trusted (`trust.py`).
"""

import functools

import gymnasium
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from morphorl.config import trust
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.extras import MissingExtraError, missing
from morphorl.environments.action_range import ActionRange
from morphorl.environments.base import HOST_PREFIX, Environment, module_of

UNLIMITED = 1_000_000_000
"""Time limit of an environment that names none."""

EXTRA_OF = {"ox2": "box2d", "MuJoCo": "mujoco"}
"""A word of Gymnasium's sentence about a missing package, and our extra that brings the package."""


@functools.cache
def describe(env_id: str) -> Environment:
    """Sizes of a Gymnasium environment; its `reset` and `step` cannot be compiled, and refuse.

    Raises:
        SettingError: for an unknown id, an environment whose package is not installed, or spaces that no policy of
            ours has; the message says what to wrap or install.
    """
    env = _make(env_id)
    try:
        features = vector_space(env.observation_space, f"environment = {env_id!r}: its observation space").shape[0]
        actions, action_range = actions_of(env_id, env.action_space)
        spec = env.spec
    finally:
        env.close()

    def refuse(*_):
        raise SettingError(f"environment = {env_id!r}: runs on the host; must be one in JAX here (without 'gym:').")

    limit = (spec and spec.max_episode_steps) or UNLIMITED
    threshold = spec.reward_threshold if spec else None
    return Environment(env_id, features, actions, limit, threshold, refuse, refuse, action_range)


def _make(env_id: str) -> gymnasium.Env:
    name, module = env_id.removeprefix(HOST_PREFIX), module_of(env_id)
    if module is not None:
        if not all(part.isidentifier() for part in module.split(".")) or name.count(":") > 1:
            raise SettingError(f"environment = {env_id!r}: must be {HOST_PREFIX}ID or {HOST_PREFIX}MODULE:ID.")
        trust.imported(module, f"environment = {env_id!r}")
    try:
        return gymnasium.make(name)
    except gymnasium.error.DependencyNotInstalled as error:
        extra = next((extra for word, extra in EXTRA_OF.items() if word in str(error)), None)
        if extra is not None:
            raise MissingExtraError(missing(extra, f"environment = {env_id!r}")) from error
        raise SettingError(f"environment = {env_id!r}: {error}.") from error
    except (gymnasium.error.Error, ModuleNotFoundError) as error:
        hint = did_you_mean(name, list(gymnasium.registry))
        raise SettingError(f"environment = {env_id!r}: must be an id registered with Gymnasium.{hint}") from error
    except ImportError as error:  # as for MuJoCo's environments before version 4
        raise SettingError(f"environment = {env_id!r}: {error}") from error


def actions_of(env_id: str, space: spaces.Space) -> tuple[int, ActionRange | None]:
    """How many actions there are (or real numbers that an action is made of), and the range of continuous ones.

    Raises:
        SettingError: for any other space.
    """
    if isinstance(space, spaces.Discrete) and space.start == 0:
        return int(space.n), None
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return space.shape[0], ActionRange.of(space)
    raise SettingError(
        f"environment = {env_id!r}: its action space is {space}; must be Discrete from 0, or a Box of one dimension. "
        "Wrap it (gymnasium.wrappers.TransformAction) and register the wrapped one."
    )


def vector(env_id: str, count: int, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> VectorEnv:
    """`count` copies of a Gymnasium environment, stepped one after the other in this process.

    Processes of their own (Gymnasium's "async") cost more than they save where a step takes a tenth of a millisecond,
    as MuJoCo's do.
    """
    name = env_id.removeprefix(HOST_PREFIX)
    return gymnasium.make_vec(name, count, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})


def autoreset_mode(env: VectorEnv) -> AutoresetMode:
    """When a vector environment resets an environment whose episode has ended.

    Raises:
        SettingError: if it does not say so.
    """
    mode = env.metadata.get("autoreset_mode")
    if mode is None:
        raise SettingError(
            "env.metadata has no 'autoreset_mode': must be one of gymnasium.vector.AutoresetMode, which says when an "
            "environment resets after an episode's end."
        )
    return AutoresetMode(mode)


def vector_space(space: spaces.Space, name: str = "observation space") -> spaces.Box:
    """`space`, if it is one of vectors.

    Raises:
        SettingError: if not; the message says what to wrap.
    """
    if isinstance(space, spaces.Box) and len(space.shape) == 1:
        return space
    if isinstance(space, spaces.Box) and len(space.shape) > 1:
        cure = (
            "images need a wrapper that makes features of them (gymnasium.wrappers.TransformObservation), or "
            "gymnasium.wrappers.FlattenObservation to take the pixels as they are"
        )
    elif isinstance(space, spaces.Dict):
        cure = "wrap the environment in gymnasium.wrappers.FlattenObservation (after FilterObservation, to choose keys)"
    else:
        cure = "wrap the environment in gymnasium.wrappers.FlattenObservation"
    raise SettingError(f"{name} = {space}: must be a Box of one dimension, a vector; {cure}.")
