"""Around an environment: in place of its observation it shows which of many soft places that is in."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from morphorl.config.errors import SettingError
from morphorl.environments.base import Environment

SUFFIX = "+radial"
"""How the id of an environment ends that shows them."""
PLACES = 100
MOST = 8
"""Features of an observation: among more, so few places lie all about equally far."""

Bounds = tuple[Float[np.ndarray, " features"], Float[np.ndarray, " features"]]
"""The least and the largest value of each feature."""


def with_radial_features(env: Environment, bounds: Bounds | None) -> Environment:
    """`env` showing `PLACES` normalised radial basis functions of its observation x, which sum to 1:

        φ_i = exp(−‖u − c_i‖²/2w²) / Σ_j exp(−‖u − c_j‖²/2w²),   u = 2(x − low)/(high − low) − 1

    The centres c_i fill the cube [−1, 1]^features evenly (points 1 to 100 of Halton's sequence), and w is the median
    distance of a centre from its nearest. So few places are close by in two dimensions, where an observation is in some
    six of them, and far apart in six: an observation of Acrobot is in nearly half of all.

    Source: Sutton and Barto, "Reinforcement Learning", 2nd edition, section 9.5.5; Halton, "On the efficiency of
    certain quasi-random sequences of points", Numerische Mathematik, 1960.

    Args:
        bounds: of each feature, if they are known.

    Raises:
        SettingError: if a feature has no bounds, or if there are more than `MOST`.
    """
    low, high = bounds or (np.array([-np.inf]), np.array([np.inf]))
    if not ((np.abs(np.stack([low, high])) < np.finfo(np.float32).max).all() and (low < high).all()):
        raise SettingError(
            f"environment = '{env.id}{SUFFIX}': must be one of gymnax's kind whose features all have bounds, with "
            f"{SUFFIX} right behind its id, such as Acrobot-v1{SUFFIX} or MountainCar-v0{SUFFIX}."
        )
    if len(low) > MOST:
        raise SettingError(
            f"environment = '{env.id}{SUFFIX}': has {len(low)} features; must have at most {MOST}, or {PLACES} places "
            "do not tell them apart."
        )
    features = radial_features(low, high)
    at = env.at

    def reset(key):
        state, observation = env.reset(key)
        return state, features(observation)

    def step(key, state, action):
        after = env.step(key, state, action)
        return after._replace(observation=features(after.observation))

    return env._replace(
        id=env.id + SUFFIX,
        num_features=PLACES,
        reset=reset,
        step=step,
        picture=None,
        at=None if at is None else lambda progress: with_radial_features(at(progress), bounds),
    )


def radial_features(
    low: Float[np.ndarray, " features"], high: Float[np.ndarray, " features"]
) -> Callable[[Float[Array, " features"]], Float[Array, " places"]]:
    """The function x ↦ φ of `with_radial_features`."""
    places, width = centres(len(low))
    middles = jnp.asarray(places, jnp.float32)

    def features(observation: Float[Array, " features"]) -> Float[Array, " places"]:
        u = 2 * (observation - jnp.float32(low)) / jnp.float32(high - low) - 1
        return jax.nn.softmax(-jnp.sum((u[None] - middles) ** 2, axis=1) / (2 * width**2))

    return features


def centres(dimensions: int) -> tuple[Float[np.ndarray, "places dimensions"], float]:
    """Where the places are, in [−1, 1]^dimensions, and the median distance from one to the nearest other."""
    from scipy.spatial import distance  # half a second each, which other environments do without
    from scipy.stats import qmc

    points = 2 * qmc.Halton(dimensions, scramble=False).fast_forward(1).random(PLACES) - 1
    between = distance.squareform(distance.pdist(points))
    np.fill_diagonal(between, np.inf)
    return points, float(np.median(between.min(axis=1)))
