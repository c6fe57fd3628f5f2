"""Verdicts on curves whose answer is known, and a sentence instead of a number where there is none."""

import json
import math
import re

import numpy as np
import polars as pl
import pytest

from morphorl.analysis import claims
from morphorl.analysis.claims import Arms, similar_rate, unstable
from morphorl.analysis.paired_arms import gather as gather_scores
from morphorl.analysis.scores import table

STRENGTHS = {"γ = 0": 0.0, "γ = 0.01": 0.01, "γ = 0.05": 0.05, "γ = 0.1": 0.1, "γ = 0.3": 0.3}
CONTROL = "positive control"
ARMS = Arms("plain PPO", "zero readout", STRENGTHS, CONTROL)
LABELS = ["plain PPO", "zero readout", *STRENGTHS, CONTROL]
UNSTABLE = {CONTROL: 60.0}
FULL, PARTIAL = "CartPole-v1", "StatelessCartPole-v1"
NOTHING: dict[str, float] = {}


def learning(arm, environment, rate=1.0, noise=4.0, fall=0.0, seeds=32, first_seed=0, base=0):
    """Fifty updates from an untrained 20: 20 + rate·100·√t with a seed's own level, its last tenth lower by `fall`."""
    generator = np.random.default_rng([base, LABELS.index(arm), environment == FULL])
    time = np.linspace(0, 1, 50)
    level = generator.normal(0, noise, size=(seeds, 1)) * (time > 0)
    returns = 20 + 100 * rate * np.sqrt(time) + level + generator.normal(0, 2, size=(seeds, 50))
    returns[:, 0] = 20 + generator.normal(0, 1, size=seeds)
    returns[:, -5:] -= fall
    seed = np.repeat(np.arange(first_seed, first_seed + seeds), 50)
    return pl.DataFrame(
        {
            "preset": "standard",
            "environment": environment,
            "arm": arm,
            "seed": seed,
            "cell_seed": seed,
            "env_steps": np.tile(np.arange(1, 51) * 1000, seeds),
            "episode_return": returns.ravel(),
            "episodes": 5,
            "greedy_return": pl.Series([None] * 50 * seeds, dtype=pl.Float64),
            "diverged_at": pl.Series([None] * 50 * seeds, dtype=pl.Int64),
            "untrained_return": np.repeat(20 + generator.normal(0, 1, size=seeds), 50),
        }
    )


def study(rates=NOTHING, falls=NOTHING, noises=NOTHING, environments=(FULL, PARTIAL), **more):
    """All arms in both environments, alike but for what is given; the positive control is slow and falls at the end."""
    rates, falls = {CONTROL: 0.6} | dict(rates), UNSTABLE | dict(falls)
    return pl.concat(
        learning(arm, env, rates.get(arm, 1.0), noises.get(arm, 4.0), falls.get(arm, 0.0), **more)
        for env in environments
        for arm in LABELS
    )


def gather(curves, environment, labels):
    return gather_scores(table(curves), environment, labels)


def judge(curves, arms):
    return claims.judge(table(curves), arms)


def verdict(rule, curves, environment):
    return rule(gather(curves, environment, LABELS), ARMS)


def faster_than(rival):
    return lambda evidence, arms: claims.faster_at_first(evidence, arms, rival, "C1")


faster_at_first = faster_than("γ = 0")
RIVALS = ["plain PPO", "zero readout", "γ = 0"]


# --- C1 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rival", RIVALS)
def test_a_dose_response_far_above_a_rival_supports_the_first_claim(rival):
    rates = {"γ = 0.01": 1.1, "γ = 0.05": 1.3, "γ = 0.1": 1.5, "γ = 0.3": 1.8}
    found = verdict(faster_than(rival), study(rates), FULL)
    assert found.verdict == "supported"
    assert found.effect == pytest.approx(0.8, abs=0.1)
    assert 0.6 < found.low < found.effect < found.high < 1.1
    assert f"γ = 0.3 against {rival}" in found.reason
    assert found.n == 32


