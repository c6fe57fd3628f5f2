"""Updates as users get them, compared with double precision; and products that are wrong, which must be seen."""

import re

import jax
import pytest

from morphorl.ppo import kernels, networks
from morphorl.studies import number_check
from morphorl.studies.number_check import Difference

pytestmark = pytest.mark.optimised


@pytest.fixture(scope="module")
def made():
    return number_check.updates()


def test_updates_agree_with_double_precision_with_and_without_fused_products(made):
    for updates in (made, number_check.learned_without_library(made)):
        assert 1e-6 < number_check.largest_difference(updates).size < number_check.ALLOWED / 3


@pytest.mark.skipif(kernels.unavailable() is not None, reason="the fused kernel cannot be used here")
def test_the_fused_kernels_updates_agree_too_and_in_no_other_order(made):
    again = number_check.learned_by_fused(made)
    assert 1e-7 < number_check.largest_difference(again).size < number_check.ALLOWED / 3
    other = [one._replace(orders=first.orders) for one, first in zip(again, made, strict=True)]
    assert number_check.largest_difference(other).size > number_check.ALLOWED


def loses_a_column(weight, bias, x):
    return weight, bias, x.at[:, -1].set(0.0)


def rounds_factors_to_8_bits(weight, bias, x):
    return jax.lax.reduce_precision(weight, 8, 7), bias, jax.lax.reduce_precision(x, 8, 7)


@pytest.mark.parametrize(
    ("wrong", "least", "most"),
    [
        (loses_a_column, 10 * number_check.ALLOWED, 10),
        (rounds_factors_to_8_bits, number_check.ALLOWED, number_check.ALLOWED_ELSEWHERE),
    ],
)
def test_a_wrong_product_is_seen(wrong, least, most, made, monkeypatch):
    right = networks.layer
    monkeypatch.setattr(networks, "layer", lambda *factors: right(*wrong(*factors[:3]), factors[3]))
    found = number_check.largest_difference(number_check.learned_without_library(made))
    assert least < found.size < most


def test_a_logit_or_a_readout_that_is_off_is_seen(made):
    for name, what in (("logits", "the logits"), ("readout", "the readouts")):
        rollout = made[0].rollout
        off = rollout._replace(**{name: getattr(rollout, name).at[:, -1, :, -1].multiply(1.1)})
        assert number_check.largest_difference([made[0]._replace(rollout=off)]).size > number_check.ALLOWED, what


@pytest.mark.parametrize(
    ("on", "off", "said"),
    [
        (0.2, 1e-5, "with fused products on; .* or set XLA_FLAGS=--xla_cpu_experimental_ynn_fusion_type= to do"),
        (1e-5, 0.2, r"with fused products off; .*: install another version\.$"),
        (0.2, 0.3, r"differ from float64 by 3e-01 .* with fused products on and off; .*: install another version\.$"),
        (float("inf"), 1e-5, "by inf of their size"),
    ],
)
def test_what_disagrees_is_told_and_what_to_do(on, off, said):
    found = {" on": Difference(on, "the logits"), " off": Difference(off, "the logits")}
    right, sentence = number_check.judge(found)
    assert not right
    assert re.search(said, sentence)
