"""Operations of JAX that compute nothing: where each number of an array goes."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Scalars = np.ndarray
"""An array of Python objects, each a number or the name of one."""


def array_of(values: Sequence[Any], shape: Sequence[int]) -> Scalars:
    """Python objects as an array of a shape."""
    array = np.empty(len(values), object)
    array[:] = values
    return array.reshape(shape)


def numbers(value: Any) -> Scalars:
    """An array of numbers, as one of Python's numbers.

    Raises:
        NotImplementedError: for random keys, which are none.
    """
    if jnp.issubdtype(getattr(value, "dtype", float), jax.dtypes.extended):
        raise NotImplementedError("random keys")
    return np.asarray(value).astype(object)


def matrix_of(x: Scalars, axes: Sequence[int]) -> Scalars:
    """An array as a matrix: some axes make a row, the others say which."""
    kept = [axis for axis in range(x.ndim) if axis not in axes]
    rows = x.transpose([*kept, *axes])
    return rows.reshape(math.prod(rows.shape[: len(kept)]), -1)


def _broadcast(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    lined_up = [1] * len(shape)
    for size, axis in zip(given[0].shape, params["broadcast_dimensions"], strict=True):
        lined_up[axis] = size
    return [np.broadcast_to(given[0].reshape(lined_up), shape)]


def _gather(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    """What JAX gathers, in the order in which it gathers the places themselves."""
    array, where = given
    if any(isinstance(one, str) for one in where.flat):
        raise NotImplementedError("gather from places known only later")
    places = np.arange(array.size).reshape(array.shape)
    options = {name: value for name, value in params.items() if name not in ("mode", "fill_value")}
    return [array.reshape(-1)[np.asarray(jax.lax.gather(places, where.astype(int), mode="clip", **options))]]


def _iota(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    return [numbers(np.indices(shape)[params["dimension"]].astype(params["dtype"]))]


def _split(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    return np.split(given[0], np.cumsum(params["sizes"])[:-1], params["axis"])


def _slice(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    starts, ends = params["start_indices"], params["limit_indices"]
    steps = params["strides"] or (None,) * len(starts)
    return [given[0][tuple(map(slice, starts, ends, steps))]]


def _reshape(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    return [given[0].reshape(shape)]


def _same(params: Any, given: list[Scalars], shape: tuple[int, ...]) -> list[Scalars]:
    return given


MOVES: dict[str, Callable[[Any, list[Scalars], tuple[int, ...]], list[Scalars]]] = {
    "broadcast_in_dim": _broadcast,
    "concatenate": lambda params, given, _: [np.concatenate(given, params["dimension"])],
    "copy": _same,
    "copy_p": _same,
    "expand_dims": _reshape,
    "gather": _gather,
    "iota": _iota,
    "optimization_barrier": _same,
    "reshape": _reshape,
    "rev": lambda params, given, _: [np.flip(given[0], params["dimensions"])],
    "slice": _slice,
    "split": _split,
    "squeeze": _reshape,
    "stack": lambda params, given, _: [np.stack(given, params["axis"])],
    "stop_gradient": _same,
    "tile": lambda params, given, _: [np.tile(given[0], params["reps"])],
    "transpose": lambda params, given, _: [given[0].transpose(params["permutation"])],
    "unstack": lambda params, given, _: list(np.moveaxis(given[0], params["axis"], 0)),
}
"""Each operation, from its parameters, operands and the shape of its (first) result."""
