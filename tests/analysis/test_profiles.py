"""Performance profiles and the bridge to rliable, with rliable as the oracle."""

import warnings

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import morphorl
from helpers import logs
from morphorl.analysis import bootstrap, profiles
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.logs.runs import load
from morphorl.config.errors import SettingError

SCORES = np.random.default_rng(0).normal(size=(12, 3)).cumsum(axis=1)  # seeds × environments
LEVELS = np.linspace(-3, 3, 25)


@pytest.fixture(scope="module")
def rliable():
    how = "rliable is the oracle here: install it with `uv sync` (dependency group dev; it needs pandas < 3)."
    metrics = pytest.importorskip("rliable.metrics", reason=how)
    return metrics, pytest.importorskip("rliable.library", reason=how)


def test_a_profile_is_rliables(rliable):
    np.random.seed(0)  # noqa: NPY002  (it draws from the global generator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        share, interval = rliable[1].create_performance_profile({"x": SCORES}, LEVELS, reps=2_000)
    found = profiles.profile(SCORES, LEVELS)
    assert_allclose(found.share, share["x"], atol=1e-9)
    assert_allclose([found.low, found.high], interval["x"], atol=0.06)  # steps of 1/36, and two simulations
    assert np.abs(np.array([found.low, found.high]) - interval["x"]).mean() < 0.01


def test_unknown_scores_have_no_profile():
    with pytest.raises(EvidenceError, match="1 of 3 scores"):
        profiles.profile(np.array([1.0, np.nan, 2.0]), LEVELS)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    for env, gain in (("CartPole-v1", 5.0), ("Acrobot-v1", -2.0)):
        logs.two_arms(root / env, gain=gain, env=env, seeds=8)
    return load([root], pattern="{arm}/seed_{seed}")


def test_rliables_dictionary_gives_rliable_our_numbers(rliable, results):
    metrics, library = rliable
    matrices = morphorl.to_rliable(results, "final_return")
    assert {arm: matrix.shape for arm, matrix in matrices.items()} == {"a2c": (8, 2), "ppo": (8, 2)}
    one = results.scores.filter(arm="ppo", environment="Acrobot-v1").sort("seed")["final_return"].to_numpy()
    assert_array_equal(matrices["ppo"][:, 0], one)  # environments in the order of their names
    for matrix in matrices.values():
        assert_allclose(metrics.aggregate_iqm(matrix), bootstrap.iqm(matrix.reshape(-1)), rtol=1e-9)
    better = bootstrap.probability_of_improvement(matrices["ppo"], matrices["a2c"], paired=False)
    theirs = metrics.probability_of_improvement(matrices["ppo"], matrices["a2c"])
    assert_allclose(better.value, theirs, atol=1e-9)
    curves = morphorl.to_rliable(results, "curve")
    assert curves["ppo"].shape == (8, 2, 50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points, _ = library.get_interval_estimates(
            curves, lambda c: np.array([metrics.aggregate_iqm(c[..., i]) for i in (0, 49)]), reps=50
        )
    assert_allclose(points["ppo"][1], bootstrap.iqm(curves["ppo"][..., 49].reshape(-1)), rtol=1e-9)


def test_what_is_no_matrix_is_refused(results):
    with pytest.raises(SettingError, match="Did you mean 'final_return'"):
        morphorl.to_rliable(results, "final_retrun")
    fewer = results.scores.filter(~((pl.col("environment") == "Acrobot-v1") & (pl.col("seed") == 7)))
    with pytest.raises(SettingError, match="7 and 8 runs in different environments"):
        morphorl.analysis.rliable_bridge.scores(fewer, "final_return")
