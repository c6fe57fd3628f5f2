"""Balanced designs: a small fraction of a large cross, in which main effects can still be told apart."""

import numpy as np
from jaxtyping import Float, Integer

ROUNDS = 100
"""Most rounds of exchanges of one start; a design is at its best after some ten."""

Design = Integer[np.ndarray, "runs axes"]
"""The index of each run's level on every axis."""


def balanced(levels: list[int], runs: int, starts: int = 200, seed: int = 0) -> Design:
    """A design whose levels are equally frequent, and whose pairs of levels are as equally frequent as can be found.

    Every axis begins as a shuffled list of equally frequent levels. Then two runs exchange their levels on one axis:
    the pair that lowers the imbalance most, axis by axis, until no exchange does. The best of many such starts is
    taken. The imbalance is counted in whole numbers, so that every machine finds the same design.

    Args:
        levels: the number of levels of each axis.
        runs: the number of runs. A number that levels do not divide leaves their counts 1 apart.
        starts: from how many random designs to begin.
        seed: of these random designs.

    Source: exchange algorithms after Fedorov, "Theory of Optimal Experiments", 1972; the imbalance is the J₂ criterion
    of Xu, "An algorithm for constructing orthogonal and nearly-orthogonal arrays", Technometrics 44, 2002.
    """
    generator = np.random.default_rng(seed)
    found = [_exchanged(_shuffled(levels, runs, generator), levels) for _ in range(starts)]
    return min(found, key=lambda design: imbalance(design, levels))


def imbalance(design: Design, levels: list[int]) -> int:
    """How far pairs of levels are from equally frequent.

    The sum over pairs of axes of L·L'·Σ over cells of (N·n − n_l·n_l')². N is the number of runs, L and L' the numbers
    of levels, n a cell's runs, n_l and n_l' those of its two levels. It is 0 for an orthogonal array.
    """
    columns = [_centred(column, count) for column, count in zip(design.T, levels, strict=True)]
    pairs = [(a, b) for a in range(len(levels)) for b in range(a)]
    return sum(
        levels[a] * levels[b] * int(((columns[a].T @ columns[b]) ** 2).sum()) // len(design) ** 2 for a, b in pairs
    )


def correlations(design: Design, levels: list[int]) -> Float[np.ndarray, "axes axes"]:
    """The largest correlation between any contrast of one axis and any of another (canonical); 1 on the diagonal."""
    bases = [
        np.linalg.qr(contrasts(column, count) - contrasts(column, count).mean(axis=0))[0]
        for column, count in zip(design.T, levels, strict=True)
    ]
    return np.array([[np.linalg.svd(a.T @ b, compute_uv=False)[0] for b in bases] for a in bases])


def contrasts(column: Integer[np.ndarray, " runs"], count: int) -> Float[np.ndarray, "runs contrasts"]:
    """An axis in sum-to-zero coding: a column for each level but the last, which is −1 in all of them."""
    coding = np.concatenate([np.eye(count - 1), -np.ones((1, count - 1))])
    return coding[column]


def _shuffled(levels: list[int], runs: int, generator: np.random.Generator) -> Design:
    return np.stack([generator.permutation(np.arange(runs) % count) for count in levels], axis=1)


def _exchanged(design: Design, levels: list[int]) -> Design:
    design = design.copy()
    for _ in range(ROUNDS):
        improved = [_exchange(design, levels, axis) for axis in range(len(levels))]
        if not any(improved):
            break
    return design


def _exchange(design: Design, levels: list[int], axis: int) -> bool:
    """Exchange the levels of the two runs on one axis that lowers the imbalance most; False if none does.

    With Z the axis, B all others (each weighed by its L) and M = ZᵀB, runs i and j exchange Z's rows: M grows by
    (z_j − z_i)(b_i − b_j)ᵀ, and ‖M‖² by 2·(z_j − z_i)ᵀM(b_i − b_j) + ‖z_j − z_i‖²·‖b_i − b_j‖².
    """
    own = _centred(design[:, axis], levels[axis])
    others = [other for other in range(len(levels)) if other != axis]
    rest = np.concatenate([_centred(design[:, other], levels[other]) for other in others], axis=1)
    weights = np.repeat([levels[other] for other in others], [levels[other] for other in others])
    cross = own @ (own.T @ (rest * weights)) @ rest.T
    diagonal = np.diag(cross)
    growth = 2 * (cross + cross.T - diagonal[:, None] - diagonal) + _distances(own) * _distances(rest, weights)
    one, other = np.unravel_index(np.argmin(growth), growth.shape)
    if growth[one, other] >= 0:
        return False
    design[[one, other], axis] = design[[other, one], axis]
    return True


def _centred(column: Integer[np.ndarray, " runs"], count: int) -> Integer[np.ndarray, "runs count"]:
    """N times whether a run has each level, less the level's runs: whole numbers that sum to 0."""
    has = (column[:, None] == np.arange(count)).astype(np.int64)
    return len(column) * has - has.sum(axis=0)


def _distances(
    rows: Integer[np.ndarray, "runs _"], weights: Integer[np.ndarray, " _"] | int = 1
) -> Integer[np.ndarray, "runs runs"]:
    """Squared distances between all rows."""
    products = (rows * weights) @ rows.T
    norms = np.diag(products)
    return norms[:, None] + norms - 2 * products
