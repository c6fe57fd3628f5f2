"""Resampling against SciPy, rliable and hand-worked numbers, and intervals that cover what they claim to."""

import warnings

import numpy as np
import pytest
import scipy.stats
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.analysis import bootstrap
from morphorl.analysis.bootstrap import EvidenceError

STUDIES = 1_000


@pytest.fixture(scope="module")
def rliable():
    """Its metrics and its bootstrap; skipped where they are not installed."""
    how = "rliable is the oracle here: install it with `uv sync` (dependency group dev; it needs pandas < 3)."
    metrics = pytest.importorskip("rliable.metrics", reason=how)
    return metrics, pytest.importorskip("rliable.library", reason=how)


def rliable_interval(rliable, scores, metric, reps):
    _, library = rliable
    np.random.seed(0)  # noqa: NPY002  (it draws from the global generator, whatever random state it is given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, found = library.get_interval_estimates(scores, lambda *s: np.array([metric(*s)]), reps=reps)
    return next(iter(found.values()))[:, 0]


# --- One arm ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", [bootstrap.iqm, np.mean, np.median])
@pytest.mark.parametrize("seeds", [2, 5, 13, 40])
def test_trimmed_means_of_resamples_are_those_of_resamples_really_made(statistic, seeds):
    scores = np.random.default_rng(0).integers(0, 9, size=seeds).astype(float)  # with ties
    drawn = np.random.default_rng(0).integers(seeds, size=(bootstrap.RESAMPLES, seeds))
    counted = bootstrap.trimmed_means(
        scores, bootstrap.resample_counts(seeds, bootstrap.RESAMPLES), bootstrap.cut_from_each_end(statistic, seeds)
    )
    assert_allclose(counted, statistic(scores[drawn], axis=1), rtol=1e-12)


def test_infinite_scores_take_the_same_path():
    scores = np.array([1.0, np.inf, 3.0, np.inf, 2.0, 8.0, 9.0])
    drawn = np.random.default_rng(0).integers(7, size=(bootstrap.RESAMPLES, 7))
    counted = bootstrap.trimmed_means(scores, bootstrap.resample_counts(7, bootstrap.RESAMPLES), 3)
    assert_allclose(counted, np.median(scores[drawn], axis=1))


@pytest.mark.parametrize(
    ("statistic", "draw", "seeds"),
    [
        (bootstrap.iqm, "normal", 16),
        (bootstrap.iqm, "exponential", 16),
        (bootstrap.iqm, "exponential", 128),
        (np.mean, "normal", 8),
        (np.mean, "exponential", 32),
    ],
)
def test_intervals_hold_the_truth_in_93_to_97_percent_of_a_thousand_studies(statistic, draw, seeds):
    truth = float(statistic(getattr(np.random.default_rng(0), draw)(size=1_000_000), axis=0))
    studies = getattr(np.random.default_rng(seeds), draw)(size=(seeds, STUDIES))
    _, low, high = bootstrap.bootstrap(statistic, studies)
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_one_seed_has_a_value_and_no_interval():
    value, low, high = bootstrap.bootstrap(bootstrap.iqm, np.array([[3.0, 4.0]]))
    assert_array_equal(value, [3, 4])
    assert np.isnan([low, high]).all()


def test_a_score_that_is_unknown_makes_everything_unknown():
    assert np.isnan(bootstrap.bootstrap(bootstrap.iqm, np.array([np.nan, *range(199)]))).all()


# --- rliable ----------------------------------------------------------------------------------------------------------


def test_rliable_gives_the_same_iqm_over_environments(rliable):
    scores = np.random.default_rng(0).exponential(size=(13, 3))
    assert bootstrap.resample(scores).value == pytest.approx(rliable[0].aggregate_iqm(scores))


def test_rliable_gives_the_same_probability_of_improvement(rliable):
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 6, size=(12, 2)), generator.integers(1, 7, size=(12, 2))  # with ties
    ours = bootstrap.probability_of_improvement(x.astype(float), y.astype(float), paired=False)
    assert ours.value == pytest.approx(rliable[0].probability_of_improvement(x, y))


