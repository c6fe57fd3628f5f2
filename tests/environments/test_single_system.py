"""One system stepped in Python goes where the same system goes in JAX, and is left to JAX where it must be."""

import pickle

import jax.numpy as jnp
import numpy as np
import pytest
from gymnasium import spaces
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.config import kinds
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.environments.append_options import Options, appended
from morphorl.environments.parallel_systems import ParallelSystems
from morphorl.environments.single_system import Numbers, SingleSystem

SPACE, ACTIONS = spaces.Box(-1, 1, (4,), np.float32), spaces.Discrete(2)


class Root(Dynamics):
    """m ← √m + 10²⁹·x: no real number where m < 0, and none of float32 where x > 3·10⁹."""

    def init(self, key, shape):
        return jnp.ones(shape[0])

    def step(self, state, observation, guide):
        return jnp.sqrt(state) + 1e29 * observation

    def read(self, state, observation):
        return state


class Sorted(Root):
    """m ← what is in order of x and m/2: an operation that is not translated."""

    def step(self, state, observation, guide):
        return jnp.sort(observation + state / 2)


def both(system):
    """A system in Python and the same one in JAX."""
    one = appended(SPACE, ACTIONS, Options(system, None, None, 1.0, None, 3))
    return SingleSystem(one, 3), ParallelSystems(one, 1, 3)


def shown(systems, seen):
    """What a system shows of each observation, in episodes of 500 steps."""
    starts = [np.ones(1, bool) if n % 500 == 0 else None for n in range(len(seen))]
    return np.concatenate([systems.see(x[None], start) for x, start in zip(seen, starts, strict=True)])


def is_translated(name):
    """Of our systems those that a wrapper takes, but the one whose 64 sites are left to JAX."""
    system = kinds.resolve(Dynamics, name)
    taken = system.sees == "observation" and system.noise is Dynamics.noise
    return taken and name not in ("none", "gierer_meinhardt")


@pytest.mark.parametrize("name", [name for name in kinds.names(Dynamics) if is_translated(name)])
def test_a_thousand_steps_go_where_jax_goes(name):
    """To 10⁻⁶ of the largest number; the two are never brought together again.

    A phase that only adds up keeps every rounding of single precision, up to 2·10⁻⁷ a step.
    """
    python, in_jax = both(kinds.resolve(Dynamics, name)())
    seen = np.random.default_rng(0).normal(size=(1_000, 4)).astype(np.float32)
    expected = shown(in_jax, seen)
    error = 1_000 * 2e-7 if name in ("clock", "independent_sines") else 1e-6
    assert_allclose(shown(python, seen), expected, rtol=0, atol=error * np.abs(expected).max())
    assert "_step" not in vars(python), "no step was left to JAX"


def test_a_system_that_is_not_translated_runs_in_jax():
    seen = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    python, in_jax = both(Sorted())
    assert_array_equal(shown(python, seen), shown(in_jax, seen))
    assert python._advance is None


def test_steps_that_leave_the_real_numbers_are_left_to_jax():
    """Roots of negative numbers, and what float32 does not hold; in Python again as soon as that is over."""
    seen = np.full((6, 4), 0.1, np.float32)
    seen[1], seen[2], seen[4] = (-3, 0, 0, 0), (0, 1e10, 0, 0), 0.2
    python, in_jax = both(Root())
    first = np.ones(1, bool)
    rows = [
        [one.see(x[None], first if n in (0, 4) else None)[0] for n, x in enumerate(seen)] for one in (python, in_jax)
    ]
    assert_allclose(*rows, rtol=1e-6)
    assert np.isnan(rows[0][2][4])
    assert np.isposinf(rows[0][2][5])
    assert isinstance(python.state, Numbers)


def test_it_goes_on_from_a_pickle_and_between_the_two_ways():
    """In whichever way a step is computed, it goes on from the one before it."""
    seen = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    python, in_jax = both(ReactionDiffusion(drive=0.3, reset="redraw"))
    expected = shown(in_jax, seen)
    shown(python, seen[:3])
    fresh = pickle.loads(pickle.dumps(python))
    fresh._advance = None
    rows = [[one.see(x[None])[0] for x in seen[3:]] for one in (python, fresh)]
    assert_allclose(rows, [expected[3:]] * 2, atol=1e-6)
