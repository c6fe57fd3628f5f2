"""Worker: the rate of fused multiply-adds that the processor reaches in registers, on every core at once.

Usage: peak.py LOOPS
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import work

from morphorl.ppo.fused import kernel
from morphorl.ppo.fused.vectors import FLAGS, LANES, f32, fma, full, load, store

CORES = len(os.sched_getaffinity(0))
VECTORS = 12 if kernel.WIDE > 1 else 6
"""Independent sums: enough to hide the latency of an addition, few enough for the registers."""


def body(sums):
    """One multiply-add for each sum, as Python's source: Numba needs one variable for each register."""
    names = [f"s{i}" for i in range(sums)]
    lines = ["def loop(n, room):", "    a, b = full(f32(0.999)), full(f32(0.001))"]
    lines += [f"    {name} = load(room, {LANES * i})" for i, name in enumerate(names)]
    lines += ["    for _ in range(n):"]
    lines += [f"        {name} = fma({name}, a, b)" for name in names]
    lines += [f"    store(room, {LANES * i}, {name})" for i, name in enumerate(names)]
    return "\n".join(lines)


def main(loops: int) -> None:
    """Add and multiply on every core, whenever told."""
    scope = {"full": full, "f32": f32, "load": load, "store": store, "fma": fma}
    exec(body(VECTORS), scope)
    compiled = numba.njit(nogil=True, fastmath=set(FLAGS))(scope["loop"])
    rooms = [np.zeros(LANES * VECTORS, np.float32) for _ in range(CORES)]
    pool = ThreadPoolExecutor(CORES)

    def repeat() -> float:
        list(pool.map(lambda room: compiled(loops, room), rooms))
        return 2.0 * CORES * loops * VECTORS * LANES

    work.serve(repeat)


if __name__ == "__main__":
    main(int(sys.argv[1]))
