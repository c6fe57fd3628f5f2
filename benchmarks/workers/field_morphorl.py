"""Worker: the spots, simulated by morphorl in single precision, from a start in a file.

Usage: field_morphorl.py ORDER LENGTH TIME STEPS START.npy END.npy
"""

import sys

import work

from morphorl.config.devices import use_all_cores

use_all_cores()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, Grid, advance, solver  # noqa: E402


def main(order: int, length: float, time: float, steps: int, start: str, end: str) -> None:
    """Simulate, whenever told; the scheme's coefficients are computed once, as is py-pde's stepping function."""
    fields = np.load(start).astype(np.float32)
    prepared = jax.jit(solver, static_argnames="order")(
        PRESETS["spots"], Grid(2, fields.shape[1], length), time / steps, order=order
    )
    forward = jax.jit(advance, static_argnames="steps")
    written = False

    def repeat() -> float:
        nonlocal written
        field = np.asarray(forward(prepared, jnp.asarray(fields), steps=steps)[0])
        if not written:
            np.save(end, field)
            written = True
        return time

    work.serve(repeat)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:7])
