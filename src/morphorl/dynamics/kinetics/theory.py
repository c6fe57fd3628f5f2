"""Theory of the simplified cell: where a uniform state may rest, and which patterns grow out of it.

All of it is exact for one explicit step of `ReactionDiffusion.step`, guidance γ and ε included, without drive. Source
of the method: Murray, Mathematical Biology II (2003), chapter 2; the algebra with γ, ε and the bound is our own, and
tests check it against `ReactionDiffusion.step`.
"""

import math
from typing import Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from morphorl.config.errors import SettingError
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion, couple

Held = Literal["none", "activator", "inhibitor", "both"]
SIGNS = (1.0, -1.0)
SAMPLES = 200
"""Strengths among which the first at which no pattern grows is sought, before bisection."""
BISECTIONS = 40
REAL = 1e-7
"""Largest imaginary part, relative to its size, of a root that counts as real."""


class FixedPoint(NamedTuple):
    """A uniform state that one step leaves in place, and what becomes of a small uniform disturbance of it."""

    activator: float
    inhibitor: float
    growth: float
    """The largest absolute eigenvalue of the step's Jacobian: a disturbance grows by this factor per step. Infinite
    where an entry is exactly 0 and γ is not, since the sign jumps there."""
    held: Held = "none"
    """Which of the two the bound holds, against a rate that points outwards."""

    @property
    def stable(self) -> bool:
        """Whether small uniform disturbances die out."""
        return self.growth < 1


class Linear(NamedTuple):
    """What linear theory says of one cell under one guidance strength."""

    state: FixedPoint
    """The positive uniform steady state."""
    uniform: float
    """Growth factor per step of a disturbance that is the same in all entries."""
    fastest: float
    """Growth factor per step of the fastest disturbance that is not; a pattern forms where it is above 1."""


def fixed_points(cell: ReactionDiffusion, strength: float) -> list[FixedPoint]:
    """All uniform fixed points within the bound, the largest activator first.

        ρ_a a²/(|h| + ε) − μ_a a + γ sign(a) = 0,  ρ_h a² − μ_h h + γ sign(h) = 0

    Coupling plays no part where all entries are alike. For given signs s_a, s_h the second gives
    h = (ρ_h a² + γ s_h)/μ_h, and the first becomes a cubic in a:

        (γ s_a − μ_a a)(s_h ρ_h a² + γ + ε μ_h) + ρ_a μ_h a² = 0

    A state that the bound holds (`held`) is one if the rate points outwards there. Without production the points with
    a, h ≠ 0 are a = ±γ/μ_a, h = ±γ/μ_h.

    Args:
        strength: γ, per environment step.

    Raises:
        SettingError: for a cell that has a drive, a gate or the coupling `partner`, or whose inhibitor does not decay.
    """
    _check(cell)
    found = [point for s_a in SIGNS for s_h in SIGNS for point in _in_quadrant(cell, strength, s_a, s_h)]
    return sorted(found + _at_zero(cell, strength), key=lambda point: (-point.activator, -point.inhibitor))


def steady_state(cell: ReactionDiffusion, strength: float) -> FixedPoint | None:
    """The positive uniform steady state with γ and ε: of those with a, h > 0 within the bound, the largest a.

    For γ = ε = 0 that is `ReactionDiffusion.steady_state`. None if there is none.
    """
    _check(cell)
    positive = [point for point in _in_quadrant(cell, strength, 1.0, 1.0) if point.held == "none"]
    return max(positive, key=lambda point: point.activator, default=None)


def jacobian(cell: ReactionDiffusion, activator: float, inhibitor: float) -> Float[np.ndarray, "2 2"]:
    """Derivatives of the uniform rates, rows (a, h) by columns (a, h), per environment step; those of γ·sign are 0.

    [[ 2 ρ_a a/(|h| + ε) − μ_a,  −ρ_a a² sign(h)/(|h| + ε)² ],
     [ 2 ρ_h a,                  −μ_h                        ]]
    """
    below = abs(inhibitor) + cell.epsilon
    to_a = [
        2 * cell.activator_production * activator / below - cell.activator_decay,
        -cell.activator_production * activator**2 * np.sign(inhibitor) / below**2,
    ]
    return np.array([to_a, [2 * cell.inhibitor_production * activator, -cell.inhibitor_decay]])


