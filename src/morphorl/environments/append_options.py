"""What the wrappers around Gymnasium's environments are given: checked, and filled in where nothing was said."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from gymnasium import spaces

from morphorl.config.errors import SettingError
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.base import Guidance
from morphorl.dynamics.guidance.none import NoGuidance
from morphorl.dynamics.leaky_integrators import LeakyIntegrators
from morphorl.environments.appended import Append, Appended, AppendedDynamics, AppendedMemory

Scale = int | float | np.number | Sequence[int | float | np.number] | np.ndarray
"""A factor for all features, or one for each."""


class Options(NamedTuple):
    """The arguments of `CellObservation` beside the environment, as they were given."""

    dynamics: Dynamics | None
    append: Append | None
    columns: int | None
    scale: Scale
    guidance: Guidance | None
    seed: int


def appended(space: spaces.Box, actions: spaces.Space, options: Options) -> Appended:
    """What is appended to observations of `space`.

    Raises:
        SettingError: for options that are not allowed.
    """
    check_seed(options.seed, most=2**32 - 1)
    features = space.shape[0]
    guidance = NoGuidance() if options.guidance is None else options.guidance
    if guidance.needs:
        raise SettingError(f"guidance.kind = {guidance.kind!r}: must be 'none' or 'blind'; no reward is known here.")
    system = LeakyIntegrators() if options.dynamics is None else options.dynamics
    _check_system(system)
    append = options.append or ("readout" if system.is_readable else "memory")
    if append not in ("readout", "state", "memory") or (append == "readout" and not system.is_readable):
        allowed = ["readout"] * system.is_readable + ["state", "memory"]
        raise SettingError(f"append = {append!r}: must be one of {', '.join(map(repr, allowed))}.")
    parts = system, guidance, _scale(options.scale, features), _columns(options.columns, actions)
    return AppendedMemory(*parts) if append == "memory" else AppendedDynamics(*parts, append)


def check_seed(seed: Any, name: str = "seed", most: int | None = None) -> None:
    """Raise `SettingError` for a seed that is no whole number from 0 to `most`."""
    if not _is_whole(seed) or seed < 0 or (most is not None and seed > most):
        allowed = "a whole number of at least 0" if most is None else f"a whole number from 0 to {most}"
        raise SettingError(f"{name} = {seed!r}: must be {allowed}.")


def check_seeds(seed: int | Sequence[int | None] | None, envs: int) -> None:
    """Raise `SettingError` for what no vector environment can be reset from: one seed, or one or None for each."""
    if not isinstance(seed, list | tuple | np.ndarray):
        return None if seed is None else check_seed(seed)
    if len(seed) != envs:
        raise SettingError(f"seed = {seed!r}: must be one seed, or {envs} of them, one for each environment.")
    for i, one in enumerate(seed):
        if one is not None:
            check_seed(one, f"seed[{i}]")
    return None


def check_mask(mask: Any, envs: int) -> np.ndarray:
    """Which environments a reset is for.

    Raises:
        SettingError: for anything but one truth value for each environment, or if none is to be reset.
    """
    which = np.array(mask)
    if which.dtype != bool or which.shape != (envs,) or not which.any():
        raise SettingError(
            f"reset_mask = {mask!r}: must be {envs} truth values, one for each environment, and one of them true."
        )
    return which


def check_shape(observation: Any, shape: tuple[int, ...]) -> np.ndarray:
    """An observation as an array.

    Raises:
        SettingError: if it has not the shape that the observation space says.
    """
    array = np.asarray(observation)
    if array.shape != shape:
        raise SettingError(f"observation.shape = {array.shape}: must be {shape}, that of the observation space.")
    return array


def _check_system(system: Dynamics) -> None:
    if system.kind == "none":
        raise SettingError("dynamics.kind = 'none': must be a system that remembers something.")
    if type(system).noise is not Dynamics.noise or system.sees != "observation":
        raise SettingError(
            f"dynamics.kind = {system.kind!r}: must be a system that needs the observation alone, and no random "
            "numbers."
        )


def _scale(scale: Scale, features: int) -> np.ndarray:
    factors = np.asarray(scale)
    if factors.shape not in ((), (features,)):
        raise SettingError(f"scale = {scale!r}: must be a number, or {features} of them, one for each feature.")
    if factors.dtype.kind not in "iuf" or not np.isfinite(factors.astype(np.float32)).all():
        raise SettingError(f"scale = {scale!r}: must be finite numbers.")
    return np.broadcast_to(factors.astype(np.float32), (features,)).copy()


def _columns(columns: int | None, actions: spaces.Space) -> int:
    if columns is not None:
        if not _is_whole(columns) or columns < 1:
            raise SettingError(f"columns = {columns!r}: must be a whole number of at least 1.")
        return int(columns)
    if isinstance(actions, spaces.Discrete):
        return int(actions.n)
    if isinstance(actions, spaces.Box) and len(actions.shape) == 1:
        return actions.shape[0]
    raise SettingError(f"action space = {actions}: must be Discrete or a Box of one dimension, or `columns` be given.")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
