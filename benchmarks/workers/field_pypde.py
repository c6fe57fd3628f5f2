"""Worker: the spots, simulated by py-pde's explicit Euler solver on the sites of a start in a file.

Usage: field_pypde.py BACKEND LAPLACIAN STEPS TOLERANCE LENGTH TIME START.npy END.npy

LAPLACIAN is `differences` or `spectral` (numba alone, by rocket-fft); TOLERANCE is that of the adaptive solver, 0 for
steps of one size.
"""

import sys

import numpy as np
import pde
import work
from pde.solvers import EulerSolver

RATES = {
    "a": "0.005 * laplace(a) + 0.01 * a**2 / h - 0.01 * a",
    "h": "0.2 * laplace(h) + 0.02 * a**2 - 0.02 * h",
}


def main(
    backend: str, laplacian: str, steps: int, tolerance: float, length: float, time: float, start: str, end: str
) -> None:
    """Simulate, whenever told; the stepping function is made and compiled once, before the first repeat's end."""
    pde.config["backend.numba.use_spectral"] = laplacian == "spectral"
    fields = np.load(start)
    grid = pde.CartesianGrid([[0, length]] * 2, fields.shape[1:], periodic=True)
    state = pde.FieldCollection([pde.ScalarField(grid, field) for field in fields], labels=["a", "h"])
    solver = EulerSolver(pde.PDE(RATES), backend=backend, adaptive=tolerance > 0, tolerance=tolerance or 1.0)
    step = solver.make_stepper(state, dt=time / steps)

    def repeat() -> float:
        solver.info["dt"] = time / steps  # the adaptive solver would begin with the last step that it took
        copy = state.copy()
        step(copy, 0.0, time)
        np.save(end, copy.data)
        return time

    work.serve(repeat)


if __name__ == "__main__":
    numbers = int(sys.argv[3]), *map(float, sys.argv[4:7])
    main(*sys.argv[1:3], *numbers, *sys.argv[7:9])
