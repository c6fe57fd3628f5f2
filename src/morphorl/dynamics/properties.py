"""What can be known of a system by trying it: whether others may build on it what they build.

All take a system whose settings are plain numbers, as those of a run are before they become a part of a program.
"""

import dataclasses
import functools
from collections.abc import Hashable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from morphorl.dynamics.base import Dynamics, Shape, call
from morphorl.dynamics.learned_parameters import space_of

SMALL: Shape = (3, 2)
"""Features and actions that systems are tried with; what is looked for does not depend on their number."""


_guided: dict[Hashable, tuple[bool, ...]] = {}
"""What `guided_states` has found, by structure."""


def guided_states(system: Dynamics) -> tuple[bool, ...]:
    """For each call of `guide` in a step of a system, whether it is for the state that is read out.

    Choices decide which calls there are. Numbers cannot, since in a program they are not known: systems that differ in
    numbers alone are traced once.
    """
    structure = jax.tree.structure(system)
    if structure not in _guided:
        _guided[structure] = _calls_of_guide(system)
    return _guided[structure]


def _calls_of_guide(system: Dynamics) -> tuple[bool, ...]:
    calls: list[bool] = []

    def guide(u, *, read: bool = False):
        calls.append(read)
        return jnp.zeros_like(u)

    def step():
        key = jax.random.key(0)
        noise = jax.tree.map(lambda u: u[..., 0], system.noise(key, SMALL, (1,)))
        offered = {"constants": system.constants(key, SMALL), "noise": noise}
        return call(system.step, offered, system.init(key, SMALL), jnp.zeros(SMALL[0]), guide)

    jax.eval_shape(step)
    return tuple(calls)


def learnable_numbers(system: Dynamics) -> list[str]:
    """The settings of a system that could be learned, by name."""
    return [field.name for field in dataclasses.fields(system) if space_of(system, field.name)]


@functools.lru_cache(maxsize=256)
def constants_depend_on(system: Dynamics, shape: Shape = SMALL) -> tuple[str, ...]:
    """The learnable settings on which a system's constants depend, by name.

    Constants are drawn once a run, from the numbers that it starts with. Learning would change the number and leave the
    constant as it is, and the gradient through the constant would be missing.

    The program of `constants` is followed from its inputs to its outputs, and never run.
    """
    if type(system).constants is Dynamics.constants:
        return ()
    return tuple(name for name in learnable_numbers(system) if _reaches_constants(system, name, shape))


def _reaches_constants(system: Dynamics, name: str, shape: Shape) -> bool:
    def constants(value):
        changed = eqx.tree_at(lambda one: getattr(one, name), system, value)
        return eqx.filter(changed.constants(jax.random.key(0), shape), eqx.is_array)

    try:
        program = jax.make_jaxpr(constants)(jnp.float32(getattr(system, name))).jaxpr
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError):
        return True  # it is used outside JAX, where no gradient can follow
    reached = {id(variable) for variable in program.invars}
    for equation in program.eqns:
        if any(id(variable) in reached for variable in equation.invars):
            reached |= {id(variable) for variable in equation.outvars}
    return any(id(variable) in reached for variable in program.outvars)


@functools.lru_cache(maxsize=256)
def exchanges(system: Dynamics, shape: Shape = SMALL) -> bool:
    """Whether parallel environments change each other's states (`Dynamics.exchange`) under the system's settings."""
    if type(system).exchange is Dynamics.exchange:
        return False
    states = jax.tree.map(lambda u: _any(*u.shape, 3), _state(system, shape))
    after = system.exchange(states, None)
    return any(bool((x != y).any()) for x, y in zip(jax.tree.leaves(states), jax.tree.leaves(after), strict=True))


@functools.lru_cache(maxsize=256)
def reads_out_what_it_guides(system: Dynamics, shape: Shape = SMALL) -> bool:
    """Whether the state u for which `guide(u, read=True)` is asked is read out as o_k = Σ_i x_i·u_ik.

    Looks at ∂o_k/∂u_ij = x_i·δ_kj. A readout that chance changes is none of u and x alone.
    """
    if type(system).noise is not Dynamics.noise or not system.is_readable:
        return False
    place = _place_of_what_it_guides(system, shape)
    leaves, structure = jax.tree.flatten(jax.tree.map(lambda u: _any(*u.shape), _state(system, shape)))
    if place is None or leaves[place].shape != shape:
        return False
    observation = jnp.linspace(-1.0, 2.0, shape[0])
    expected = np.asarray(observation)[None, :, None] * np.eye(shape[1])[:, None, :]
    state = jax.tree.unflatten(structure, leaves)
    found = np.asarray(_readout_gradient(jax.tree.map(jnp.float32, system), state, observation, place, shape))
    return found.shape == expected.shape and np.allclose(found, expected, rtol=1e-4, atol=1e-5)


@functools.partial(jax.jit, static_argnames=("place", "shape"))
def _readout_gradient(
    system: Dynamics, state: PyTree, observation: Float[Array, " features"], place: int, shape: Shape
) -> Float[Array, "..."]:
    """∂o/∂u for one array u of a state; compiled once for all systems that differ in numbers."""
    leaves, structure = jax.tree.flatten(state)
    offered = {"constants": system.constants(jax.random.key(0), shape), "noise": None}

    def readout(u):
        changed = [*leaves[:place], u, *leaves[place + 1 :]]
        return call(system.read, offered, jax.tree.unflatten(structure, changed), observation)

    return jax.jacobian(readout)(leaves[place])


def _place_of_what_it_guides(system: Dynamics, shape: Shape) -> int | None:
    """Which array of the state a step calls `guide(u, read=True)` for; None unless it is just one."""
    places: set[int | None] = set()

    def step():
        key = jax.random.key(0)
        state, offered = system.init(key, shape), {"constants": system.constants(key, shape), "noise": None}

        def guide(u, *, read: bool = False):
            same = (i for i, leaf in enumerate(jax.tree.leaves(state)) if leaf is u)
            places.update({next(same, None)} if read else ())
            return jnp.zeros_like(u)

        return call(system.step, offered, state, jnp.zeros(shape[0]), guide)

    jax.eval_shape(step)
    return next(iter(places)) if len(places) == 1 else None


def _state(system: Dynamics, shape: Shape) -> PyTree:
    """The shapes of a state; nothing is computed."""
    return jax.eval_shape(lambda key: system.init(key, shape), jax.random.key(0))


def _any(*shape: int) -> Float[np.ndarray, "..."]:
    """Numbers of both signs that are the same every time."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)