def test_arms_that_are_all_alike_contradict_it():
    found = verdict(faster_at_first, study(), FULL)
    assert found.verdict == "contradicted"
    assert found.high < claims.MARGIN


def test_each_baseline_has_a_verdict_of_its_own():
    """A system that learns fast by itself, and that guidance slows down: faster than plain PPO, and not by guidance."""
    rates = dict.fromkeys(LABELS[1:7], 1.8)
    answers = {v.claim: v.verdict for v in judge(study(rates | {"γ = 0": 1.0}), ARMS)}
    assert answers["C1 (plain PPO)"] == answers["C1 (γ = 0)"] == "supported"
    assert answers["C1 (zero readout)"] == "contradicted"


def test_an_advantage_that_does_not_rise_with_the_strength_is_not_the_guidances():
    same = dict.fromkeys(LABELS[1:7], 1.8)
    found = verdict(faster_than("plain PPO"), study(same), FULL)
    assert found.verdict == "undecided"
    assert found.low > claims.MARGIN


def test_weak_guidance_alone_being_fast_does_not_support_that_higher_is_faster():
    found = verdict(faster_at_first, study({"γ = 0.01": 1.8, "γ = 0.05": 1.1, "γ = 0.1": 0.6, "γ = 0.3": 0.3}), FULL)
    assert found.verdict == "undecided"
    assert "γ = 0.01" in found.reason


def test_too_much_noise_leaves_it_undecided():
    noisy = dict.fromkeys(LABELS[1:], 60.0)
    assert verdict(faster_at_first, study({"γ = 0.3": 1.25}, noises=noisy, seeds=10), FULL).verdict == "undecided"


def test_one_lucky_arm_of_four_has_to_pass_the_correction_for_four():
    effects = [claims.Effect(0.3, 0.01, 0.6, p, 16) for p in (0.02, 0.9, 0.8, 0.7)]
    assert claims.clearly_large(effects) == [False] * 4
    assert claims.clearly_large(effects[:1]) == [True]


# --- C2 ---------------------------------------------------------------------------------------------------------------


def test_equal_rates_within_the_margin_support_similarity():
    found = verdict(similar_rate, study({"γ = 0.01": 1.05, "γ = 0.05": 0.95, "γ = 0.3": 0.2}), PARTIAL)
    assert found.verdict == "supported"
    assert -claims.MARGIN < found.low <= found.effect <= found.high < claims.MARGIN


@pytest.mark.parametrize("rate", [0.5, 1.5])
def test_one_low_strength_far_off_in_either_direction_contradicts_similarity(rate):
    found = verdict(similar_rate, study({"γ = 0.05": rate}), PARTIAL)
    assert found.verdict == "contradicted"
    assert found.effect == pytest.approx(rate - 1, abs=0.1)
    assert "γ = 0.05" in found.reason


def test_absence_of_evidence_is_not_similarity():
    noisy = dict.fromkeys(LABELS[1:], 60.0)
    assert verdict(similar_rate, study(noises=noisy, seeds=10), PARTIAL).verdict == "undecided"


def test_seeds_that_lie_far_apart_under_strong_guidance_support_instability():
    found = verdict(unstable, study(noises={"γ = 0.3": 50.0}), PARTIAL)
    assert found.verdict == "supported"
    assert found.low > 0
    assert "spread across seeds, γ = 0.3" in found.reason


def test_a_fall_after_the_peak_supports_instability_too():
    found = verdict(unstable, study(falls={"γ = 0.3": 50.0}), PARTIAL)
    assert found.verdict == "supported"
    assert "fall from the best to the end, γ = 0.3" in found.reason
    assert found.effect == pytest.approx(0.5, abs=0.1)


