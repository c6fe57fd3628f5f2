"""The physics of MuJoCo's Swimmer: three rods in a plane, in a fluid that drags on them.

The pose is a point (x, y) and the angle θ of each rod. Rod s points along e_s = (cos θ_s, sin θ_s), and across it is
n_s = (−sin θ_s, cos θ_s). The middle of rod b is at (x, y) + Σ_s L_bs e_s, so that it moves at
(x', y') + Σ_s L_bs n_s θ_s'. Lagrange's equations, with (x'', y'') eliminated from those of the angles, are

    Σ_t A_st [cos(θ_s − θ_t) θ_t'' + sin(θ_s − θ_t) θ_t'²] + Σ_t B_st θ_t'' = τ_s + h_s + n_s · Σ_b (L_bs − m l_s/M) f_b
    M (x'', y'') = Σ_b f_b − m Σ_s l_s (n_s θ_s'' − e_s θ_s'²)

    l_s = Σ_b L_bs,    M = 3m + a,    A = m LᵀL − m² l lᵀ/M,    B = I + a DᵀD,    τ = Dᵀ (0, motors).

Here m and I are a rod's mass and moment of inertia. The armature a is an inertia that MuJoCo adds to every coordinate
of its own: x, y, the heading θ_1, and the joints θ_2 − θ_1 and θ_3 − θ_2. D takes the angles to heading and joints. The
fluid's forces f and moments h are in `drag`. What pushes a joint back from its limit is added last (`from_limits`).

Products of three by three are written out (`product`). XLA then makes one loop over a batch of swimmers of them all,
twice as fast as with calls of a library, and no matrix unit rounds them.

Units are the model's own: metres, kilograms, seconds, radians. Every number is from Gymnasium's `swimmer.xml` or one of
MuJoCo's defaults. The models of fluid and limits are in MuJoCo's documentation, "Fluid forces" (the inertia model),
"Constraint model" and "Solver parameters".
"""

import functools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LENGTH, RADIUS, DENSITY = 1.0, 0.1, 1000.0
"""Of a rod: a cylinder of this length, with half a ball at each end."""
FLUID_DENSITY, VISCOSITY = 4000.0, 0.1
ARMATURE = 0.1
GEAR = 150.0
"""Torque of a motor at an action of 1."""
JOINT_LIMIT = math.radians(100)
TIME_STEP = 0.01

CYLINDER, BALL = DENSITY * math.pi * RADIUS**2 * LENGTH, DENSITY * math.pi * RADIUS**3 * 4 / 3
MASS = CYLINDER + BALL
AXIAL_INERTIA = CYLINDER * RADIUS**2 / 2 + BALL * RADIUS**2 * 2 / 5
INERTIA = CYLINDER * (RADIUS**2 / 4 + LENGTH**2 / 12) + BALL * (
    RADIUS**2 * 2 / 5 + LENGTH**2 / 4 + LENGTH * RADIUS * 3 / 8
)
"""Moments of inertia of a rod: about its axis, and across it (about its middle)."""

LEVERS = LENGTH * np.array([[1, 0, 0], [0.5, -0.5, 0], [0.5, -1, -0.5]])
"""L. The first rod is the nose; (x, y) is half a rod behind its rear end, at the body's middle when it is straight."""
JOINTS = np.array([[1, 0, 0], [-1, 1, 0], [0, -1, 1]])
"""D: from the rods' angles to the heading and the two joints."""
TOTAL_MASS = 3 * MASS + ARMATURE
BALANCE = LEVERS.sum(axis=0)
COUPLING = MASS * LEVERS.T @ LEVERS - MASS**2 * np.outer(BALANCE, BALANCE) / TOTAL_MASS
OWN_INERTIA = INERTIA * np.eye(3) + ARMATURE * JOINTS.T @ JOINTS
"""l, A and B: what the equations above call so."""
ARMS = LEVERS - MASS * BALANCE / TOTAL_MASS
"""On which a force at each rod's middle turns each rod."""

