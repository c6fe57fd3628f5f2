"""Worker: the spots, simulated by morphorl in single precision, from a start in a file, on a grid of its own.

Usage: field_morphorl.py ORDER SIZE STEPS LENGTH TIME START.npy END.npy
"""

import sys

import work

from morphorl.config.devices import use_all_cores

use_all_cores()

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
from jaxtyping import Array, Float  # noqa: E402

from morphorl.dynamics.pde.gierer_meinhardt import PRESETS, Grid, resample, simulate  # noqa: E402

TIMES = 20
"""Simulations of one repeat: a single one takes a few milliseconds, in which a clock sees little but the machine."""


def main(order: int, size: int, steps: int, length: float, time: float, start: str, end: str) -> None:
    """Simulate, whenever told: from the sites of the start to the coarser grid, through time, and back to those sites.

    The scheme's coefficients are computed in every simulation.
    """
    fields = np.load(start).astype(np.float32)
    grid = Grid(2, size, length)

    @jax.jit
    def simulated(fields: Float[Array, "2 *grid"]) -> Float[Array, "2 *grid"]:
        coarse = resample(fields, size)
        return resample(simulate(PRESETS["spots"], grid, coarse, time / steps, steps, order)[0], fields.shape[-1])

    def repeat() -> float:
        for _ in range(TIMES):
            result = np.asarray(simulated(jnp.asarray(fields)))
        np.save(end, result)
        return TIMES * time

    work.serve(repeat)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]), *sys.argv[6:8])
