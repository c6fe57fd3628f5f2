"""Fast weights: what guidance adds at each step, less what is forgotten."""

import jax
import jax.numpy as jnp
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.dynamics.fast_weights import FastWeights


def test_weights_under_constant_guidance_follow_the_geometric_sum():
    system, x = FastWeights(decay=0.1), jnp.array([1.0, 2.0, 3.0])
    weights = system.init(jax.random.key(0), (3, 2))
    assert_array_equal(weights, 0)
    added = jnp.array([[0.2, -0.1], [0.0, 0.3], [1.0, 0.5]])
    for _ in range(5):
        weights = system.step(weights, x, lambda u, *, read=False: added)
    assert_allclose(weights, added * (1 - 0.9**5) / 0.1, rtol=1e-5)
    assert_allclose(system.read(weights, x), x @ weights, rtol=1e-6)
