"""The evolution strategy: ask for candidates in the unit box, tell what each cost. It knows no agents and no files.

CMA-ES samples candidates from a normal distribution, x = m + s·N(0, C), and moves its mean m, its step s and its
covariance C towards those that cost least, by rank alone. The winner of a search is the final mean, and not the best
candidate ever seen: of hundreds of noisy measurements the best one is mostly the luckiest.

Source: Hansen, "The CMA Evolution Strategy: A Tutorial", 2016; evosax (Lange, 2022) computes it.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from evosax.algorithms import CMA_ES
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config import random_streams

DEVIATION = 0.2
"""Standard deviation of the first generation in each direction, as a share of a setting's range."""


class Strategy(NamedTuple):
    """A search between two generations."""

    algorithm: CMA_ES
    parameters: Any
    state: Any
    key: PRNGKeyArray
    generation: int


def begin(place: Float[np.ndarray, " settings"], population: int, seed: int) -> Strategy:
    """A search that starts around a place in the unit box; `seed` decides all of its chance."""
    mean = jnp.asarray(place, jnp.float32)
    algorithm = _algorithm(population, mean.size)
    parameters = algorithm.default_params.replace(std_init=jnp.asarray(DEVIATION))
    key = jax.random.fold_in(jax.random.key(random_streams.SEARCH), seed)
    state = algorithm.init(jax.random.fold_in(key, 0), mean, parameters)
    return Strategy(algorithm, parameters, state, key, 0)


def ask(strategy: Strategy) -> Float[np.ndarray, "population settings"]:
    """The candidates of the next generation: places in or beside the unit box (`search_space.fold`)."""
    return np.asarray(_asked(strategy)[0])


def tell(strategy: Strategy, cost: Float[np.ndarray, " population"]) -> Strategy:
    """The search after the costs of the candidates that `ask` gave; a cost that is no number counts as the highest."""
    population, state = _asked(strategy)
    key = jax.random.fold_in(strategy.key, 2 * strategy.generation + 2)
    known = jnp.asarray(np.where(np.isnan(cost), np.inf, cost), jnp.float32)
    state, _ = strategy.algorithm.tell(key, population, known, state, strategy.parameters)
    return strategy._replace(state=state, generation=strategy.generation + 1)


def mean(strategy: Strategy) -> Float[np.ndarray, " settings"]:
    """The distribution's mean, in or beside the unit box."""
    return np.asarray(strategy.state.mean)


def step_size(strategy: Strategy) -> float:
    """The distribution's step s, as a share of the settings' ranges."""
    return float(strategy.state.std)


@functools.cache
def _algorithm(population: int, settings: int) -> CMA_ES:
    """One for each size: what it compiles is kept with it."""
    return CMA_ES(population, jnp.zeros(settings))


def _asked(strategy: Strategy) -> tuple[Float[Array, "population settings"], Any]:
    key = jax.random.fold_in(strategy.key, 2 * strategy.generation + 1)
    return strategy.algorithm.ask(key, strategy.state, strategy.parameters)
