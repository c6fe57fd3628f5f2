"""Runs of unequal length, other grids and several environments: each by its rule, on numbers worked out by hand."""

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import logs
from morphorl.analysis import comparisons
from morphorl.analysis.curve_statistics import POINTS, on_grid
from morphorl.analysis.logs import understanding, verdicts
from morphorl.analysis.logs.runs import load, notes
from morphorl.config.errors import SettingError


def table(path, rows):
    """A long table from (arm, seed, steps, returns)."""
    parts = [
        pl.DataFrame({"step": np.asarray(steps, float), "return": np.asarray(returns, float)}).with_columns(
            arm=pl.lit(arm), seed=pl.lit(seed), env=pl.lit(env)
        )
        for arm, seed, steps, returns, *env_ in rows
        for env in [env_[0] if env_ else "task"]
    ]
    pl.concat(parts).write_csv(path)
    return path


STEPS = np.arange(1, 101) * 10


def test_curves_are_means_in_fifty_bins_and_our_own_functions_take_them(tmp_path):
    path = table(tmp_path / "a.csv", [("x", 0, STEPS, STEPS), ("x", 1, STEPS[::4], STEPS[::4])])
    curves = load([path]).curves()
    edges, returns = on_grid(curves, POINTS)
    assert_allclose(edges, np.linspace(20, 1000 * 0.985, POINTS), rtol=0.1)
    run = curves.filter(seed=0)["episode_return"].to_numpy()
    assert np.all(np.diff(run) > 0)
    assert returns.shape == (2, POINTS)


def test_a_bin_is_the_mean_of_its_points_and_an_empty_one_keeps_what_was_before(tmp_path):
    path = table(tmp_path / "a.csv", [("x", 0, [1, 2, 50, 100], [4.0, 8.0, 10.0, 20.0])])
    found = load([path])
    returns = on_grid(found.curves(), POINTS)[1][0]
    assert_allclose(returns[0], 6)  # steps 1 and 2 of 100
    assert_allclose(returns[1:24], 6)
    assert_allclose(returns[24:49], 10)
    assert_allclose(returns[49], 20)
    assert_allclose(found.scores["area_under_curve"][0], (24 * 6 + 25 * 10 + 20) / 50)