def test_rliable_gives_an_interval_as_wide_stratified_over_environments(rliable):
    scores = np.random.default_rng(1).exponential(size=(24, 2)) + np.array([0.0, 5.0])
    low, high = rliable_interval(rliable, {"x": scores}, rliable[0].aggregate_iqm, 4_000)
    ours = bootstrap.combine(lambda a: a, bootstrap.resample(scores))
    assert ours.high - ours.low == pytest.approx(high - low, rel=0.06)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=0.03)


def test_rliable_gives_as_wide_an_interval_of_the_probability_of_improvement(rliable):
    generator = np.random.default_rng(2)
    x, y = generator.normal(0.5, size=(20, 1)), generator.normal(size=(20, 1))
    low, high = rliable_interval(rliable, {"x,y": (x, y)}, rliable[0].probability_of_improvement, 1_000)
    ours = bootstrap.probability_of_improvement(x, y, paired=False)
    assert ours.high - ours.low == pytest.approx(high - low, rel=0.12)


# --- Effects ----------------------------------------------------------------------------------------------------------


def test_common_seeds_are_drawn_together_so_that_what_they_share_cancels():
    generator = np.random.default_rng(3)
    seed, noise = generator.normal(0, 50, size=32), generator.normal(size=32)
    paired = bootstrap.difference(seed + noise + 3, seed, paired=True)
    apart = bootstrap.difference(seed + noise + 3, seed, paired=False)
    assert paired.value == apart.value
    assert paired.low > 0
    assert paired.p < 0.001
    assert apart.low < 0 < apart.high
    assert apart.p > 0.05


def test_a_constant_lead_is_found_exactly_in_every_resample():
    scores = np.random.default_rng(4).normal(size=10)
    effect = bootstrap.difference(scores + 2, scores, paired=True)
    assert_allclose(effect[:3], 2)
    assert effect.p == pytest.approx(2 / (bootstrap.COMPARISON_RESAMPLES + 1))


def test_p_values_of_arms_that_do_not_differ_are_evenly_spread():
    generator = np.random.default_rng(5)
    p = [bootstrap.difference(*generator.normal(size=(2, 24)), paired=False).p for _ in range(300)]
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) < 0.09


def test_environments_are_resampled_apart():
    scores = np.stack([np.zeros(20), np.arange(20.0)], axis=1)  # all its spread is in the second
    stratified = bootstrap.resample(scores, np.mean).replicates
    alone = bootstrap.resample(scores[:, 1], np.mean).replicates
    assert stratified.std() == pytest.approx(alone.std() / 2, rel=0.05)
    copies = bootstrap.resample(np.stack([scores[:, 1]] * 2, axis=1), np.mean).replicates
    assert copies.std() == pytest.approx(alone.std() / np.sqrt(2), rel=0.05)


def test_an_effect_that_does_not_exist_in_every_resample_is_refused():
    scores = bootstrap.resample(np.array([0.0, 0.0, 0.0, 1.0]))
    with pytest.raises(EvidenceError, match="not a finite number"):
        bootstrap.combine(lambda a: 1 / a, scores)


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        ([1.0], [2.0], "at least two"),
        ([1.0, np.nan, 3.0], [1.0, 2.0, 3.0], "1 of 3 scores are unknown"),
        ([1.0, 2.0, 3.0], [1.0, 2.0, np.inf], "1 of 3 scores are unknown or infinite"),
        ([1.0, 2.0], [1.0, 2.0, 3.0], "2 and 3 seeds"),
    ],
)
@pytest.mark.parametrize("compare", [bootstrap.difference, bootstrap.probability_of_improvement])
def test_what_cannot_be_compared_is_refused_with_a_reason(compare, x, y, words):
    with pytest.raises(EvidenceError, match=words):
        compare(np.array(x), np.array(y), paired=True)


# --- Probability of improvement ---------------------------------------------------------------------------------------


def test_the_probability_of_improvement_counts_pairs_and_halves_of_ties():
    estimate = bootstrap.probability_of_improvement(np.array([1.0, 3.0]), np.array([1.0, 2.0]), paired=False)
    assert estimate.value == pytest.approx((0.5 + 0 + 1 + 1) / 4)


