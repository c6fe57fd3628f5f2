"""Statistics on hand-worked numbers, and intervals that cover what they claim to."""

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from morphorl.analysis import curve_statistics
from morphorl.analysis.bootstrap import EvidenceError

INF = np.inf


def test_the_interquartile_mean_of_one_row_is_an_array_as_promised():
    assert isinstance(curve_statistics.iqm(np.arange(4.0)), np.ndarray)


def curves(returns, episodes=None, greedy=None, cell_seeds=None, every=100):
    """Rows as the store has them, one list of returns (None: no episode ended) per seed."""
    return pl.DataFrame(
        [
            (
                seed,
                cell_seeds[seed] if cell_seeds else seed,
                every * (n + 1),
                value,
                episodes[seed][n] if episodes else int(value is not None),
                greedy[seed][n] if greedy else None,
            )
            for seed, row in enumerate(returns)
            for n, value in enumerate(row)
        ],
        schema={
            "seed": pl.Int64,
            "cell_seed": pl.Int64,
            "env_steps": pl.Int64,
            "episode_return": pl.Float32,
            "episodes": pl.Int32,
            "greedy_return": pl.Float32,
        },
        orient="row",
    )


# --- Interquartile mean and bootstrap ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "middle"),
    [
        ([7.0, 1.0, 2.0, 1000.0], 4.5),
        ([6.0, 0.0, 100.0, 1.0, 5.0, 2.0, -50.0, 3.0], 2.75),
        ([3.0], 3.0),
        ([1.0, 5.0], 3.0),
        ([1.0, 2.0, 6.0], 3.0),
        ([500.0] * 9, 500.0),
    ],
)
def test_the_interquartile_mean_is_the_mean_of_the_middle_half(scores, middle):
    assert curve_statistics.iqm(np.array(scores)) == pytest.approx(middle)


def test_the_interquartile_mean_of_curves_is_taken_over_the_seeds():
    rows = np.array([[0.0, 9.0], [1.0, 8.0], [3.0, 4.0], [80.0, -7.0]])
    assert_allclose(curve_statistics.iqm(rows), [2.0, 6.0])


@given(st.floats(-1e6, 1e6), st.integers(2, 20))
def test_the_interval_of_a_constant_sample_is_that_constant(constant, seeds):
    assert_allclose(curve_statistics.bootstrap(curve_statistics.iqm, np.full(seeds, constant)), constant, rtol=1e-12)


def test_the_bootstrap_gives_the_same_numbers_for_the_same_data():
    scores = np.random.default_rng(0).normal(size=12)
    assert_array_equal(
        curve_statistics.bootstrap(curve_statistics.iqm, scores),
        curve_statistics.bootstrap(curve_statistics.iqm, scores),
    )


@pytest.mark.parametrize("statistic", [curve_statistics.iqm, np.median, np.mean])
def test_the_bootstrap_agrees_with_scipys(statistic):
    scores = np.random.default_rng(1).exponential(size=24)
    level = 0.95
    if statistic is np.mean:  # whose quantiles are stretched to those of t, on 23 degrees of freedom
        level = 1 - 2 * scipy.stats.norm.sf(scipy.stats.t.ppf(0.975, 23) * np.sqrt(24 / 23))
    theirs = scipy.stats.bootstrap(
        (scores,), statistic, n_resamples=20_000, method="percentile", confidence_level=level, rng=2
    )
    value, *interval = curve_statistics.bootstrap(statistic, scores)
    assert value == pytest.approx(statistic(scores))
    assert_allclose(interval, theirs.confidence_interval, rtol=0.05)


def test_whole_seeds_are_resampled_so_that_a_curve_keeps_its_shape():
    level = np.random.default_rng(4).normal(size=(16, 1))
    value, low, high = curve_statistics.bootstrap(np.mean, level + np.arange(5.0))
    for line in (value, low, high):
        assert_allclose(np.diff(line), 1.0, rtol=1e-12)
    assert np.all(low < value)
    assert np.all(value < high)


