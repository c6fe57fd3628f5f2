"""Worker: the rate at which XLA does the matrix products that most of an update consists of, and nothing else.

The processor may do more: products of large matrices run faster, but an agent's networks have none.

Usage: ceiling.py AGENTS LOOPS
"""

import sys

import work

from morphorl.config.devices import use_all_cores

use_all_cores()

import jax  # noqa: E402
from jax.sharding import AxisType, PartitionSpec  # noqa: E402

WIDTH = work.HIDDEN[0]
FLOP_PER_LOOP = 3 * 2 * WIDTH * WIDTH * work.MINIBATCH


def products(loops: int, weight: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Per loop, the three products of a 64 × 64 layer on a minibatch of 256 columns: W x, Wᵀ y and y xᵀ.

    The weight is orthogonal, so that Wᵀ W x = x neither grows nor shrinks; each loop needs the results of the one
    before, so that none can be left out.
    """

    def loop(_, carry):
        weight, x = carry
        y = weight @ x
        return weight - 1e-12 * (y @ x.T), weight.T @ y

    return jax.lax.fori_loop(0, loops, loop, (weight, x))


def main(agents: int, loops: int) -> None:
    """Multiply matrices for `agents` agents at once, divided among the cores as the engine divides runs."""
    mesh = jax.make_mesh((len(jax.devices()),), ("runs",), axis_types=(AxisType.Auto,))
    mapped = jax.vmap(lambda weight, x: products(loops, weight, x))
    spec = PartitionSpec("runs")
    multiply = jax.jit(jax.shard_map(mapped, mesh=mesh, in_specs=(spec, spec), out_specs=spec, check_vma=False))
    keys = jax.random.split(jax.random.key(0), agents)
    weights = jax.vmap(lambda key: jax.random.orthogonal(key, WIDTH))(keys)
    x = jax.random.normal(keys[0], (agents, WIDTH, work.MINIBATCH))

    def repeat() -> float:
        jax.block_until_ready(multiply(weights, x))
        return agents * loops * FLOP_PER_LOOP

    work.serve(repeat)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
