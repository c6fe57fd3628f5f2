"""Blending: the formulas, and the values at which it must do nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.dynamics.blending import Blend, blend

LOGITS = jnp.array([[1.5, -2.0, 0.0], [0.3, 1e4, -1e-4]])
READOUT = jnp.array([[-0.7, 9.0, 3.0], [2.0, -4.0, 0.1]])


@pytest.mark.parametrize("weight", [-0.5, 0.0, 0.3, 1.0, 2.0])
def test_blends_are_the_documented_formulas(weight):
    z, o = np.asarray(LOGITS, float), np.asarray(READOUT, float)
    average = (1 - weight) * z + weight * o
    assert_allclose(blend(Blend("average", weight), LOGITS, READOUT), average, rtol=1e-5, atol=1e-6)
    assert_allclose(blend(Blend("add", weight), LOGITS, READOUT), z + weight * o, rtol=1e-5, atol=1e-6)
    assert_array_equal(blend(Blend("none", weight), LOGITS, READOUT), LOGITS)


def test_the_post_averages_with_a_weight_of_three_tenths():
    assert Blend() == Blend("average", 0.3, distil=0.0)


@pytest.mark.parametrize("kind", ["average", "add", "none"])
def test_a_weight_of_zero_leaves_the_logits_exactly_as_they_are_compiled_or_not(kind):
    for call in (blend, jax.jit(blend)):
        assert_array_equal(call(Blend(kind, 0.0), LOGITS, READOUT), LOGITS)


def test_an_average_of_full_weight_is_exactly_the_readout():
    assert_array_equal(blend(Blend("average", 1.0), LOGITS, READOUT), READOUT)


def test_no_blend_ignores_even_a_broken_readout():
    assert_array_equal(blend(Blend("none"), LOGITS, jnp.full_like(LOGITS, jnp.nan)), LOGITS)


def test_a_readout_of_zeros_shrinks_the_average_and_leaves_the_sum():
    zeros = jnp.zeros_like(LOGITS)
    assert_allclose(blend(Blend("average", 0.3), LOGITS, zeros), 0.7 * LOGITS, rtol=1e-6)
    assert_array_equal(blend(Blend("add", 0.3), LOGITS, zeros), LOGITS)


@pytest.mark.parametrize(("kind", "slope"), [("average", 0.7), ("add", 1.0), ("none", 1.0)])
def test_the_gradient_that_reaches_the_network_is_the_share_of_its_logits(kind, slope):
    gradient = jax.grad(lambda z: blend(Blend(kind, 0.3), z, READOUT).sum())(LOGITS)
    assert_allclose(gradient, jnp.full_like(LOGITS, slope), rtol=1e-6)


@pytest.mark.parametrize("kind", ["average", "add", "none"])
def test_a_vmapped_sweep_of_weights_is_a_loop_over_them(kind):
    weights = (0.0, 0.3, 1.0, -2.0)
    sweep = jax.tree.map(lambda *w: jnp.array(w), *(Blend(kind, weight) for weight in weights))
    swept = jax.vmap(blend, in_axes=(0, None, None))(sweep, LOGITS, READOUT)
    for row, weight in zip(swept, weights, strict=True):
        assert_allclose(row, blend(Blend(kind, weight), LOGITS, READOUT), rtol=1e-6)
