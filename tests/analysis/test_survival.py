"""Kaplan-Meier and log-rank on textbook data: weeks in remission of 42 leukaemia patients (Freireich, 1963)."""

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from morphorl.analysis import survival
from morphorl.analysis.bootstrap import EvidenceError

WEEKS = np.array([6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35], float)
RELAPSED = np.array([1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], bool)
PLACEBO = np.array([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], float)
ALL = np.ones(21, bool)
INF = np.inf


def test_the_curve_is_the_product_worked_out_by_hand():
    curve = survival.kaplan_meier(WEEKS, RELAPSED)
    at = dict(zip(curve.steps, curve.share, strict=True))
    by_hand = {6: 18 / 21}
    for week, before, at_risk in ((7, 6, 17), (10, 7, 15), (13, 10, 12), (16, 13, 11), (22, 16, 7), (23, 22, 6)):
        by_hand[week] = by_hand[before] * (at_risk - 1) / at_risk
    assert_allclose([at[week] for week in by_hand], list(by_hand.values()))
    assert at[9] == at[7]  # somebody left in week 9, nobody relapsed
    assert at[35] == at[23]


def test_the_interval_is_greenwoods_on_the_log_log_scale():
    curve = survival.kaplan_meier(WEEKS, RELAPSED)
    share = 18 / 21
    sigma = np.sqrt(3 / (21 * 18))
    bounds = share ** np.exp(np.array([1, -1]) * 1.959964 * sigma / np.log(share) * -1)
    assert_allclose([curve.low[0], curve.high[0]], sorted(bounds), rtol=1e-6)


def test_medians_and_intervals_are_the_published_ones():
    """R's survfit with conf.type = "log-log" gives 23 (13 to not reached) and 8 (4 to 11)."""
    assert survival.kaplan_meier(WEEKS, RELAPSED).median == (23, 13, INF, 21)
    assert survival.kaplan_meier(PLACEBO, ALL).median == (8, 4, 11, 21)


def test_log_rank_gives_the_published_statistic():
    """χ² = 16.79 on one degree of freedom (Kleinbaum and Klein, Survival Analysis)."""
    x, y = survival.Followed(WEEKS, RELAPSED), survival.Followed(PLACEBO, ALL)
    assert survival.log_rank(x, y) == pytest.approx(scipy.stats.chi2.sf(16.79, 1), rel=0.01)


@pytest.mark.parametrize("seed", range(5))
def test_scipy_gives_the_same_curve_interval_and_test(seed):
    generator = np.random.default_rng(seed)
    arms = [survival.Followed(generator.integers(1, 9, n) * 1.0, generator.random(n) < 0.6) for n in (17, 12)]
    theirs = [scipy.stats.CensoredData.right_censored(one.steps, ~one.reached) for one in arms]
    assert survival.log_rank(*arms) == pytest.approx(scipy.stats.logrank(*theirs).pvalue, rel=1e-12)
    curve, expected = survival.kaplan_meier(*arms[0]), scipy.stats.ecdf(theirs[0]).sf
    inside = (curve.share > 0) & (curve.share < 1)  # where they give no interval otherwise, ours is an exact bound
    assert_allclose(curve.steps, expected.quantiles)
    assert_allclose(curve.share, expected.probabilities, rtol=1e-12)
    bounds = expected.confidence_interval(method="log-log") if inside.all() else _quietly(expected)
    for ours, bound in zip((curve.low, curve.high), bounds, strict=True):
        assert_allclose(ours[inside], bound.probabilities[inside], rtol=1e-12)


def _quietly(curve):
    with pytest.warns(RuntimeWarning):
        return curve.confidence_interval(method="log-log")


def test_arms_that_all_reach_it_at_one_step_are_not_told_apart():
    one = survival.Followed(np.full(8, 9.0), ALL[:8])
    assert survival.log_rank(one, one) == 1


def test_runs_that_never_get_there_are_known_to_take_longer_than_the_budget():
    data = survival.censor(np.array([300.0, INF, 500.0, INF]), 1000.0)
    assert_allclose(data.steps, [300, 1000, 500, 1000])
    assert data.reached.sum() == 2
    curve = survival.kaplan_meier(np.array([300.0, 1000, 500, 1000]), np.array([True, False, True, False]))
    assert_allclose(curve.share, [0.75, 0.5, 0.5])
    assert curve.median.value == 500


def test_a_median_beyond_the_budget_is_infinite_and_few_runs_cannot_even_tell_that():
    nobody = np.zeros(8, bool)
    assert survival.kaplan_meier(np.full(8, 9.0), nobody).median == (INF, INF, INF, 8)
    few = survival.kaplan_meier(np.full(4, 9.0), nobody[:4])
    assert few.median == (INF, 0, INF, 4)
    assert few.low == pytest.approx(0.025**0.25)


def test_all_at_once_is_certain_only_with_enough_runs():
    assert survival.kaplan_meier(np.full(8, 9.0), ALL[:8]).median == (9, 9, 9, 8)
    assert survival.kaplan_meier(np.full(1, 9.0), ALL[:1]).median == (9, 0, INF, 1)


def test_the_interval_of_the_median_holds_the_truth():
    generator = np.random.default_rng(0)
    held = []
    for _ in range(300):
        steps = generator.exponential(size=32)
        median = survival.kaplan_meier(np.minimum(steps, 1.5), steps <= 1.5).median
        held.append(median.low <= np.log(2) <= median.high)
    assert 0.92 < np.mean(held) < 0.99


def test_what_cannot_be_followed_or_compared_is_refused():
    with pytest.raises(EvidenceError, match="1 of 2 steps"):
        survival.censor(np.array([np.nan, 1.0]), 9.0)
    with pytest.raises(EvidenceError, match="none to follow"):
        survival.kaplan_meier(np.array([]), np.array([], bool))
    with pytest.raises(EvidenceError, match="none to follow"):
        survival.kaplan_meier(np.array([1.0, INF]), ALL[:2])
    never = survival.censor(np.full(5, INF), 9.0)
    with pytest.raises(EvidenceError, match="no run of either arm"):
        survival.log_rank(never, never)
