"""A linear recurrent unit: memories that decay and turn, each by itself, at rates that are learned."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Complex, Float, PRNGKeyArray

SLOWEST, FASTEST, MOST_TURN = 0.999, 0.9, jnp.pi / 10
"""|λ| at the start lies between the first two, evenly in area, and the angle of λ between 0 and the third, in radians
per step: what the source takes for the longest of its tasks."""


class LinearRecurrentUnit(eqx.Module):
    """Complex memories h, as many as half the unit's width, without a nonlinearity between two steps.

        h ← λ·h + e^γ·(B x),   λ = exp(−e^ν + i·e^θ)

    ν and θ are learned, so that |λ| < 1 whatever is learned: no memory grows, and none is held for ever. e^γ, which
    starts at √(1 − |λ|²), keeps the size of h in bounds. What the heads see is [Re h, Im h, x]: their first layer holds
    the source's C and D.

    Source: Orvieto et al., "Resurrecting recurrent neural networks for long sequences", ICML 2023, equations 5 to 7.
    """

    decay: Float[Array, " half"]
    """ν."""
    turn: Float[Array, " half"]
    """θ."""
    scale: Float[Array, " half"]
    """γ."""
    inputs: Float[Array, "2 half features"]
    """Real and imaginary part of B."""

    def __init__(self, features: int, width: int, *, key: PRNGKeyArray) -> None:
        """Draw a unit with `width` // 2 complex memories."""
        key_decay, key_turn, key_inputs = jax.random.split(key, 3)
        half = max(1, width // 2)
        area = jax.random.uniform(key_decay, (half,), minval=FASTEST**2, maxval=SLOWEST**2)
        self.decay = jnp.log(-0.5 * jnp.log(area))
        self.turn = jnp.log(MOST_TURN * jax.random.uniform(key_turn, (half,), minval=1e-3))
        self.scale = 0.5 * jnp.log(1 - area)
        self.inputs = jax.random.normal(key_inputs, (2, half, features)) / jnp.sqrt(2.0 * features)

    @property
    def hidden_size(self) -> int:
        """How many numbers a memory is, the observation that the heads see beside it included."""
        _, half, features = self.inputs.shape
        return 2 * half + features

    @property
    def eigenvalues(self) -> Complex[Array, " half"]:
        """λ: by what each memory is multiplied in a step."""
        return jnp.exp(-jnp.exp(self.decay) + 1j * jnp.exp(self.turn))

    def __call__(self, x: Float[Array, " features"], memory: Float[Array, " memory"]) -> Float[Array, " memory"]:
        """[Re h, Im h, x] after one more observation."""
        half = self.decay.size
        real, imaginary = memory[:half], memory[half : 2 * half]
        size, angle = jnp.exp(-jnp.exp(self.decay)), jnp.exp(self.turn)
        cos, sin = size * jnp.cos(angle), size * jnp.sin(angle)
        fed = jnp.exp(self.scale)[None] * (self.inputs @ x)
        return jnp.concatenate([cos * real - sin * imaginary + fed[0], sin * real + cos * imaginary + fed[1], x])
