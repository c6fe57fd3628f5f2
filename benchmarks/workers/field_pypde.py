"""Worker: the spots, simulated by py-pde with its explicit Euler solver, from a start in a file.

Usage: field_pypde.py BACKEND LENGTH TIME STEPS START.npy END.npy
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


def main(backend: str, length: float, time: float, steps: int, start: str, end: str) -> None:
    """Simulate, whenever told; the stepping function is made and compiled once, before the first repeat's end."""
    fields = np.load(start)
    grid = pde.CartesianGrid([[0, length]] * 2, fields.shape[1:], periodic=True)
    state = pde.FieldCollection([pde.ScalarField(grid, field) for field in fields], labels=["a", "h"])
    step = EulerSolver(pde.PDE(RATES), backend=backend).make_stepper(state, dt=time / steps)
    written = False

    def repeat() -> float:
        nonlocal written
        copy = state.copy()
        step(copy, 0.0, time)
        if not written:
            np.save(end, copy.data)
            written = True
        return time

    work.serve(repeat)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]), *sys.argv[5:7])
