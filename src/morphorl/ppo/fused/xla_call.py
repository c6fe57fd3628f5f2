"""XLA's call of the kernel: its typed call frame, taken apart inside a function of machine code, and its registration.

The frame's layout is part of XLA's foreign function interface (`xla/ffi/api/c_api.h`, which jaxlib carries), and may
change with its version: `kernels.INTERFACE` is the one that the offsets below are of.
"""

# Numba hands an intrinsic's first argument over by itself, which no type checker knows.
# pyright: reportCallIssue=false

import ctypes
import functools
import hashlib
import os
from pathlib import Path

import jax
import numpy as np
from numba import cfunc, types
from numba.core import config
from numba.extending import intrinsic
from numba.np.numpy_support import carray
from numba.np.unsafe.ndarray import to_fixed_tuple

from morphorl.config.devices import cache_folder
from morphorl.ppo.fused.kernel import Hyper, Shape, learn
from morphorl.ppo.fused.vectors import jit
from morphorl.ppo.kernels import INTERFACE

NAME = "morphorl_learn"
"""What the compiled programs call."""
CACHE = "CACHE_DIR"
"""Numba's option that says where it keeps what it has compiled."""
NUMBERS, SIZES = len(Hyper._fields), len(Shape._fields)


def _address_of(kind):
    """A function that takes a number for the address of values of this kind."""

    @intrinsic
    def address(typing, number):
        pointer = types.CPointer(kind)

        def build(context, builder, signature, args):
            return builder.inttoptr(args[0], context.get_value_type(pointer))

        return pointer(types.int64), build

    return address


words_at, floats_at, ints_at = _address_of(types.int64), _address_of(types.float32), _address_of(types.int32)
randoms_at, bytes_at = _address_of(types.uint32), _address_of(types.uint8)


@jit
def data(buffers, i):
    """The address of the numbers of buffer `i`."""
    return words_at(words_at(buffers)[i])[3]


@jit
def floats(buffers, i, agent, size):
    """What buffer `i` holds for an agent, as an array of floats."""
    return carray(floats_at(data(buffers, i) + 4 * size * agent), (size,))


def handle_call(frame):
    """Learn for each agent of a call.

    As words of 64 bits, a frame holds at 1 its extensions (of which a question for the version comes first), at 9 and
    14 the tables of its arguments and results; a buffer at 3 its data, at 4 its rank, at 5 its shape.
    """
    if frame[1] != 0:
        version = ints_at(words_at(frame[1])[3] + 24)
        version[0], version[1] = INTERFACE
        return 0
    arguments, results = frame[9], frame[14]
    flat = words_at(words_at(arguments)[0])
    agents, size = 1, words_at(flat[5])[flat[4] - 1]
    for i in range(flat[4] - 1):
        agents *= words_at(flat[5])[i]
    sizes = np.empty(SIZES, np.intp)
    for agent in range(agents):
        hyper = Hyper(*to_fixed_tuple(floats(arguments, 6, agent, NUMBERS), NUMBERS))
        for i in range(SIZES):
            sizes[i] = ints_at(data(arguments, 7))[SIZES * agent + i]
        shape = Shape(*to_fixed_tuple(sizes, SIZES))
        columns = shape.features + shape.actions + (shape.actions if shape.continuous else 1) + 4
        randoms = shape.epochs * shape.samples
        finite = learn(
            floats(arguments, 0, agent, size),
            floats(arguments, 1, agent, size),
            floats(arguments, 2, agent, size),
            ints_at(data(arguments, 3))[agent],
            floats(arguments, 4, agent, shape.samples * columns).reshape((shape.samples, columns)),
            carray(randoms_at(data(arguments, 5) + 4 * randoms * agent), (randoms,)),
            hyper,
            shape,
            floats(results, 0, agent, size),
            floats(results, 1, agent, size),
            floats(results, 2, agent, size),
        )
        bytes_at(data(results, 3))[agent] = finite
    return 0


@functools.cache
def register() -> None:
    """Compile the kernel, or load it from the cache, and tell XLA of it; once in a process."""
    kept, folder = getattr(config, CACHE), cache_folder() / "numba" / _digest()
    setattr(config, CACHE, str(folder))
    try:
        compiled = cfunc(types.int64(types.CPointer(types.int64)), cache=_writable(folder))(handle_call)
    finally:
        setattr(config, CACHE, kept)
    jax.ffi.register_ffi_target(NAME, jax.ffi.pycapsule(ctypes.c_void_p(compiled.address)), platform="cpu")
    _alive.append(compiled)


_alive = []
"""What XLA has the address of."""


def _digest() -> str:
    """A hash of the kernel's source: Numba's cache sees changes in one file alone."""
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return hashlib.sha256(sources + repr(INTERFACE).encode()).hexdigest()[:16]


def _writable(folder: Path) -> bool:
    """Whether something can be kept in a folder; else every start compiles anew, as with XLA's programs."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)