def test_where_an_unstable_arm_is_not_seen_nothing_is_contradicted():
    """The positive control is as calm as the others: what cannot be seen cannot be absent."""
    calm = {CONTROL: 0.0}
    found = verdict(unstable, study(falls=calm), PARTIAL)
    assert found.verdict == "not testable"
    assert "positive control" in found.reason
    like = verdict(similar_rate, study({CONTROL: 1.0}, falls=calm), PARTIAL)
    assert like.verdict == "not testable"
    alone = Arms("plain PPO", "zero readout", STRENGTHS)
    assert unstable(gather(study(), PARTIAL, LABELS), alone).verdict == "not testable"
    assert verdict(unstable, study(falls=calm | {"γ = 0.3": 50.0}), PARTIAL).verdict == "supported"


def test_strong_guidance_as_calm_as_none_contradicts_instability_even_where_all_are_wild():
    assert verdict(unstable, study(), PARTIAL).verdict == "contradicted"
    fallen = dict.fromkeys(LABELS[:-1], 40.0) | {CONTROL: 90.0}
    assert verdict(unstable, study(falls=fallen), PARTIAL).verdict == "contradicted"


def test_instability_of_weak_guidance_does_not_count():
    assert verdict(unstable, study(noises={"γ = 0.01": 50.0}), PARTIAL).verdict == "contradicted"


# --- No evidence, no number -------------------------------------------------------------------------------------------


def change(curves, arm, environment=FULL, seeds=None, **columns):
    chosen = (pl.col("arm") == arm) & (pl.col("environment") == environment)
    if seeds is not None:
        chosen &= pl.col("seed").is_in(seeds)
    return curves.with_columns(
        pl.when(chosen).then(value).otherwise(pl.col(c)).alias(c) for c, value in columns.items()
    )


def without(curves, arm, environment=FULL, seeds=None):
    dropped = (pl.col("arm") == arm) & (pl.col("environment") == environment)
    return curves.filter(~(dropped if seeds is None else dropped & pl.col("seed").is_in(seeds)))


