"""The registry of environments: ours, gymnax's and Gymnasium's, by their ids."""

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from morphorl.config.errors import SettingError, did_you_mean
from morphorl.environments import cartpole, library, previous_action, radial_features
from morphorl.environments.base import Environment, is_host, module_of
from morphorl.environments.cartpole import LIMITS
from morphorl.environments.wrappers import with_noise

CLASSES = {
    "SparseMountainCar-v0": "mountain_car:SparseMountainCar",
    "StatelessSparseMountainCar-v0": "mountain_car:StatelessSparseMountainCar",
    "Swimmer-v5": "swimmer:Swimmer",
    "HeadingSwimmer-v5": "swimmer:HeadingSwimmer",
}
"""Our classes after gymnax's: the files beside this one, and the classes in them."""
OURS = [*cartpole.OBSERVATIONS, *CLASSES]
"""The ids of environments in JAX that are neither gymnax's nor in `environments/library`."""
NOISE = {"NoisyStatelessCartPole-v1": 0.05 * LIMITS[::2], "NoisyCartPoleNoVel-v1": 0.05 * LIMITS}
"""Standard deviation of normal noise on each observation feature: 5% of the limits. The angle's, 0.6°, is about as
large as its change in one step, so that two observations tell little of the velocity."""
SPARSE = ("SparseMountainCar-v0", "StatelessSparseMountainCar-v0", "DeepSea-bsuite")
THRESHOLDS = dict.fromkeys(SPARSE, 0.9) | {"HeadingSwimmer-v5": 360.0}
"""The return from which we call a task solved that Gymnasium does not know."""
SUFFIXES = {
    previous_action.SUFFIX: previous_action.with_previous_action,
    radial_features.SUFFIX: lambda env: radial_features.with_radial_features(env, _bounds(env.id)),
}
"""What may stand behind an id, and what it makes of the environment: one that shows something else."""
REFUSED = {"MNISTBandit-bsuite": "downloads data when it is made; must be one that does not"}
"""Ids of gymnax that cannot be used here, and why."""


class Offer(NamedTuple):
    """What a file of `environments/library` offers."""

    ids: tuple[str, ...]
    """The ids that are listed; `make` may know more of the same form."""
    make: Callable[[str], Environment | None]
    """The environment of an id of this file; None for any other id."""


def names() -> list[str]:
    """The ids that `make_env` accepts, and of those with a number in them the usual ones."""
    import gymnax  # a second, and the plotting libraries that it imports, which CartPole does without

    ours = [*OURS, *(name for offer in library_offers() for name in offer.ids)]
    return [*ours, *(name for name in gymnax.registered_envs if name not in REFUSED and name not in ours)]


@functools.cache
def make_env(env_id: str) -> Environment:
    """The environment of that id: one of ours (`OURS`, `environments/library`), any of gymnax, `MODULE:NAME` for one of
    the user's own (`foreign.py`), or `gym:` and an id of Gymnasium's, which only the host can step.

    With `+action` after an id that is not Gymnasium's, it also shows the action before (`previous_action.py`); with
    `+radial` after one of gymnax's kind, radial features in place of its own (`radial_features.py`).

    Raises:
        UntrustedError: if it leads to a module that is neither imported nor trusted.
        SettingError: for an unknown id, or one that is refused.
    """
    if env_id in cartpole.OBSERVATIONS:
        made = cartpole.make(env_id)
        return with_noise(made, NOISE[env_id]) if env_id in NOISE else made
    suffix = next(filter(env_id.endswith, SUFFIXES), None)
    if suffix and is_host(env_id):
        raise SettingError(f"environment = {env_id!r}: must be one in JAX where {suffix} stands behind it.")
    if is_host(env_id):
        from morphorl.environments import gymnasium_envs  # imports Gymnasium

        return gymnasium_envs.describe(env_id)
    if suffix:
        return SUFFIXES[suffix](make_env(env_id.removesuffix(suffix)))
    if module_of(env_id) is not None:
        from morphorl.environments import foreign  # imports gymnax

        return foreign.make(env_id)
    if made := next((made for offer in library_offers() if (made := offer.make(env_id))), None):
        return made
    if env_id in REFUSED:
        raise SettingError(f"environment = {env_id!r}: {REFUSED[env_id]}: {', '.join(names())}.")
    if env_id not in names():
        hint = did_you_mean(env_id, names())
        raise SettingError(
            f"environment = {env_id!r}: must be one of {', '.join(names())}, or MODULE:NAME for one of your own.{hint}"
        )
    from morphorl.environments.from_gymnax import from_gymnax

    return from_gymnax(env_id, *_gymnax(env_id), _threshold(env_id))


@functools.cache
def library_offers() -> tuple[Offer, ...]:
    """What each file of `environments/library` offers; those without `IDS` only serve the others."""
    files = pkgutil.walk_packages(library.__path__, f"{library.__name__}.")
    modules = [importlib.import_module(file.name) for file in files]
    return tuple(Offer(module.IDS, module.make) for module in modules if hasattr(module, "IDS"))


def gymnax_style(env_id: str) -> tuple[Any, Any] | None:
    """The instance of a class after gymnax's that an environment is made of, and its parameters; None for any other."""
    import gymnax

    if env_id in CLASSES or (env_id in gymnax.registered_envs and env_id not in OURS):
        return _gymnax(env_id)
    if module_of(env_id) is None or is_host(env_id) or env_id.endswith(tuple(SUFFIXES)):
        return None
    from morphorl.environments import foreign

    found = foreign.named(env_id)
    return None if isinstance(found, Environment) else (found, found.default_params)


def _gymnax(env_id: str) -> tuple[Any, Any]:
    if env_id not in CLASSES:
        import gymnax

        return gymnax.make(env_id)
    file, _, name = CLASSES[env_id].partition(":")
    env = getattr(importlib.import_module(f"morphorl.environments.{file}"), name)()
    return env, env.default_params


def _bounds(env_id: str) -> radial_features.Bounds | None:
    """The least and the largest value of each feature, if a class after gymnax's says them."""
    style = gymnax_style(env_id)
    if style is None:
        return None
    space = style[0].observation_space(style[1])
    if not hasattr(space, "low"):
        return None
    low, high = (
        np.broadcast_to(np.asarray(bound, np.float64), space.shape).ravel() for bound in (space.low, space.high)
    )
    return low, high


def _threshold(env_id: str) -> float | None:
    if env_id in THRESHOLDS:
        return THRESHOLDS[env_id]
    import gymnasium

    spec = gymnasium.registry.get(env_id)
    return spec.reward_threshold if spec else None
