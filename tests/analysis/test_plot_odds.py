"""How likely few seeds would have seen the post's plots: against probabilities that are known."""

import json
import sys

import jaxtyping
import numpy as np
import pytest
import scipy.stats

from helpers.finished_studies import BLIND, finish, study
from morphorl import cli
from morphorl.analysis import family_odds, plot_odds
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.plot_odds import Learned, Outcome

SEEDS = 40
STRENGTHS = np.array([0.0, 0.1, 0.3])
PLAIN = Learned(np.full(SEEDS, 120.0), np.full(SEEDS, 20.0))
"""Plain PPO learns 100, so that "much" is 20."""
FLAT = np.full(SEEDS, 50.0)
HALF = np.where(np.arange(SEEDS) < SEEDS // 2, 60.0, 0.0)
"""Half of the seeds lie 60 higher."""
WIDE = np.where(np.arange(SEEDS) % 2, 1.0, -1.0)


def early(strongest, baseline=FLAT, n=3):
    return plot_odds.faster_at_first(np.stack([FLAT, FLAT, strongest]), STRENGTHS, baseline, PLAIN, n)


def unstable(low=FLAT, strong=FLAT, calm=FLAT, n=3):
    """Arms of γ = 0, 0.1 and 0.3: the mean returns of the low one, the final returns of the strongest."""
    mean, final = np.stack([FLAT, low, FLAT]), np.stack([calm, calm, strong])
    return plot_odds.similar_then_unstable(Outcome(mean, final), STRENGTHS, Outcome(FLAT, calm), PLAIN, n)


@pytest.mark.parametrize(("lead", "probability"), [(19.9, 0), (20, 1), (-30, 0), (60, 1)])
def test_without_luck_the_first_plot_is_seen_always_or_never(lead, probability):
    for n in (1, 3, 10):
        assert early(FLAT + lead, n=n)[:3] == (probability,) * 3


def test_the_first_plot_is_the_binomial_chance_that_enough_seeds_are_lucky():
    """A lead of 60 for half of the seeds: among n, k lucky ones lead by 60·k/n, and 20 asks for a third of them."""
    assert early(FLAT + HALF, n=1).value == pytest.approx(0.5, abs=0.02)
    assert early(FLAT + HALF, n=10).value == pytest.approx(scipy.stats.binom.sf(3, 10, 0.5), abs=0.02)


def test_seeds_are_common_to_all_arms():
    """Where baseline and strongest share their luck, it cancels."""
    shared = np.stack([FLAT, FLAT, FLAT + HALF + 25])
    assert plot_odds.faster_at_first(shared, STRENGTHS, FLAT + HALF, PLAIN, 1).value == 1
    assert plot_odds.faster_at_first(shared[:, ::-1], STRENGTHS, FLAT + HALF, PLAIN, 1).value == pytest.approx(
        0.5, abs=0.02
    )


def test_early_return_has_to_rise_with_strength():
    """The strongest leads the baseline, but γ = 0 leads it by more."""
    falling = np.stack([FLAT + 90, FLAT + 60, FLAT + 30])
    assert plot_odds.faster_at_first(falling, STRENGTHS, FLAT, PLAIN, 3).value == 0
    assert plot_odds.faster_at_first(falling[::-1], STRENGTHS, FLAT, PLAIN, 3).value == 1


def test_the_rank_correlation_has_spearmans_sign():
    means = np.random.default_rng(0).integers(4, size=(5, 1, 200)).astype(float)  # with ties
    strengths = np.array([0.1, 0.0, 0.3, 0.05, 0.3])
    expected = [scipy.stats.spearmanr(strengths, one).statistic > 1e-12 for one in means[:, 0].T]
    assert plot_odds.rises(strengths, means)[0].tolist() == expected


def test_the_order_of_the_arms_does_not_matter():
    scores, order = np.random.default_rng(1).normal(60, 40, size=(3, SEEDS)), [2, 0, 1]
    first = plot_odds.faster_at_first(scores, STRENGTHS, FLAT, PLAIN, 3)
    assert first == plot_odds.faster_at_first(scores[order], STRENGTHS[order], FLAT, PLAIN, 3)
    calm = Outcome(FLAT, scores[0])
    told = [
        plot_odds.similar_then_unstable(Outcome(FLAT + scores[o] / 9, scores[o]), STRENGTHS[o], calm, PLAIN, 3)
        for o in ([0, 1, 2], order)
    ]
    assert told[0] == told[1]
    assert 0 < told[0].value < 1


def test_the_interval_holds_the_value_and_narrows_with_the_seeds():
    scores, widths = np.random.default_rng(2).normal(60, 40, size=(3, 4000)), []
    for seeds in (40, 4000):
        plain = Learned(np.full(seeds, 120.0), np.full(seeds, 20.0))
        told = plot_odds.faster_at_first(scores[:, :seeds], STRENGTHS, scores[0, :seeds], plain, 3)
        assert told.low <= told.value <= told.high
        widths.append(told.high - told.low)
    assert widths[1] < 0.4 * widths[0]


def test_the_second_plot_asks_for_a_similar_rate_and_for_instability():
    assert unstable().value == 0  # all alike: nothing is unstable
    assert unstable(strong=FLAT - 20)[:3] == (1, 1, 1)
    assert unstable(strong=FLAT - 19.9).value == 0
    assert unstable(strong=FLAT - 20, low=FLAT + 10).value == 1  # within 20% of 50
    assert unstable(strong=FLAT - 20, low=FLAT + 10.1).value == 0


def test_a_spread_twice_the_baselines_counts_from_three_seeds_on_and_needs_two_different_seeds():
    strong, calm = FLAT + 2.1 * WIDE, FLAT + WIDE
    differ = 1 - 2 * 0.5**3  # three seeds drawn from two kinds are not all of one kind
    assert unstable(strong=strong, calm=calm).value == pytest.approx(differ, abs=0.02)
    assert unstable(strong=FLAT + 1.9 * WIDE, calm=calm).value == 0
    assert unstable(strong=strong, calm=calm, n=1).value == 0


def test_scores_that_cannot_carry_a_plot_are_refused():
    with pytest.raises(EvidenceError, match="learns too little to measure by"):
        plot_odds.faster_at_first(
            np.stack([FLAT] * 3), STRENGTHS, FLAT, Learned(np.full(SEEDS, 25.0), np.full(SEEDS, 20.0)), 3
        )
    with pytest.raises(EvidenceError, match="unknown"):
        early(np.where(np.arange(SEEDS) == 1, np.nan, 50.0))
    with pytest.raises(EvidenceError, match="no arm has γ > 0"):
        plot_odds.similar_then_unstable(Outcome(FLAT[None], FLAT[None]), np.array([0.0]), Outcome(FLAT, FLAT), PLAIN, 3)


def test_families_are_told_by_settings_and_plain_ppo_is_none():
    """Plain PPO whose γ is swept is no family: no readout of its cell reaches the logits."""
    deaf = {"blend": {"weight": 0.0}, "guidance": {"strength": [0.0, 0.2]}}
    added = {"blend": {"kind": "add"}, "guidance": {"strength": [0.3, 0.0]}}
    arms = {"deaf {guidance.strength}": deaf, "x {guidance.strength}": added, "alone": {"guidance": {"strength": 0.1}}}
    (family,) = family_odds.families(study(arms).expand("standard"))
    assert (family.strengths, family.unguided) == ({"x 0.3": 0.3, "x 0": 0.0}, "x 0")
    assert family.plain in ("deaf 0", "deaf 0.2")


def test_the_command_tells_both_plots_against_both_baselines_within_80_columns(tmp_path, monkeypatch, capsys):
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(plot_odds, "RESAMPLES", 20)
    finish(tmp_path, study(BLIND, seeds=10), {"γ = 0.3": 2.0})
    monkeypatch.setattr(sys, "argv", ["morphorl", "odds", str(tmp_path)])
    try:
        cli.main()
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
    printed = capsys.readouterr().out
    assert "100% 100–100" in printed
    assert max(map(len, printed.splitlines()[:-1])) <= 80
    rows = json.loads((tmp_path / "odds.json").read_text())["odds"]
    assert {(row["environment"], row["baseline"]) for row in rows} == {
        (env, label) for env in ("CartPole-v1", "StatelessCartPole-v1") for label in ("plain PPO", "γ = 0")
    }
    assert [row["n"] for row in rows] == [1, 3, 5, 10] * 4
    assert rows[0]["probability"]["value"] == 1