WIDTH, BREADTH = math.sqrt(6 * AXIAL_INERTIA / MASS), math.sqrt(6 * (2 * INERTIA - AXIAL_INERTIA) / MASS)
DIAMETER = (2 * WIDTH + BREADTH) / 3
"""Of the box that has a rod's moments of inertia (so wide and high, and so long), and of a ball of its mean size."""
STOKES = 3 * math.pi * DIAMETER * VISCOSITY
ALONG = STOKES, FLUID_DENSITY * WIDTH**2 / 2
ACROSS = STOKES, FLUID_DENSITY * WIDTH * BREADTH / 2
TURNING = math.pi * DIAMETER**3 * VISCOSITY, FLUID_DENSITY * WIDTH * (WIDTH**4 + BREADTH**4) / 64
"""Viscous drag on the ball and quadratic drag on the box: of motions along a rod, across it, and about its middle."""

SOFTEST, STIFFEST, RAMP = 0.9, 0.95, 0.001
"""The impedance of a limit: from 0.9 at it to 0.95 at 0.001 rad beyond it (`solimp`)."""
DAMPING, STIFFNESS = 2 / (STIFFEST * 0.02), 1 / (STIFFEST * 0.02) ** 2
"""Of the way back: critically damped, with a time constant of 0.02 s (`solref`)."""
STRAIGHT_MOBILITY = np.diag(JOINTS @ np.linalg.inv(COUPLING + OWN_INERTIA) @ JOINTS.T)[1:]
"""Acceleration of each joint under a torque of 1 when the swimmer is straight (`dof_invweight0`)."""

Pose = Float[Array, "5"]
"""x, y and the three angles of the rods; likewise their velocities and accelerations."""
Rods = Float[Array, "3"]
"""A number for each rod."""


def from_joints(coordinates: Pose) -> Pose:
    """A pose (or velocity) from MuJoCo's coordinates: x, y, the heading (the nose's angle) and the two joints."""
    return jnp.concatenate([coordinates[:2], product(np.tril(np.ones((3, 3))), coordinates[2:])])


def to_joints(pose: Pose) -> Pose:
    """MuJoCo's coordinates of a pose (or velocity): x, y, the heading and the two joints."""
    return jnp.concatenate([pose[:3], jnp.diff(pose[2:])])


def move(pose: Pose, velocity: Pose, action: Float[Array, "2"], steps: int) -> tuple[Pose, Pose]:
    """Pose and velocity after `steps` steps of `TIME_STEP` under constant actions.

    Args:
        action: of the two motors, in units of `GEAR`; clipped to ±1, as MuJoCo does.
    """
    first, second = GEAR * jnp.clip(action, -1, 1)
    torques = jnp.stack([-first, first - second, second])

    def step(state, _):
        pose, velocity = state
        return runge_kutta(functools.partial(acceleration, torques=torques), pose, velocity, TIME_STEP), None

    return jax.lax.scan(step, (pose, velocity), length=steps)[0]


def runge_kutta(
    acceleration: Callable[[Pose, Pose], Pose], pose: Pose, velocity: Pose, duration: float
) -> tuple[Pose, Pose]:
    """Pose and velocity after one step of the classical Runge-Kutta method of fourth order.

    Its four slopes are a loop: compiled once and not four times, it is also the faster program.
    """
    reaches = duration * jnp.array([0, 1 / 2, 1 / 2, 1], pose.dtype)
    weights = duration * jnp.array([1 / 6, 1 / 3, 1 / 3, 1 / 6], pose.dtype)

    def slope(before, numbers):
        (speed, change), (pose_after, velocity_after) = before
        reach, weight = numbers
        speed, change = velocity + reach * change, acceleration(pose + reach * speed, velocity + reach * change)
        return ((speed, change), (pose_after + weight * speed, velocity_after + weight * change)), None

    still = jnp.zeros_like(pose), jnp.zeros_like(velocity)
    return jax.lax.scan(slope, (still, (pose, velocity)), (reaches, weights))[0][1]


def acceleration(pose: Pose, velocity: Pose, torques: Rods) -> Pose:
    """The second derivatives of a pose, by the equations above.

    Args:
        torques: τ, of the motors on each rod.
    """
    coupling, own_inertia, balance = (jnp.asarray(u, pose.dtype) for u in (COUPLING, OWN_INERTIA, BALANCE))
    cos, sin, spin = jnp.cos(pose[2:]), jnp.sin(pose[2:]), velocity[2:]
    speed_x = velocity[0] - product(LEVERS, sin * spin)
    speed_y = velocity[1] + product(LEVERS, cos * spin)
    along = drag(ALONG, speed_x * cos + speed_y * sin)
    across = drag(ACROSS, speed_y * cos - speed_x * sin)
    force_x, force_y = along * cos - across * sin, along * sin + across * cos

    pull_x = product(ARMS.T, force_x) + product(COUPLING, cos * spin**2)
    pull_y = product(ARMS.T, force_y) + product(COUPLING, sin * spin**2)
    load = torques + drag(TURNING, spin) + cos * pull_y - sin * pull_x
    mobility = inverse(coupling * (jnp.outer(cos, cos) + jnp.outer(sin, sin)) + own_inertia)
    free = product(mobility, load)
    turning = free + from_limits(pose[2:], spin, mobility, free)

    total_x = force_x + MASS * balance * (sin * turning + cos * spin**2)
    total_y = force_y - MASS * balance * (cos * turning - sin * spin**2)
    return jnp.concatenate([jnp.stack([total_x.sum(), total_y.sum()]) / TOTAL_MASS, turning])


