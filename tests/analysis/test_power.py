"""How many seeds would be needed: against Student's power in closed form, and in simulated studies."""

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from morphorl.analysis import power
from morphorl.analysis.bootstrap import EvidenceError


def students_power(effect, n):
    """Of a two-sample t-test at 5%, one side, for normal scores of variance 1."""
    freedom, distance = 2 * (n - 1), effect * np.sqrt(n / 2)
    return scipy.stats.nct.sf(scipy.stats.t.ppf(0.975, freedom), freedom, distance)


@pytest.mark.parametrize(("n", "effect"), [(10, 1.2), (16, 1.0), (64, 0.5)])
def test_drawn_from_many_normal_seeds_the_power_is_students(n, effect):
    scores = scipy.stats.norm.ppf((np.arange(100) + 0.5) / 100)  # a normal population, without the luck of a sample
    scores /= scores.std(ddof=1)
    assert_allclose(power.found(scores + effect, scores, n).value, students_power(effect, n), atol=0.025)


def test_the_seeds_that_are_needed_are_those_of_students_formula():
    scores = scipy.stats.norm.ppf((np.arange(40) + 0.5) / 40)
    scores /= scores.std(ddof=1)
    found = power.needed(scores, scores + 0.8)  # either way round
    exact = next(n for n in power.SIZES if students_power(0.8, n) >= power.WANTED)
    assert abs(power.SIZES.index(found.seeds) - power.SIZES.index(exact)) <= 1
    assert found.low <= found.seeds <= found.high


def test_the_interval_holds_the_true_power_in_most_studies():
    generator, n, effect = np.random.default_rng(0), 16, 1.0
    true, held = students_power(effect, n), 0
    for _ in range(30):
        x, y = generator.normal(effect, size=16), generator.normal(size=16)
        if x.mean() > y.mean():
            found = power.found(x, y, n)
            held += found.low <= true <= found.high
    assert held >= 25  # of 30; benchmarks/coverage.py counts more


def test_more_than_were_tried_is_infinite_and_the_impossible_is_refused():
    generator = np.random.default_rng(0)
    x = generator.normal(size=12)
    assert power.needed(x, x[::-1] + 1e-3).seeds == np.inf
    assert power.needed(x + 100, x).seeds == power.SIZES[0]
    with pytest.raises(EvidenceError, match="the means are the same"):
        power.needed(x, x)
    with pytest.raises(EvidenceError, match="2 seeds"):
        power.needed(x[:2], x)
    with pytest.raises(EvidenceError, match="unknown or infinite"):
        power.needed(np.append(x, np.inf), x)
