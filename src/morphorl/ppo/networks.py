"""The policy and value networks: plain MLPs in (features, batch) order."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

ACTIVATIONS = {
    "tanh": (jnp.tanh, lambda y: 1 - y * y),
    "relu": (jax.nn.relu, lambda y: (y > 0).astype(y.dtype)),
    "identity": (lambda x: x, lambda y: jnp.ones((), y.dtype)),
}
"""Each activation y = f(x), and its slope f′(x) as a function of y."""
ACTOR_SCALE, CRITIC_SCALE = 0.01, 1.0
"""Gains of the last layers at the start: a policy that favours no action, values of the size of the features."""


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def layer(
    weight: Float[Array, "out in"], bias: Float[Array, " out"], x: Float[Array, "in batch"], activation: str
) -> Float[Array, "out batch"]:
    """One layer y = f(W x + b) on columns, with its gradient written by hand.

    With g the gradient with respect to y and d = g·f′, the gradients are d xᵀ for W, the row sums of d for b, and
    Wᵀ d for x. Taking f′ from y, the backward pass keeps nothing but x and y; automatic differentiation keeps f′ as a
    third large array, which costs an update about 7% on a CPU (docs/speed.md).
    """
    return ACTIVATIONS[activation][0](weight @ x + bias[:, None])


def _layer_forward(weight, bias, x, activation):
    y = layer(weight, bias, x, activation)
    return y, (weight, x, y)


def _layer_backward(activation, kept, gradient):
    weight, x, y = kept
    d = gradient * ACTIVATIONS[activation][1](y)
    return d @ x.T, jnp.sum(d, axis=1), weight.T @ d


layer.defvjp(_layer_forward, _layer_backward)


class MLP(eqx.Module):
    """A multilayer perceptron y = W_L f(… f(W_1 x + b_1) …) + b_L on columns.

    A batch is a matrix whose columns are samples, (features, batch): the products W x and their gradients then need
    no transposed copies of the large activations, which makes an update about 14% faster on a CPU.
    """

    weights: tuple[Float[Array, "_ _"], ...]
    """One matrix a layer, (out, in)."""
    biases: tuple[Float[Array, "_"], ...]
    """One vector a layer, (out,)."""
    activation: str = eqx.field(static=True)
    """A name in `ACTIVATIONS`."""
    skip: Float[Array, "out in"] | None = None
    """A linear path S x beside the others, added to y."""
    convolution: Callable[[Float[Array, "pixels batch"]], Float[Array, "in batch"]] | None = None
    """Before the first layer, where x is a picture (`convolution.py`)."""

    def __call__(self, x: Float[Array, "in batch"]) -> Float[Array, "out batch"]:
        y: Any = layer(self.weights[-1], self.biases[-1], self.hidden(x), "identity")
        return y if self.skip is None else y + self.skip @ x

    def hidden(self, x: Float[Array, "in batch"]) -> Float[Array, "units batch"]:
        """The last hidden layer, after its activation; x itself where there is none."""
        x = x if self.convolution is None else self.convolution(x)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = layer(weight, bias, x, self.activation)
        return x


def init_mlp(key: PRNGKeyArray, sizes: tuple[int, ...], head_scale: float, activation: str) -> MLP:
    """Orthogonal weights (gain √2 in hidden layers, `head_scale` in the last), zero biases.

    Source: the common PPO initialisation, "The 37 Implementation Details of PPO" (Huang et al., 2022), detail 2.
    """
    keys = jax.random.split(key, len(sizes) - 1)
    scales = [math.sqrt(2)] * (len(sizes) - 2) + [head_scale]
    weights = tuple(
        jax.nn.initializers.orthogonal(scale)(k, (n_out, n_in))
        for k, scale, n_in, n_out in zip(keys, scales, sizes[:-1], sizes[1:], strict=True)
    )
    return MLP(weights, tuple(jnp.zeros(n) for n in sizes[1:]), activation)
