"""How far apart seeds lie, whose variance it is, and how often few seeds mislead: against simulated and known cases."""

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from morphorl.analysis import dispersion
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.luck import crossed, seed_luck

# --- Spread -----------------------------------------------------------------------------------------------------------


def test_the_spread_is_the_mean_distance_of_two_seeds():
    assert dispersion.mean_distance(np.array([0.0, 1.0, 5.0])).value == pytest.approx((1 + 5 + 4) / 3)


@pytest.mark.parametrize("measure", [dispersion.mean_distance, dispersion.mean])
def test_leaving_out_a_seed_is_the_statistic_of_the_others(measure):
    scores = np.random.default_rng(0).exponential(size=9)
    without = [measure(np.delete(scores, i)).value for i in range(9)]
    assert_allclose(measure(scores).without, without)


def test_the_spread_of_a_normal_population_is_two_over_root_pi_deviations():
    assert dispersion.spread(np.random.default_rng(0).normal(0, 3, 4000)).value == pytest.approx(
        6 / np.sqrt(np.pi), rel=0.03
    )


def test_the_difference_of_means_is_the_paired_t_test():
    x, y = np.random.default_rng(1).normal(size=(2, 12)) + np.array([[0.5], [0.0]])
    effect = dispersion.paired_difference(dispersion.mean(x), dispersion.mean(y))
    theirs = scipy.stats.ttest_rel(x, y)
    assert effect[:4] == pytest.approx((x.mean() - y.mean(), *theirs.confidence_interval(), theirs.pvalue))


@pytest.mark.parametrize("draw", ["normal", "exponential"])
def test_intervals_of_a_difference_of_spreads_hold_the_truth_in_93_to_97_percent_of_studies(draw):
    generator = np.random.default_rng(2)
    held = []
    for _ in range(1000):
        common, x, y = getattr(generator, draw)(size=(3, 32))
        effect = dispersion.paired_difference(
            dispersion.mean_distance(common + x), dispersion.mean_distance(common + y)
        )
        held.append(effect.low <= 0 <= effect.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_seeds_that_do_not_differ_have_no_spread_and_one_that_does_has_no_upper_end():
    assert dispersion.spread(np.full(5, 7.0)) == (0, 0, 0, 5)
    value, low, high, _ = dispersion.spread(np.array([7.0, 7.0, 7.0, 9.0]))
    assert (value, low) == (1.0, 0.0)
    assert np.isnan(high)


@pytest.mark.parametrize(("scores", "words"), [([1.0, 2.0], "at least three"), ([1.0, 2.0, np.nan], "1 of 3 scores")])
def test_a_spread_that_cannot_be_known_is_refused(scores, words):
    with pytest.raises(EvidenceError, match=words):
        dispersion.spread(np.array(scores))


# --- Variance of crossed seeds ----------------------------------------------------------------------------------------


def simulated(generator, rows, columns, pattern, learner, interaction):
    return (
        np.sqrt(pattern) * generator.normal(size=(rows, 1))
        + np.sqrt(learner) * generator.normal(size=(1, columns))
        + np.sqrt(interaction) * generator.normal(size=(rows, columns))
    )


def test_the_components_are_those_of_a_worked_analysis_of_variance():
    """Rows and columns that only add up: no interaction, and the components are the variances of their means."""
    scores = np.array([[1.0, 2, 3], [1, 2, 3], [4, 5, 6]])
    split = seed_luck.variance_split(scores)
    pattern, learner = 3.0, 1.0  # the variances of 1, 1, 4 and of 1, 2, 3
    assert [e.value for e in split[:3]] == pytest.approx([pattern / 4, learner / 4, 0], abs=1e-12)
    assert split.total == pytest.approx(4)


def test_components_are_unbiased():
    generator = np.random.default_rng(0)
    studies = np.stack([simulated(generator, 5, 7, 3.0, 0.5, 1.0) for _ in range(4000)])
    assert_allclose(seed_luck.variance_components(studies).mean(axis=0), [3.0, 0.5, 1.0], rtol=0.06)


def test_resamples_of_rows_and_columns_are_centred_on_the_data_once_copies_are_accounted_for():
    generator = np.random.default_rng(1)
    scores = simulated(generator, 5, 8, 1.0, 0.5, 0.5)
    rows, columns = generator.integers(5, size=(100_000, 5, 1)), generator.integers(8, size=(100_000, 1, 8))
    resampled = seed_luck.without_copies(seed_luck.variance_components(scores[rows, columns]), 5, 8)
    assert_allclose(resampled.mean(axis=0), seed_luck.variance_components(scores[None])[0], rtol=0.02)


def test_known_shares_lie_in_their_intervals():
    generator, truth = np.random.default_rng(2), np.array([0.8, 0.1, 0.1])
    held = []
    for _ in range(150):
        split = seed_luck.variance_split(simulated(generator, 16, 16, *truth))[:3]
        held.append([e.low <= share <= e.high for e, share in zip(split, truth, strict=True)])
    assert np.all(np.mean(held, axis=0) > 0.9)


def test_shares_sum_to_one_and_do_not_depend_on_scale_or_shift():
    scores = simulated(np.random.default_rng(3), 6, 6, 1.0, 1.0, 1.0)
    split, moved = seed_luck.variance_split(scores), seed_luck.variance_split(1e3 * scores - 7e4)
    assert sum(e.value for e in split[:3]) == pytest.approx(1)
    assert_allclose(np.array(moved[:3]), np.array(split[:3]), rtol=1e-6)
    assert moved.total == pytest.approx(1e6 * split.total)


def test_a_negative_component_counts_as_zero_and_is_named():
    rows = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    split = seed_luck.variance_split(rows - rows.mean(axis=1, keepdims=True))
    assert split.clipped[0] == "pattern"
    assert split.pattern.value == 0


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        (np.zeros((2, 5)), "at least three of each"),
        (np.full((4, 4), 5.0), "no variance to split"),
        (np.where(np.eye(4) > 0, np.nan, 1.0), "4 of 16 scores"),
    ],
)
def test_variance_that_cannot_be_split_is_refused(scores, words):
    with pytest.raises(EvidenceError, match=words):
        seed_luck.variance_split(scores)


