"""Crossed seeds: every cell seed with every seed, common patterns across arms, and the luck that they show."""

import dataclasses
import json
import re
import sys

import jax.numpy as jnp
import jaxtyping
import numpy as np
import polars as pl
import pytest

from helpers import compiled
from morphorl import cli
from morphorl.analysis import readout_noise
from morphorl.analysis.luck import crossed, seed_luck, summary
from morphorl.analysis.readout_noise import Moments
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.dynamics.guidance.blind import Blind
from morphorl.environments import registry
from morphorl.ppo.settings import Settings
from morphorl.studies import study_file
from morphorl.studies.study import Study

CROSSED = Study(
    "crossed",
    ("CartPole-v1",),
    {"γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.3]}}},
    seeds=3,
    first_seed=5,
    cell_seeds=4,
    steps=512,
    evaluate_every=0,
    settings={"ppo": {"hidden": [4], "epochs": 1}},
)


def test_every_seed_meets_every_cell_seed_and_without_crossing_they_are_one():
    runs = CROSSED.runs()
    assert len(runs) == CROSSED.size == 2 * 3 * 4
    assert {(run.seed, run.cell_seed) for run in runs} == {(s, c) for s in (5, 6, 7) for c in (5, 6, 7, 8)}
    assert len({run.id for run in runs}) == len(runs)
    plain = dataclasses.replace(CROSSED, cell_seeds=None)
    assert all(run.seed == run.cell_seed for run in plain.runs())
    assert {run.id for run in plain.runs()} <= {run.id for run in runs}  # the runs on the diagonal are the same


@pytest.mark.parametrize("change", ["cell_seeds=0", "cell_seeds=1.5", "cell_seeds=true", "cell_seeds=3_000_000_000"])
def test_a_wrong_number_of_cell_seeds_is_refused(change):
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        with pytest.raises(SettingError, match=r"cell_seeds = .*whole number of at least 1|must be at most|below 2³¹"):
            study_file.load("blind_dynamics", [change])
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def test_the_number_of_cell_seeds_can_be_set_from_outside():
    assert study_file.load("blind_dynamics", ["cell_seeds=3"]).size == 3 * study_file.load("blind_dynamics").size


def test_arms_of_one_cell_seed_start_from_one_pattern_whatever_their_strength_and_seed():
    env, patterns = registry.make_env("CartPole-v1"), {}
    for run in study_file.load("crossed", ["seeds=2", "cell_seeds=2"]).runs():
        agent = compiled.init(run.settings, env, jnp.array(run.seed), jnp.array(run.cell_seed)).agent
        patterns.setdefault(run.cell_seed, []).append(np.concatenate([*agent.pattern]))
    assert [len(of) for of in patterns.values()] == [10, 10]
    for of in patterns.values():
        assert all(np.array_equal(of[0], other) for other in of)
    one, other = patterns.values()
    assert not np.array_equal(one[0], other[0])


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(crossed, "SHARE_RESAMPLES", 20)


def table(scores):
    """Scores of runs that earn the same throughout; by arm a matrix of a row per pattern and a column per learner."""
    rows = [
        {"preset": "standard", "environment": "CartPole-v1", "arm": arm, "seed": seed, "cell_seed": cell_seed}
        | dict.fromkeys(summary.SCORES.values(), float(matrix[cell_seed, seed]))
        for arm, matrix in scores.items()
        for cell_seed, seed in np.ndindex(*matrix.shape)
    ]
    return pl.DataFrame(rows)


def settings(**arms):
    """By label, with "standard" the only preset: settings of arms given as (γ, blend)."""
    return {
        "standard": {
            label: Settings(guidance=Blind(strength=strength), blend=Blend(kind=kind))
            for label, (strength, kind) in arms.items()
        }
    }


def test_an_arm_is_compared_with_the_arm_that_shares_all_but_its_strength():
    """However labels read, and in whatever order the arms come."""
    arms = {"a": (0.3, "add"), "b": (0.0, "average"), "c": (0.3, "average"), "d": (0.0, "add"), "e": (0.1, "add")}
    told = summary.compared(settings(**arms)["standard"], None)
    assert {label: one.against for label, one in told.items()} == {"a": "d", "b": None, "c": "b", "d": None, "e": "d"}
    assert not any(one.warning for one in told.values())


def test_an_arm_without_a_partner_is_compared_with_nothing_and_a_sentence_says_what_is_missing():
    told = summary.compared(settings(alone=(0.3, "add"), other=(0.0, "average"))["standard"], None)
    assert told["alone"].against is None
    assert "No arm has guidance.strength = 0 and all its other settings" in told["alone"].warning
    assert told["other"] == (None, None)


def test_an_arm_named_is_compared_with_all_and_what_else_differs_is_said():
    arms = {"same": (0.1, "average"), "base": (0.0, "average"), "unlike": (0.3, "add")}
    told = summary.compared(settings(**arms)["standard"], "base")
    assert told["same"] == ("base", None)
    assert told["base"] == (None, None)
    assert told["unlike"].against == "base"
    assert "differs from base in more than guidance.strength" in told["unlike"].warning
    assert "blend.kind add against average" in told["unlike"].warning


def test_the_report_splits_each_arms_matrix_and_compares_with_its_partner(few_resamples):
    generator = np.random.default_rng(0)
    calm = generator.normal(20, 1, size=(5, 4))
    lucky = 21 + 5 * generator.normal(size=(5, 1)) + generator.normal(size=(5, 4))
    rows = table({"γ = 0": calm, "γ = 0.3": lucky}).sample(fraction=1, shuffle=True, seed=1)
    told = summary.report(rows, settings(**{"γ = 0": (0.0, "average"), "γ = 0.3": (0.3, "average")}))
    arms = told["standard"]["CartPole-v1"]
    score = arms["γ = 0.3"]["scores"]["mean_return"]
    assert arms["γ = 0.3"]["against"] == "γ = 0"
    assert list(arms["γ = 0.3"]["scores"]) == ["mean_return", "early_return", "final_return"]
    assert score["split"]["pattern"]["value"] == pytest.approx(seed_luck.variance_split(lucky).pattern.value)
    assert score["mean"] == pytest.approx(lucky.mean())
    assert score["effect"]["difference"]["value"] == pytest.approx(lucky.mean() - calm.mean())
    assert [entry["n"] for entry in score["effect"]["found"]] == [1, 3, 5, 10]
    expected = seed_luck.found_with_one_pattern(lucky, calm, 5)
    found = score["effect"]["found"][2]["one_pattern"]
    assert (found["better"]["value"], found["significant"]["value"]) == (expected.better, expected.significant)
    assert score["effect"]["found"][0]["fresh_patterns"]["significant"] is None
    assert "effect" not in arms["γ = 0"]["scores"]["mean_return"]
    json.dumps(told)


def test_what_cannot_be_told_is_said_and_what_is_not_crossed_is_refused(few_resamples):
    good, unknown = np.random.default_rng(0).normal(size=(2, 4, 4))
    unknown[1, 1] = np.nan
    labelled = settings(good=(0.0, "average"), same=(0.1, "average"), unknown=(0.2, "average"), fewer=(0.3, "average"))
    scores = {"good": good, "same": np.ones((4, 4)), "unknown": unknown, "fewer": good[:3]}
    arms = summary.report(table(scores), labelled)["standard"]["CartPole-v1"]
    told = {arm: one["scores"]["mean_return"] for arm, one in arms.items()}
    assert "no variance to split" in told["same"]["unknown"]
    assert "1 of 16 scores are unknown" in told["unknown"]["unknown"]
    assert "fewer and good have other seeds" in told["fewer"]["unknown"]
    assert "split" in told["good"]
    with pytest.raises(SettingError, match=r"against = 'godo': must be one of .* Did you mean 'good'?"):
        summary.report(table({"good": good}), labelled, "godo")
    with pytest.raises(SettingError, match="cell_seeds: must be 3 or more"):
        summary.report(table({"good": good[:1]}), labelled)


@pytest.fixture
def command(tmp_path, monkeypatch, capsys, few_resamples):
    jaxtyping.config.update("jaxtyping_disable", True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["morphorl", *arguments])
        try:
            code = cli.main()
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return code, re.sub(r"\s+", " ", printed.out + printed.err)

    yield run
    jaxtyping.config.update("jaxtyping_disable", False)


SMALL = ["--set", "seeds=3", "--set", "cell_seeds=3", "--set", "steps=2048", "--set", "settings.ppo.hidden=[4]"]


def test_luck_runs_a_crossed_study_goes_on_and_reads_its_folder(tmp_path, command):
    arms = ["--set", "settings.ppo.epochs=1"]
    code, printed = command("luck", "crossed", "--out", "one", *SMALL, *arms)
    assert (code, "how often 10 seeds find" in printed) == (None, True)
    for name in ("luck.json", "luck.png", "luck.svg", "curves.parquet", "scores.parquet"):
        assert (tmp_path / "one" / name).stat().st_size > 100
    first = (tmp_path / "one" / "luck.json").read_text()
    shards = sorted(path.name for path in (tmp_path / "one" / "shards").iterdir())
    assert command("luck", "crossed", "--out", "one", *SMALL, *arms)[0] is None  # the store takes it up again
    assert shards == sorted(path.name for path in (tmp_path / "one" / "shards").iterdir())
    code, printed = command("luck", "one", "--out", "two")
    assert code is None
    assert (tmp_path / "two" / "luck.json").read_text() == first
    assert command("luck", "one", "--against", "γ = 0.2")[0] == 2
    (tmp_path / "published").mkdir()
    for name in ("study.json", "scores.parquet"):
        (tmp_path / "published" / name).write_bytes((tmp_path / "one" / name).read_bytes())
    assert command("luck", "published")[0] is None
    assert (tmp_path / "published" / "luck.json").read_text() == first
    code, printed = command("luck", "one", "--out", "three", "--against", "γ = 0")
    assert (code, "added with β = 1, γ = 0.3: differs from γ = 0 in more than" in printed) == (None, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["blind_dynamics"], "cell_seeds = None, seeds = 64: must be 3 or more of each"),
        (["crossed", "--set", "cell_seeds=2"], "cell_seeds = 2, seeds = 12: must be 3 or more"),
        (["crosed"], "Did you mean 'crossed'?"),
        (["."], "holds no study"),
    ],
)
def test_luck_refuses_in_a_sentence_what_is_not_crossed(tmp_path, command, arguments, message):
    code, printed = command("luck", *arguments)
    assert (code, message in printed) == (2, True), printed
    assert not list(tmp_path.iterdir())