def test_infinite_scores_stay_infinite_and_finite_quantiles_stay_finite():
    value, low, high = curve_statistics.bootstrap(np.median, np.array([10.0, 20.0, 30.0, 40.0, 50.0, INF, INF]))
    assert value == 40
    assert 10 <= low <= 40
    assert high == INF
    assert_array_equal(curve_statistics.bootstrap(np.median, np.full(6, INF)), [INF, INF, INF])


# --- Curves on a common grid ------------------------------------------------------------------------------------------


def test_a_bin_is_the_mean_over_the_episodes_that_ended_in_it():
    steps, returns = curve_statistics.on_grid(curves([[10, 40, 7, 8]], episodes=[[3, 1, 1, 1]]), 2)
    assert_allclose(steps, [200, 400])
    assert_allclose(returns, [[(3 * 10 + 40) / 4, 7.5]])


def test_a_bin_in_which_nothing_ended_keeps_the_last_value_and_the_first_ones_take_the_first():
    _, returns = curve_statistics.on_grid(curves([[None, None, 5, None, 9, None], [1, None, None, None, None, 2]]), 6)
    assert_allclose(returns, [[5, 5, 5, 5, 9, 9], [1, 1, 1, 1, 1, 2]])


def test_bins_finer_than_the_updates_carry_over_too():
    _, returns = curve_statistics.on_grid(curves([[5, 9]]), 4)
    assert_allclose(returns, [[5, 5, 5, 9]])


def test_a_seed_in_which_no_episode_ended_is_unknown_and_spoils_no_other():
    _, returns = curve_statistics.on_grid(curves([[None, None], [3, 4]]), 2)
    assert_array_equal(returns, [[np.nan, np.nan], [3, 4]])


def test_rows_are_told_apart_by_both_seeds_in_any_order():
    crossed = pl.concat([curves([[1, 2]]), curves([[3, 4]], cell_seeds=[5])])
    _, returns = curve_statistics.on_grid(crossed.sort("env_steps", descending=True), 2)
    assert_allclose(returns, [[1, 2], [3, 4]])


def test_an_episode_whose_return_is_no_number_makes_its_seed_unknown_and_no_other():
    """A null where an episode ended must not pass for a return of 0."""
    data = curves([[5, 6, 7], [3, 4, 5]], episodes=[[1, 1, 1], [1, 1, 1]])
    for unknown in (None, np.nan):
        spoilt = data.with_columns(
            episode_return=pl.when(pl.int_range(6) == 1).then(unknown).otherwise(pl.col("episode_return"))
        )
        _, returns = curve_statistics.on_grid(spoilt, 3)
        assert_array_equal(returns, [[np.nan] * 3, [3, 4, 5]])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows.head(0),
        lambda rows: rows.head(5),  # one run lacks an update
        lambda rows: pl.concat([rows, rows]),  # two presets at once
        lambda rows: pl.concat([rows.head(5), rows[4:5]]),  # one update twice, another never
    ],
)
def test_rows_that_are_not_one_per_run_and_update_are_refused(spoil):
    with pytest.raises(EvidenceError, match="one row per run and update"):
        curve_statistics.on_grid(spoil(curves([[1, 2, 3], [4, 5, 6]])), 3)


def test_the_peak_is_the_best_tenth_wherever_it_lies():
    returns = np.zeros((2, 50))
    returns[0, 13:18] = 8
    returns[1, -5:] = 3
    assert_array_equal(curve_statistics.peak(returns), [8, 3])
    assert_array_equal(curve_statistics.final(returns), [0, 3])


def test_crossed_runs_become_a_matrix_of_patterns_by_learners():
    runs = [curves([[10 * pattern + learner] for learner in range(3)], cell_seeds=[pattern] * 3) for pattern in (5, 4)]
    data = pl.concat(runs).sample(fraction=1.0, shuffle=True, seed=0)
    _, returns = curve_statistics.on_grid(data, 1)
    assert_array_equal(curve_statistics.crossed(data, returns[:, 0]), [[40, 41, 42], [50, 51, 52]])
    with pytest.raises(EvidenceError, match="5 runs of 2 cell seeds and 3 seeds"):
        curve_statistics.crossed(data.head(5), returns[:5, 0])