NAN = pl.lit(float("nan"))
HOSTILE = {
    "an arm missing in one environment": (lambda c: without(c, "γ = 0"), "CartPole-v1 has no run of 'γ = 0'"),
    "no run in an environment": (lambda c: c.filter(pl.col("environment") != FULL), "no run in CartPole-v1"),
    "one seed": (lambda c: c.filter(pl.col("seed") == 0), "1 seeds common to all arms .* at least 8"),
    "few common seeds": (lambda c: without(c, "γ = 0", seeds=range(28)), "4 seeds common to all arms"),
    "a return that is no number": (
        lambda c: change(c, "γ = 0.1", seeds=[3], episode_return=NAN),
        "1 of 32 runs of 'γ = 0.1' in CartPole-v1 have an unknown return",
    ),
    "one episode that is no number": (
        lambda c: c.with_columns(
            pl.when(pl.int_range(pl.len()) == 70).then(NAN).otherwise(pl.col("episode_return")).alias("episode_return")
        ),
        "1 of 32 runs of 'plain PPO'",
    ),
    "no episode ended": (lambda c: change(c, "γ = 0.1", seeds=[3], episodes=0), "1 of 32 runs of 'γ = 0.1'"),
    "an infinite return": (
        lambda c: change(c, "γ = 0.1", seeds=[3], episode_return=math.inf),
        "1 of 32 runs of 'γ = 0.1'",
    ),
    "all diverged": (
        lambda c: change(c, "γ = 0.3", diverged_at=2000),
        "all 32 runs of 'γ = 0.3' in CartPole-v1 diverged",
    ),
    "seeds that make no difference": (
        lambda c: change(c, "γ = 0.3", episode_return=pl.col("env_steps").cast(pl.Float64)),
        "all 32 runs of 'γ = 0.3' in CartPole-v1 are the same run",
    ),
    "rows twice": (lambda c: pl.concat([c, c]), "32 of 32 runs of 'plain PPO' in CartPole-v1 have an unknown return"),
    "an unfinished run": (
        lambda c: c.filter((pl.col("arm") != "γ = 0") | (pl.col("seed") != 3) | (pl.col("env_steps") < 40_000)),
        "32 of 32 runs of 'γ = 0' in CartPole-v1 have an unknown return",
    ),
    "an untrained return that nobody measured": (
        lambda c: c.drop("untrained_return"),
        "the untrained return of plain PPO was not measured",
    ),
    "crossed seeds": (
        lambda c: pl.concat([c, c.with_columns(cell_seed=pl.col("cell_seed") + 1)]),
        "crosses 33 cell seeds with 32 seeds",
    ),
    "a baseline that learns nothing": (
        lambda c: change(c, "plain PPO", episode_return=20 + pl.col("seed") / 10),
        "plain PPO learns too little to measure by",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_data_cannot_answer_is_undecided_with_the_reason_and_without_a_number(case):
    spoil, words = HOSTILE[case]
    first = judge(spoil(study()), ARMS)[0]
    assert first.verdict == "undecided"
    assert re.search(words, first.reason)
    assert np.isnan([first.effect, first.low, first.high]).all()
    plain = claims.to_plain([first])["verdicts"][0]
    assert plain["effect"] is plain["low"] is plain["high"] is None


def test_arms_without_guidance_or_without_gamma_0_are_no_evidence():
    for guided, words in (({"γ = 0": 0.0}, "no arm has γ > 0"), ({"γ = 0.3": 0.3}, "no arm has γ = 0")):
        assert all(words in v.reason for v in judge(study(), Arms("plain PPO", "zero readout", guided)))


def test_a_claim_in_one_environment_does_not_wait_for_the_other():
    answers = [v.verdict for v in judge(study(environments=(PARTIAL,)), ARMS)]
    assert answers == ["undecided"] * 3 + ["supported", "contradicted", "undecided"]


def test_some_diverged_runs_count_with_what_they_got_and_are_mentioned():
    curves = change(study(), "γ = 0.3", seeds=[1, 2], diverged_at=2000, episode_return=9.0)
    found = verdict(faster_at_first, curves, FULL)
    assert found.n == 32
    assert "2 of 32 runs of 'γ = 0.3' diverged" in found.reason
    assert gather(curves, FULL, LABELS).arms["γ = 0.3"].peak[1] == 9


def test_seeds_that_one_arm_lacks_are_left_out_of_all_and_the_others_stay_paired():
    curves = without(study(), "γ = 0.1", seeds=[0, 5])
    evidence = gather(curves.sample(fraction=1.0, shuffle=True, seed=0), FULL, LABELS)
    assert evidence.n == 30
    assert "2 seeds that some arm lacks were left out" in evidence.notes
    whole = gather(study(), FULL, LABELS).arms
    for label, arm in evidence.arms.items():
        for score, complete in zip(arm, whole[label], strict=True):
            np.testing.assert_allclose(score, np.delete(complete, [0, 5]))


# --- What is written --------------------------------------------------------------------------------------------------


def test_the_same_data_give_the_same_file_in_any_order_of_rows():
    curves = study(seeds=12)
    first = json.dumps(claims.to_plain(judge(curves, ARMS)), allow_nan=False)
    shuffled = curves.sample(fraction=1.0, shuffle=True, seed=1)
    assert json.dumps(claims.to_plain(judge(shuffled, ARMS)), allow_nan=False) == first


def test_shares_count_readings_claim_by_claim():
    one = judge(study(), ARMS)
    other = judge(study({"γ = 0.05": 0.4}), ARMS)
    nothing = {"supported": 0, "contradicted": 0, "undecided": 0, "not testable": 0}
    told = claims.shares(one + other)
    assert list(told) == list(claims.CLAIMS)
    assert told["C1 (γ = 0)"] == nothing | {"contradicted": 1}
    assert told["C2a"] == nothing | {"supported": 0.5, "contradicted": 0.5}
    assert told["C2b"] == nothing | {"contradicted": 1}


def test_the_rules_in_the_document_have_the_constants_of_the_code(request):
    text = (request.config.rootpath / "docs" / "claims.md").read_text()
    for constant in (f"{claims.MARGIN:.0%}", f"at most {claims.LEVEL:.1%}", "more than half of", "at least 8"):
        assert constant in text