def modes(cell: ReactionDiffusion, shape: tuple[int, int]) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n n"]]:
    """The coupling's eigenvalues in descending order, the uniform mode first, and its eigenvectors as rows.

    They are those of the matrix that `couple` is: 0 and n − 1 times −1 for `mean`, cos(2πj/n) − 1 for `ring`,
    (cos(2πi/features) + cos(2πj/actions))/2 − 1 for `lattice`.

    Args:
        shape: features and actions.
    """
    size = shape[0] * shape[1]
    units = np.eye(size, dtype=np.float32).reshape(size, *shape)
    matrix = np.stack([np.asarray(couple(cell.coupling, jnp.asarray(unit))).ravel() for unit in units], axis=1)
    values, vectors = np.linalg.eigh(matrix.astype(float))
    return values[::-1], vectors.T[::-1]


def growth_factor(cell: ReactionDiffusion, state: FixedPoint, eigenvalue: float) -> float:
    """By which factor per step a disturbance along a mode of the coupling grows around a uniform steady state.

    The spectral radius of I + dt·(J + λ·diag(D_a, D_h)), λ the mode's eigenvalue.
    """
    rates = jacobian(cell, state.activator, state.inhibitor)
    rates = rates + eigenvalue * np.diag([cell.activator_diffusion, cell.inhibitor_diffusion])
    return float(np.abs(np.linalg.eigvals(np.eye(2) + cell.dt * rates)).max())


def linear(cell: ReactionDiffusion, strength: float, shape: tuple[int, int]) -> Linear | None:
    """Steady state and growth of disturbances on a finite lattice; None where there is no positive steady state."""
    return _linear(cell, strength, modes(cell, shape)[0])


def critical_strength(cell: ReactionDiffusion, shape: tuple[int, int]) -> float:
    """The smallest guidance strength γ ≥ 0, per step, at which no non-uniform mode grows any more.

    0 if none grows without guidance. It is sought up to where no activator can activate itself: J_aa < 0 once
    γ > ρ_a μ_h/ρ_h, with ε a little earlier. NaN if a pattern outlives that. A strength at which there is no positive
    steady state has none to form a pattern around.
    """
    eigenvalues = modes(cell, shape)[0]

    def grows(strength: float) -> bool:
        found = _linear(cell, strength, eigenvalues)
        return found is not None and found.fastest > 1

    if not grows(0.0):
        return 0.0
    most = 1.1 * abs(cell.activator_production * cell.inhibitor_decay / cell.inhibitor_production)
    samples = np.linspace(0.0, most, SAMPLES)
    first = next((i for i, strength in enumerate(samples) if not grows(float(strength))), None)
    if first is None:
        return math.nan
    low, high = float(samples[first - 1]), float(samples[first])
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if grows(middle) else (low, middle)
    return (low + high) / 2


def _linear(cell: ReactionDiffusion, strength: float, eigenvalues: Float[np.ndarray, " n"]) -> Linear | None:
    state = steady_state(cell, strength)
    if state is None:
        return None
    uniform, *others = (growth_factor(cell, state, float(value)) for value in eigenvalues)
    return Linear(state, uniform, max(others, default=0.0))


def _check(cell: ReactionDiffusion) -> None:
    if cell.drive:
        raise SettingError(f"dynamics.drive = {cell.drive}: must be 0 here: the kinetics alone have no observation.")
    if cell.coupling == "partner":
        raise SettingError(
            "dynamics.coupling = 'partner': must be 'mean', 'ring' or 'lattice' here; it couples a with h, and no "
            "entry with another, so that no pattern can form."
        )
    if cell.gate != "none":
        raise SettingError(
            f"dynamics.gate = {cell.gate!r}: must be 'none' here: the kinetics alone have no observation."
        )
    if not cell.inhibitor_decay:
        raise SettingError(
            "dynamics.inhibitor_decay = 0: must differ from 0 here, or the inhibitor never comes to rest."
        )


def _in_quadrant(cell: ReactionDiffusion, strength: float, s_a: float, s_h: float) -> list[FixedPoint]:
    """The fixed points whose activator and inhibitor have these signs."""
    return [
        *_free(cell, strength, s_a, s_h),
        *_held_inhibitor(cell, strength, s_a, s_h),
        *_held_activator(cell, strength, s_a, s_h),
    ]