def test_winning_every_pair_proves_only_as_much_as_there_are_seeds():
    few = bootstrap.probability_of_improvement(np.arange(3.0) + 10, np.arange(3.0), paired=True)
    many = bootstrap.probability_of_improvement(np.arange(64.0) + 100, np.arange(64.0), paired=True)
    assert few == pytest.approx((1, 0.025 ** (1 / 3), 1, 3))
    assert 0.9 < many.low < 1
    losing = bootstrap.probability_of_improvement(np.arange(3.0), np.arange(3.0) + 10, paired=True)
    assert losing == pytest.approx((0, 0, 1 - few.low, 3))


def test_the_interval_of_the_probability_of_improvement_holds_the_truth():
    generator = np.random.default_rng(6)
    truth = scipy.stats.norm.cdf(1 / np.sqrt(2))  # of N(1, 1) against N(0, 1)
    held = []
    for _ in range(200):
        x, y = generator.normal(1, size=32), generator.normal(size=32)
        _, low, high, _ = bootstrap.probability_of_improvement(x, y, paired=False)
        held.append(low <= truth <= high)
    assert 0.91 < np.mean(held) < 0.98


# --- Benjamini and Hochberg -------------------------------------------------------------------------------------------


def test_the_worked_example_of_benjamini_and_hochberg():
    """Their table of 15 p-values (1995, section 3.3): the four smallest are discoveries at 5%, by Bonferroni three."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.324,
        0.4262,
        0.5719,
        0.6528,
        0.759,
        1,
    ]
    adjusted = bootstrap.benjamini_hochberg(np.array(p))
    assert_allclose(adjusted[:4], [0.0015, 0.003, 0.0095, 0.0095 * 15 / 4])
    assert_array_equal(adjusted <= 0.05, [True] * 4 + [False] * 11)


def test_scipy_adjusts_p_values_and_trims_means_likewise():
    generator = np.random.default_rng(0)
    p = generator.random(40).round(2)  # with ties
    assert_allclose(bootstrap.benjamini_hochberg(p), scipy.stats.false_discovery_control(p), rtol=1e-12)
    scores = generator.normal(size=(13, 4))
    scores[3, 1] = np.nan  # which is no large score
    for axis in (0, 1):
        assert_allclose(bootstrap.iqm(scores, axis=axis), scipy.stats.trim_mean(scores, 0.25, axis=axis), rtol=1e-12)


def test_a_family_with_an_unknown_comparison_is_refused():
    with pytest.raises(EvidenceError, match="incomplete"):
        bootstrap.benjamini_hochberg(np.array([0.01, np.nan]))


def test_holm_is_the_textbook_procedure():
    """Four p-values: the smallest times 4, the next times 3, …, none below the one before it."""
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert_allclose(bootstrap.holm(p), [0.03, 0.06, 0.06, 0.02])
    assert_allclose(bootstrap.holm(np.array([0.9, 0.8])), [1, 1])


def test_the_ratio_of_medians_of_an_arm_to_itself_is_one_and_to_its_double_a_half():
    steps = np.random.default_rng(0).exponential(1000, size=33)
    assert bootstrap.ratio_of_medians(steps, steps, paired=True)[:3] == (1, 1, 1)
    assert bootstrap.ratio_of_medians(steps, 2 * steps, paired=True)[:3] == (0.5, 0.5, 0.5)
    apart = bootstrap.ratio_of_medians(steps, steps, paired=False)
    assert apart.low < 0.9 < 1.1 < apart.high


def test_the_ratio_of_medians_knows_runs_that_were_never_there():
    steps = np.arange(1.0, 17.0)
    most = np.where(steps > 4, np.inf, steps)
    assert bootstrap.ratio_of_medians(steps, most, paired=True) is None
    behind = bootstrap.ratio_of_medians(most, steps, paired=True)
    assert behind.value == behind.high == np.inf
    some = np.where(steps > 12, np.inf, steps)
    assert bootstrap.ratio_of_medians(some, steps, paired=True).value == 1


def test_the_interval_of_the_ratio_of_medians_holds_the_truth():
    """Exponential steps whose medians differ by half: 95% of 300 studies of 64 pairs, within sampling error."""
    generator = np.random.default_rng(1)
    inside = 0
    for _ in range(300):
        common, own = generator.exponential(size=(2, 64))
        found = bootstrap.ratio_of_medians(0.5 * (common + own), common + generator.exponential(size=64), paired=True)
        inside += found.low <= 0.5 <= found.high
    assert 0.91 < inside / 300 < 0.99
