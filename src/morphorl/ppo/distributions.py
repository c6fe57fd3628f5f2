"""What actions are drawn from: logits of a few actions, or the mean of a normal distribution for continuous ones."""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray


class Categorical(NamedTuple):
    """One of K actions with log-probabilities log softmax(blended logits), in columns."""

    log: Float[Array, "actions batch"]
    probability: Float[Array, "actions batch"]

    def log_prob(self, action: Int[Array, " batch"]) -> Float[Array, " batch"]:
        """log p(action)."""
        picked = jax.nn.one_hot(action, self.log.shape[0], axis=0)
        # A sum over a mask instead of an index: its gradient is a product, not a scatter. `where` keeps 0·(−inf) out.
        return jnp.sum(jnp.where(picked > 0, self.log, 0.0), axis=0)

    def entropy(self) -> Float[Array, " batch"]:
        """H = −Σ p log p."""
        return -jnp.sum(self.probability * self.log, axis=0)

    def cross_entropy(self, logits: Float[Array, "actions batch"]) -> Float[Array, " batch"]:
        """From this distribution, held fixed, to that of `logits`: −Σ p log q."""
        return -jnp.sum(jax.lax.stop_gradient(self.probability) * jax.nn.log_softmax(logits, axis=0), axis=0)


class Gaussian(NamedTuple):
    """Continuous actions: independent normal numbers around the blended mean, with deviations exp(`log_deviation`)."""

    mean: Float[Array, "actions batch"]
    log_deviation: Float[Array, " actions"]

    def log_prob(self, action: Float[Array, "actions batch"]) -> Float[Array, " batch"]:
        """log p(action) = −Σ (½((a − m)/σ)² + log σ + ½ log 2π)."""
        log_deviation = self.log_deviation[:, None]
        scaled = (action - self.mean) * jnp.exp(-log_deviation)
        return -jnp.sum(0.5 * scaled**2 + log_deviation + 0.5 * math.log(2 * math.pi), axis=0)

    def entropy(self) -> Float[Array, " batch"]:
        """H = Σ (log σ + ½ log 2πe), the same for every observation."""
        total = jnp.sum(self.log_deviation + 0.5 * math.log(2 * math.pi * math.e))
        return jnp.broadcast_to(total, self.mean.shape[1:])

    def cross_entropy(self, mean: Float[Array, "actions batch"]) -> Float[Array, " batch"]:
        """From this one, held fixed, to that of another mean and the same σ, up to a constant: Σ ½((m − m′)/σ)²."""
        target, log_deviation = jax.lax.stop_gradient((self.mean, self.log_deviation[:, None]))
        return 0.5 * jnp.sum(((target - mean) * jnp.exp(-log_deviation)) ** 2, axis=0)


def of(
    blended: Float[Array, "actions batch"], log_deviation: Float[Array, " actions"] | None
) -> Categorical | Gaussian:
    """The distribution of an agent's actions; `log_deviation` is None for discrete ones."""
    if log_deviation is None:
        log = jax.nn.log_softmax(blended, axis=0)
        return Categorical(log, jnp.exp(log))
    return Gaussian(blended, log_deviation)


def draw(key: PRNGKeyArray, shape: tuple[int, ...], *, continuous: bool) -> Float[Array, "*shape"]:
    """The random numbers that make an action of a policy: Gumbel's for discrete actions, normal ones for continuous."""
    return jax.random.normal(key, shape) if continuous else jax.random.gumbel(key, shape)


def sample(
    blended: Float[Array, "actions envs"],
    log_deviation: Float[Array, " actions"] | None,
    drawn: Float[Array, "actions envs"] | float,
) -> Array:
    """An action for each column: (envs,) whole numbers, or (actions, envs) continuous ones.

    argmax(logits + Gumbel's numbers) is a sample of the logits' softmax, mean + σ·(normal numbers) one of the normal
    distribution.

    Args:
        drawn: from `draw`; 0 for the most probable action.
    """
    if log_deviation is None:
        return jnp.argmax(blended + drawn, axis=0)
    return blended + jnp.exp(log_deviation)[:, None] * drawn


def score(
    blended: Float[Array, "actions envs"], log_deviation: Float[Array, " actions"] | None, action: Array
) -> Float[Array, "actions envs"]:
    """∂ log p(action) / ∂ blended: one-hot(action) − softmax(logits), or (action − mean)/σ² for continuous ones."""
    if log_deviation is None:
        return jax.nn.one_hot(action, blended.shape[0], axis=0) - jax.nn.softmax(blended, axis=0)
    return (action - blended) * jnp.exp(-2 * log_deviation)[:, None]
