"""The tests' own programs compile quickly, and those of tests marked `optimised` as users get them."""

import jax
import pytest
from jax._src import compiler  # which has no public name

from helpers.quick_compiling import OLDER_EMITTERS


def options():
    return compiler.get_compile_options(num_replicas=1, num_partitions=2)


def test_programs_compile_by_the_older_emitters_and_without_optimisations():
    asked = options()
    assert OLDER_EMITTERS in asked.SerializeAsString()
    assert asked.num_partitions == 2
    assert asked.executable_build_options.debug_options.xla_backend_optimization_level == 0
    assert jax.jit(lambda x: x + 1)(1.0) == 2


@pytest.mark.optimised
def test_optimised_programs_compile_as_users_get_them():
    asked = options()
    assert OLDER_EMITTERS not in asked.SerializeAsString()
    assert asked.executable_build_options.debug_options.xla_backend_optimization_level > 0
