"""Noise on logits or means with a spectrum of 1/f^β: a sum of autoregressive processes of several time constants."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.config.fields import NOT_NEGATIVE, Allowed, setting
from morphorl.dynamics.base import Dynamics, Guide, Shape
from morphorl.dynamics.guidance.base import nothing

COLOUR = Allowed("a number from 0 to 2", lambda value: 0 <= value <= 2)
TIME_CONSTANTS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
"""Of the processes that have a memory, in environment steps. A factor of 4 leaves ripples of less than 0.1 dB."""
PROCESSES = 1 + len(TIME_CONSTANTS)
"""State variables for each action: white noise, and one process for each time constant."""


def autocorrelations() -> Float[Array, " processes"]:
    """φ = exp(−1/τ) of each process, by which two of its values a step apart correlate; 0 for the white one."""
    return jnp.concatenate([jnp.zeros(1), jnp.exp(-1 / jnp.array(TIME_CONSTANTS))])


def shares(colour: float | Float[Array, ""]) -> Float[Array, " processes"]:
    """The share of each process in the variance, such that their sum has a spectrum of 1/f^β; together 1.

    Noise of fractional integration, S(f) ∝ |2 sin πf|^(−β), is a mixture of first-order autoregressive processes. With
    d = β/2 its autocovariance at lag k is proportional to

        Γ(k + d)/Γ(k + 1 − d) ∝ ∫₀¹ φᵏ · φ^(d−1) (1 − φ)^(−β) dφ

    so that the density of the variance over φ = exp(−s), s = 1/τ, is φ^d (1 − φ)^(−β) on the axis of s. Each time
    constant stands for its surroundings on the logarithmic axis, ds = s·ln 4. What is faster than all of them is white:
    ∫ exp(−d·s) ds from s₀ on, which is exp(−d·s₀)/d. All are multiplied by d, so that β = 0 leaves the white one alone.

    For β ≥ 1 that noise has no finite variance. Here it has, since no process is slower than 1,024 steps. The spectrum
    follows the law from 1/400 per step to the Nyquist frequency, within 0.1 dB for β ≤ 1 and 0.5 dB at 1.5.

    Args:
        colour: β, from 0 (white) through 1 (pink) to 2 (red).

    Source: autocovariance of fractional noise: Hosking, "Fractional differencing", Biometrika, 1981. Long memory as a
    mixture of autoregressive processes: Granger, "Long memory relationships and the aggregation of dynamic models",
    Journal of Econometrics, 1980. The mixing density follows by Euler's beta integral.
    """
    spacing = TIME_CONSTANTS[1] / TIME_CONSTANTS[0]
    d, s = colour / 2, 1 / jnp.array(TIME_CONSTANTS)
    white = jnp.exp(-d * s[0] * jnp.sqrt(spacing))
    slow = d * jnp.exp(-d * s) * (1 - jnp.exp(-s)) ** (-colour) * s * jnp.log(spacing)
    sizes = jnp.concatenate([jnp.atleast_1d(white), slow])
    return sizes / jnp.sum(sizes)


class ColouredNoise(Dynamics):
    """Processes with time constants of 1 to 1,024 steps, and the noise that they add up to.

        u_i ← φ_i·u_i + √(1 − φ_i²)·n_i,   o = σ·Σ_i √v_i·u_i,   n_i standard normal, Σ_i v_i = 1

    The v_i are `shares`. The noise is stationary from the first step on, with standard deviation σ whatever β.

    Source: 1/f^β noise for exploration: Eberhard, Hollenstein, Pinneri and Martius, "Pink noise is all you need", ICLR
    2023; in PPO, where β = 0.5 did best: Hollenstein, Martius and Piater, "Colored noise in PPO", AAAI 2024. There it
    takes the place of the white noise by which a continuous action is sampled. Here it is added to the logits of
    discrete actions, or to the mean of continuous ones, which are sampled as ever.
    """

    deviation: float = setting(1.0, NOT_NEGATIVE)
    """σ, in units of the logits."""
    colour: float = setting(1.0, COLOUR)
    """β of the spectrum 1/f^β: 0 is white, 1 pink, 2 red."""

    def init(self, key: PRNGKeyArray, shape: Shape) -> Float[Array, "processes actions"]:
        """States drawn from the stationary distribution, which is standard normal for every process."""
        return jax.random.normal(key, (PROCESSES, shape[1]))

    def noise(self, key: PRNGKeyArray, shape: Shape, batch: tuple[int, ...]) -> Float[Array, "*time rows envs"]:
        return jax.random.normal(key, (*batch[:-1], PROCESSES * shape[1], batch[-1]))

    def step(
        self,
        state: Float[Array, "processes actions"],
        observation: Float[Array, " features"],
        guide: Guide = nothing,
        *,
        noise: Float[Array, " rows"],
    ) -> Float[Array, "processes actions"]:
        phi = autocorrelations()[:, None]
        return phi * state + jnp.sqrt(1 - phi**2) * noise.reshape(state.shape)

    def read(
        self, state: Float[Array, "processes actions"], observation: Float[Array, " features"]
    ) -> Float[Array, " actions"]:
        return self.deviation * jnp.einsum("p,pa->a", jnp.sqrt(shares(self.colour)), state)