# --- Matching ---------------------------------------------------------------------------------------------------------


def test_the_readouts_of_noise_measure_as_the_noise_was_set():
    values = {"deviation": 1.7, "autocorrelation": 0.8, "reset": "redraw"}
    noise = {"dynamics": {"kind": "correlated_noise"} | values}
    study = dataclasses.replace(CROSSED, arms={"noise": noise}, seeds=8, cell_seeds=None, steps=8192)
    (measured,) = readout_noise.measure(study).values()
    assert measured.deviation == pytest.approx(1.7, rel=0.05)
    assert measured.autocorrelation == pytest.approx(0.8, abs=0.02)


def test_a_part_common_to_all_actions_does_not_count_and_pairs_do_not_span_episodes():
    readout = jnp.array([[1.0, 3.0], [2.0, 4.0], [9.0, 7.0], [0.0, -2.0]])[..., None]  # centred: ∓1, ∓1, ±1, ±1
    ended = jnp.array([False, True, False, False])[:, None]
    sums = Moments(*map(float, readout_noise.moments(readout, ended)))
    assert readout_noise.readouts(sums, 2) == pytest.approx((np.sqrt(2), 1.0))
    spanning = Moments(*map(float, readout_noise.moments(readout, jnp.zeros_like(ended))))
    assert readout_noise.readouts(spanning, 2).autocorrelation == pytest.approx(1 / 3)