# --- Steps to a threshold ---------------------------------------------------------------------------------------------


def test_steps_to_a_threshold_ends_at_the_second_evaluation_in_a_row_that_reaches_it():
    greedy = [
        [480, 470, 480, 475, 500, 0],  # a single 480 is not enough, 475 is
        [475, 475, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 475],  # one at the end is none
        [500, 474, 500, 474, 500, 474],
        [None, 500, None, None, 500, None],  # not evaluated in between
    ]
    reached = curve_statistics.steps_to(475.0, curves([[1] * 6] * 5, greedy=greedy))
    assert_array_equal(reached, [400, 200, INF, INF, 500])


def test_an_evaluation_of_one_run_does_not_count_for_the_next():
    one, two = curves([[1, 1]], greedy=[[0, 500]]), curves([[1, 1]], greedy=[[500, 0]], cell_seeds=[1])
    assert_array_equal(curve_statistics.steps_to(475.0, pl.concat([one, two])), [INF, INF])


# --- Summary ----------------------------------------------------------------------------------------------------------


def ramp(seeds=4, **more):
    """Fifty updates whose returns are 0, 1, … 49."""
    return curves([list(range(50))] * seeds, **more)


def test_early_final_and_mean_returns_average_over_their_shares_of_the_steps():
    summary = curve_statistics.summarise(curve_statistics.measure(ramp(), threshold=None))
    assert summary == {
        "final_return": (47, 47, 47, 4),  # the last tenth: 45 … 49
        "early_return": (4.5, 4.5, 4.5, 4),  # the first fifth: 0 … 9
        "area_under_curve": (24.5, 24.5, 24.5, 4),
    }


def test_the_greedy_return_is_the_last_one_measured_and_never_reached_is_infinite():
    greedy = [[None] * 20 + [500] * 4 + [100] + [None] * 25, [400, 200, *[None] * 48], [None, 300, *[None] * 48]]
    summary = curve_statistics.summarise(curve_statistics.measure(ramp(3, greedy=greedy), threshold=475.0))
    assert summary["final_greedy_return"].value == pytest.approx(200)  # of 100, 200 and 300
    assert summary["steps_to_threshold"].value == INF  # of 2200, ∞ and ∞
    assert summary["steps_to_threshold"].n == 3
    assert "steps_to_threshold" not in curve_statistics.summarise(
        curve_statistics.measure(ramp(3, greedy=greedy), threshold=None)
    )


def test_the_same_data_give_the_same_summary():
    data = ramp(16, greedy=np.random.default_rng(0).normal(size=(16, 50)).tolist())
    summaries = [curve_statistics.summarise(curve_statistics.measure(data, threshold=1.0)) for _ in range(5)]
    assert all(summary == summaries[0] for summary in summaries)


def test_a_run_that_was_never_evaluated_keeps_its_place_with_an_unknown_return():
    rows = curves([[1.0, 2.0]] * 3, greedy=[[5.0, 7.0], [None, None], [8.0, 9.0]], every=50)
    measured = curve_statistics.measure(rows, 6.5)
    assert_array_equal(measured["final_greedy_return"], [7, np.nan, 9])
    assert_array_equal(measured["steps_to_threshold"], [INF, INF, 100])
    early = curve_statistics.measure(curves([[1.0] * 5] * 2, greedy=[[5.0] * 5, [None] * 5], every=20), None)
    assert_array_equal(early["early_greedy_return"], [5, np.nan])


@pytest.mark.parametrize(("k", "n"), [(0, 8), (3, 8), (8, 8), (1, 1)])
def test_scipy_gives_the_same_share_and_interval(k, n):
    tested = scipy.stats.binomtest(k, n)
    expected = (tested.statistic, *tested.proportion_ci(method="exact"), n)
    assert curve_statistics.share(np.arange(n) < k) == pytest.approx(expected, rel=1e-9)
