"""A convolutional layer on columns, for environments whose observation is a picture."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from morphorl.ppo.networks import layer

Picture = tuple[int, int, int]
"""Height, width and channels; a picture is a column of so many numbers, channels running fastest."""
SIDE = 3


class Convolution(eqx.Module):
    """Filters of 3 × 3 places, moved over a picture in steps of one: y_fp = ReLU(W_f · patch_p + b_f).

    All patches are gathered first, so that the filters are one matrix product, whose columns are places × samples.
    """

    weight: Float[Array, "filters patch"]
    bias: Float[Array, " filters"]
    picture: Picture = eqx.field(static=True)

    def __call__(self, x: Float[Array, "features batch"]) -> Float[Array, "filters_places batch"]:
        patches = x[patches_of(self.picture)]
        numbers, places, batch = patches.shape
        y: Any = layer(self.weight, self.bias, patches.reshape(numbers, places * batch), "relu")
        return y.reshape(len(self.bias) * places, batch)

    @property
    def outputs(self) -> int:
        """How many numbers the layer gives for each picture."""
        return len(self.bias) * patches_of(self.picture).shape[1]


def init_convolution(key: PRNGKeyArray, picture: Picture, filters: int) -> Convolution:
    """Orthogonal filters of gain √2, zero biases, as in the other layers."""
    shape = (filters, SIDE * SIDE * picture[2])
    weight = jax.nn.initializers.orthogonal(math.sqrt(2))(key, shape)
    return Convolution(weight, jnp.zeros(filters), picture)


def patches_of(picture: Picture) -> np.ndarray:
    """Where the numbers of each patch stand in a picture's column: (numbers of a patch, places)."""
    height, width, channels = picture
    index = np.arange(height * width * channels).reshape(picture)
    windows = np.lib.stride_tricks.sliding_window_view(index, (SIDE, SIDE), axis=(0, 1))
    return windows.transpose(3, 4, 2, 0, 1).reshape(SIDE * SIDE * channels, -1)