def _free(cell: ReactionDiffusion, strength: float, s_a: float, s_h: float) -> list[FixedPoint]:
    feed, loss = s_h * cell.inhibitor_production, strength + cell.epsilon * cell.inhibitor_decay
    cubic = [
        -cell.activator_decay * feed,
        cell.activator_production * cell.inhibitor_decay + strength * s_a * feed,
        -cell.activator_decay * loss,
        strength * s_a * loss,
    ]
    pairs = [(a, (cell.inhibitor_production * a**2 + strength * s_h) / cell.inhibitor_decay) for a in _roots(cubic)]
    inside = [
        (a, h) for a, h in pairs if a * s_a > 0 and _has_sign(h, s_h, strength) and max(abs(a), abs(h)) < cell.bound
    ]
    return [FixedPoint(a, h, _radius(cell, a, h, "none")) for a, h in inside]


def _has_sign(h: float, s_h: float, strength: float) -> bool:
    """Whether h lies on this side of 0; without guidance an h of exactly 0 (no production) is taken with the upper."""
    return h * s_h > 0 or (h == 0 and s_h > 0 and not strength)


def _held_inhibitor(cell: ReactionDiffusion, strength: float, s_a: float, s_h: float) -> list[FixedPoint]:
    """h at the bound; a free, a root of ρ_a a²/(bound + ε) − μ_a a + γ s_a."""
    if not math.isfinite(cell.bound):
        return []
    h = s_h * cell.bound
    square = [cell.activator_production / (cell.bound + cell.epsilon), -cell.activator_decay, strength * s_a]
    inside = [a for a in _roots(square) if a * s_a > 0 and abs(a) < cell.bound and _outwards(cell, strength, a, h)[1]]
    return [FixedPoint(a, h, _radius(cell, a, h, "inhibitor"), "inhibitor") for a in inside]


def _held_activator(cell: ReactionDiffusion, strength: float, s_a: float, s_h: float) -> list[FixedPoint]:
    """a at the bound; h free, or at the bound as well."""
    if not math.isfinite(cell.bound):
        return []
    a, found = s_a * cell.bound, []
    free = (cell.inhibitor_production * a**2 + strength * s_h) / cell.inhibitor_decay
    if free * s_h > 0 and abs(free) < cell.bound and _outwards(cell, strength, a, free)[0]:
        found.append(FixedPoint(a, free, _radius(cell, a, free, "activator"), "activator"))
    if all(_outwards(cell, strength, a, s_h * cell.bound)):
        found.append(FixedPoint(a, s_h * cell.bound, 0.0, "both"))
    return found


def _at_zero(cell: ReactionDiffusion, strength: float) -> list[FixedPoint]:
    """a = 0, where sign(a) is 0: h = 0 or ±γ/μ_h. Under guidance the least disturbance leaves it."""
    rests = {0.0} | {s_h * abs(strength / cell.inhibitor_decay) for s_h in SIGNS if strength / cell.inhibitor_decay > 0}
    if not strength and not cell.epsilon:
        return []  # a²/|h| is not defined there
    if not strength:
        growth = max(abs(1 - cell.dt * decay) for decay in (cell.activator_decay, cell.inhibitor_decay))
        return [FixedPoint(0.0, 0.0, growth)]
    return [FixedPoint(0.0, h, math.inf) for h in rests if abs(h) < cell.bound]


def _outwards(cell: ReactionDiffusion, strength: float, a: float, h: float) -> tuple[bool, bool]:
    """Whether the rates of a and of h point away from 0."""
    rate_a = cell.activator_production * a**2 / (abs(h) + cell.epsilon) - cell.activator_decay * a
    rate_h = cell.inhibitor_production * a**2 - cell.inhibitor_decay * h
    rates = rate_a + strength * np.sign(a), rate_h + strength * np.sign(h)
    return bool(rates[0] * a > 0), bool(rates[1] * h > 0)


def _radius(cell: ReactionDiffusion, a: float, h: float, held: Held) -> float:
    """The largest absolute eigenvalue of one uniform step; what the bound holds does not answer to a disturbance."""
    step = np.eye(2) + cell.dt * jacobian(cell, a, h)
    step[[name == held for name in ("activator", "inhibitor")]] = 0
    return float(np.abs(np.linalg.eigvals(step)).max())


def _roots(coefficients: list[float]) -> list[float]:
    """The real roots of a polynomial, highest power first; none where all coefficients but the last are 0."""
    roots = np.roots(np.asarray(coefficients, float))
    return [float(root.real) for root in roots if abs(root.imag) <= REAL * max(abs(root), 1e-12)]