def drag(coefficients: tuple[float, float], speed: Rods) -> Rods:
    """The fluid's force against a speed (or its moment against a rate): −(viscous + quadratic · |speed|) · speed."""
    viscous, quadratic = coefficients
    return -(viscous + quadratic * jnp.abs(speed)) * speed


def from_limits(angles: Rods, spin: Rods, mobility: Float[Array, "3 3"], free: Rods) -> Rods:
    """What the limits of the joints add to the angular accelerations `free` of the rods.

    A limit is a soft spring with a damper, and only pushes. A joint that is δ rad beyond it should come back with the
    acceleration a* = stiffness · d(δ) · δ − damping · rate (all signs towards the inside). The limit itself yields, by
    the mobility R = (1 − d)/d times that of the joint when the swimmer is straight. Its force minimises
    ½ f (W + R) f + f (a − a*) over f ≥ 0, where a is the joint's acceleration without it, and W the mobility of the
    joints where they are.

    Source: MuJoCo's documentation, "Constraint model"; its Newton solver finds the same minimum.
    """
    joint, rate = jnp.diff(angles), jnp.diff(spin)
    beyond = jnp.abs(joint) - JOINT_LIMIT
    inside = jnp.where(beyond > 0, -jnp.sign(joint), 0)
    depth = jnp.clip(beyond / RAMP, 0, 1)
    impedance = SOFTEST + (STIFFEST - SOFTEST) * jnp.where(depth < 0.5, 2 * depth**2, 1 - 2 * (1 - depth) ** 2)
    yielding = (1 - impedance) / impedance * jnp.asarray(STRAIGHT_MOBILITY, joint.dtype)
    response = inside[:, None] * jnp.diff(mobility, axis=0)
    wanted = STIFFNESS * impedance * beyond - inside * (DAMPING * rate + jnp.diff(free))
    own = inside * jnp.stack([response[0, 1] - response[0, 0], response[1, 2] - response[1, 1]]) + yielding
    force = push(own, inside[1] * (response[0, 2] - response[0, 1]), wanted)
    return force[0] * response[0] + force[1] * response[1]


def push(own: Float[Array, "2"], mutual: Float[Array, ""], wanted: Float[Array, "2"]) -> Float[Array, "2"]:
    """The f ≥ 0 that minimises ½ fᵀ W f − f · wanted, for W = [[own_1, mutual], [mutual, own_2]], positive definite.

    It is where the gradient vanishes, if that is nowhere negative; else on one of the axes, the lower of the two.
    """
    both = (own[::-1] * wanted - mutual * wanted[::-1]) / (own[0] * own[1] - mutual**2)
    alone = jnp.maximum(wanted, 0) / own
    gain = alone * jnp.maximum(wanted, 0)
    lower = jnp.stack([gain[0] > gain[1], gain[0] <= gain[1]])
    return jnp.where(jnp.all(both >= 0), both, jnp.where(lower, alone, 0))


def product(matrix: Float[Array | np.ndarray, "3 3"], vector: Rods) -> Rods:
    """A matrix times a vector, written out, in the vector's precision."""
    a, b, c = jnp.asarray(matrix, vector.dtype).T
    return a * vector[0] + b * vector[1] + c * vector[2]


def inverse(matrix: Float[Array, "3 3"]) -> Float[Array, "3 3"]:
    """The inverse of a symmetric matrix, by its cofactors: the cross products of its rows."""
    a, b, c = matrix
    cofactors = jnp.stack([jnp.cross(b, c), jnp.cross(c, a), jnp.cross(a, b)])
    return cofactors / (a * cofactors[0]).sum()