def test_arms_are_compared_as_far_as_the_shortest_goes(tmp_path):
    rows = [(arm, seed, STEPS[: n // 10], np.ones(n // 10)) for arm, n in (("x", 1000), ("y", 500)) for seed in (0, 1)]
    found = load([table(tmp_path / "a.csv", rows)])
    assert found.horizons["task"].steps == 500
    assert notes(found) == ["task: x was run for 1,000 steps; all are compared up to 500."]
    assert load([tmp_path / "a.csv"], until=300.0).horizons["task"].steps == 300


def test_a_run_that_ends_early_is_censored_and_stays(tmp_path):
    rows = [("x", seed, STEPS, np.full(100, 1.0)) for seed in range(7)]
    rows.append(("x", 7, STEPS[:30], np.full(30, 1.0)))
    found = load([table(tmp_path / "a.csv", rows)], thresholds={"": 5.0})
    scores = found.scores.sort("seed")
    assert len(scores) == 8
    assert scores["steps"].to_list() == [1000] * 7 + [300]
    assert np.isinf(scores["steps_to_threshold"].to_numpy()).all()
    assert_allclose(scores["final_return"].to_numpy(), 1.0)
    assert "1 of 8 runs of x end before 95% of 1,000 steps" in notes(found)[0]
    assert "censored where they end" in notes(found)[0]


def test_where_more_than_a_quarter_of_an_arms_runs_end_early_its_returns_are_unknown(tmp_path):
    rows = [("x", seed, STEPS, np.ones(100)) for seed in range(5)]
    rows += [("x", seed, STEPS[:30], np.ones(30)) for seed in (5, 6)]
    found = load([table(tmp_path / "a.csv", rows)])
    assert found.scores["final_return"].is_nan().all()
    assert "--until 300" in notes(found)[0]
    assert found.scores["steps"].to_list() == [1000] * 5 + [300] * 2


def test_the_log_rank_test_takes_each_run_as_long_as_it_was_watched(tmp_path):
    rows = [("a", seed, STEPS, np.where(300 + 40 * seed < STEPS, 10.0, 0.0)) for seed in range(8)]
    rows += [("b", seed, STEPS[: 20 if seed < 2 else 100], np.zeros(20 if seed < 2 else 100)) for seed in range(8)]
    found = load([table(tmp_path / "a.csv", rows)], thresholds={"task": 5.0})
    one = comparisons.compare(found.scores, "a", "area_under_curve")[0]
    assert one.log_rank is not None
    assert one.log_rank < 0.01
    assert one.ratio is None
    assert "2 runs ended early" in one.unknown
    earlier = found.scores.filter(arm="a").sort("seed")["steps_to_threshold"].to_list()
    assert earlier == [340 + 40 * seed for seed in range(8)]  # the second bin of 20 steps in a row above 5


def test_runs_with_evaluations_alone_and_others_in_training_alone_are_not_compared(tmp_path):
    logs.monitor(tmp_path / "a" / "seed_0", [1.0], [10])
    logs.evaluations(tmp_path / "b" / "seed_0", [10], [[1.0]])
    with pytest.raises(SettingError, match="they are not the same measure"):
        load([tmp_path], pattern="{arm}/seed_{seed}", env="CartPole-v1")
    with pytest.raises(SettingError, match=r"does not say its environment.*--env CartPole-v1 would"):
        load([tmp_path], pattern="{arm}/seed_{seed}")


def test_environments_are_apart_and_p_improvement_is_over_all(tmp_path):
    generator = np.random.default_rng(0)
    rows = [
        (arm, seed, STEPS, np.full(100, level + generator.standard_normal()), env)
        for env, levels in (("one", (0, 5)), ("two", (0, -5)))
        for arm, level in zip(("x", "y"), levels, strict=True)
        for seed in range(8)
    ]
    judged = verdicts.judge(load([table(tmp_path / "a.csv", rows)]), None, "final_return")
    told = [(one.environment, verdicts.verdict(one)) for one in judged.comparisons]
    assert told == [("one", "higher"), ("two", "lower")]
    assert_allclose(judged.over_all["y"].value, 0.5, atol=0.03)


def test_runs_without_seeds_are_numbered_and_not_paired(tmp_path):
    for arm in ("x", "y"):
        for i in range(2):
            folder = tmp_path / arm / f"run{'ab'[i]}"
            logs.monitor(folder, [1.0], [10])
    found = load([tmp_path], pattern="{arm}/{}")
    assert found.scores["seed"].to_list() == [0, 1, 2, 3]
    assert not found.reading.has_seeds
    assert any("no two are paired" in sentence for sentence in understanding.sentences(found))


@pytest.mark.parametrize(
    ("numbers", "words"), [([0, 1, 2, 3], "0–3"), ([3, 1, 2, 7], "1–3, 7"), ([5], "5"), ([1, 3], "1, 3")]
)
def test_seeds_in_few_words(numbers, words):
    assert understanding.spans(numbers) == words


def test_points_are_those_that_were_logged(tmp_path):
    found = load([table(tmp_path / "a.csv", [("x", 0, [3, 1, 2], [30.0, 10.0, 20.0])])])
    assert_array_equal(found.points()["episode_return"], [10, 20, 30])


def test_what_is_understood_of_a_strange_folder_is_asked_for_with_examples(tmp_path):
    for name in ("2024-01-02_10-11-12/x", "2024-01-02_10-11-13/x"):
        logs.monitor(tmp_path / name, [1.0], [10])
    with pytest.raises(SettingError, match=r"which part of a run's name is its arm.*'.*10-11-12/x'.*--pattern"):
        load([tmp_path])
    with pytest.raises(SettingError, match="does not exist"):
        load([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(SettingError, match=r"holds no log that morphorl reads.*It reads .*monitor\.csv"):
        load([tmp_path / "empty"])