# --- Luck -------------------------------------------------------------------------------------------------------------


def test_how_often_few_seeds_find_an_effect_is_the_normal_laws_chance():
    generator = np.random.default_rng(4)
    x, y = generator.normal(0.5, 1, 4000), generator.normal(0, 1, 4000)
    x, y = (x - x.mean()) / x.std() + 0.5, (y - y.mean()) / y.std()
    for n in (1, 3, 10):
        result = seed_luck.found(x, y, n)
        assert result.better == pytest.approx(scipy.stats.norm.cdf(0.5 * np.sqrt(n / 2)), abs=0.02)


def test_shares_of_independent_seeds_are_those_of_found_and_their_intervals_hold_the_truth():
    """True share of comparisons of three seeds: Φ(.5·√1.5). Of 60 studies of 24 seeds nearly all hold it."""
    generator, truth, held = np.random.default_rng(7), scipy.stats.norm.cdf(0.5 * np.sqrt(1.5)), 0
    for _ in range(60):
        x, y = generator.normal(0.5, 1, 24), generator.normal(0, 1, 24)
        shares = seed_luck.shares(x, y, 3)
        held += shares.better.low <= truth <= shares.better.high
    assert held >= 53
    assert shares.better.value == seed_luck.found(x, y, 3).better
    assert shares.significant is not None
    assert seed_luck.shares(x, y, 1).significant is None


def test_welchs_test_is_scipys_and_only_a_lead_with_p_of_at_most_5_percent_counts():
    x, y = np.random.default_rng(5).normal(size=(2, 2000, 5)) * [[[1.0]], [[3.0]]]
    p = scipy.stats.ttest_ind(x + 3, y, axis=1, equal_var=False).pvalue
    lead = (x + 3).mean(axis=1) > y.mean(axis=1)
    assert_allclose(seed_luck.leads(x + 3, y), [lead, lead & (p <= 0.05)])
    assert_allclose(seed_luck.welch_p_values(x, y), scipy.stats.ttest_ind(x, y, axis=1, equal_var=False).pvalue)


def test_arms_that_do_not_differ_are_found_better_half_of_the_time_and_significant_at_most_as_often_as_the_level():
    scores = np.random.default_rng(6).normal(size=500)
    result = seed_luck.found(scores, scores, 10)
    assert result.better == pytest.approx(0.5, abs=0.02)
    assert result.significant == pytest.approx(0.025, abs=0.01)
    assert np.isnan(seed_luck.found(scores, scores, 1).significant)


def test_learners_that_share_a_pattern_mislead_more_often():
    """All the variance is the pattern's: ten learners of one pattern then tell as much as one."""
    generator = np.random.default_rng(7)
    x, y = (simulated(generator, 200, 20, 1.0, 0.0, 0.01) for _ in range(2))
    fresh = seed_luck.found(x.ravel(), y.ravel(), 10).significant
    shared = seed_luck.found_with_one_pattern(x, y, 10).significant
    assert fresh < 0.1
    assert shared > 0.4  # every time that the luckier pattern was x's


def test_a_comparison_without_numbers_is_refused():
    with pytest.raises(EvidenceError, match="nothing to draw"):
        seed_luck.found(np.array([]), np.array([1.0]), 3)
    with pytest.raises(EvidenceError, match="unknown"):
        seed_luck.found(np.array([np.nan]), np.array([1.0]), 3)


# --- Luck, with both kinds of seeds resampled -------------------------------------------------------------------------


def test_shares_are_those_of_luck_and_lie_in_their_intervals():
    x, y = np.random.default_rng(8).normal(size=(2, 6, 5))
    for one, found in (
        (False, seed_luck.found(x.ravel(), y.ravel(), 3)),
        (True, seed_luck.found_with_one_pattern(x, y, 3)),
    ):
        shares = crossed.shares(x, y, 3, one_pattern=one)
        assert shares.significant is not None
        assert (shares.better.value, shares.significant.value) == (found.better, found.significant)
        assert all(0 <= e.low <= e.value <= e.high <= 1 for e in (shares.better, shares.significant))
    assert crossed.shares(x, y, 1, one_pattern=True).significant is None


def test_an_arm_that_is_always_ahead_is_always_found_and_a_constant_lead_has_no_interval():
    y = np.random.default_rng(9).normal(size=(5, 4))
    shares = crossed.shares(y + 100, y, 3, one_pattern=True)
    assert shares.better[:3] == (1, 1, 1)
    assert crossed.mean_difference(y + 7, y)[:3] == pytest.approx((7, 7, 7))


def test_the_interval_of_a_difference_is_that_of_the_mean_over_the_seeds_that_differ():
    """Only rows differ: the interval is nearly the t-interval over them, however many columns repeat them."""
    rows = np.random.default_rng(10).normal(size=(30, 1))
    told = crossed.mean_difference(np.tile(rows, 30), np.zeros((30, 30)))
    expected = scipy.stats.ttest_1samp(rows[:, 0], 0).confidence_interval()
    assert told[:3] == pytest.approx((rows.mean(), *expected), abs=0.03)
    turned = crossed.mean_difference(np.tile(rows, 30).T, np.zeros((30, 30)))
    assert turned[:3] == pytest.approx((rows.mean(), *expected), abs=0.03)


def test_few_patterns_say_little_of_studies_with_one_pattern():
    """The interval follows the number of patterns, not of runs: four times as many patterns halve it."""
    generator, widths = np.random.default_rng(11), []
    for patterns, learners in ((10, 32), (40, 8)):
        x = simulated(generator, patterns, learners, 1.0, 0.0, 0.01)
        y = simulated(generator, patterns, learners, 1.0, 0.0, 0.01)
        better = crossed.shares(x, y, 3, one_pattern=True).better
        widths.append(better.high - better.low)
    assert widths[1] < 0.7 * widths[0]


def test_arms_of_other_seeds_are_not_paired():
    with pytest.raises(EvidenceError, match="must be the same"):
        crossed.mean_difference(np.ones((4, 5)), np.ones((5, 4)))
