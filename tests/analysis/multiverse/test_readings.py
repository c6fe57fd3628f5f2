"""The wider multiverse: the balance of its design, its study file, effects by settings, and the regression on axes."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from morphorl.analysis import paired_arms, score_table, scores
from morphorl.analysis.bootstrap import EvidenceError
from morphorl.analysis.multiverse import design, effects, main_effects, readings
from morphorl.commands.multiverse import Multiverse
from morphorl.config.errors import SettingError
from morphorl.config.sealed import write_sealed_json, write_sealed_table
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import PPO, Settings
from morphorl.studies import study_file
from morphorl.studies.library import shipped

GAIN = 40.0
"""What plain PPO learns in `planted` curves."""


@pytest.fixture(scope="module")
def labelled():
    return study_file.load("multiverse").expand("standard")


@pytest.fixture(scope="module")
def places():
    return np.array(
        [[list(axis.levels).index(one[axis.name]) for axis in readings.AXES] for one in readings.fraction()]
    )


@pytest.mark.parametrize(("levels", "runs"), [([2, 2, 2], 4), ([3, 3, 3, 3], 9), ([2, 2, 2, 2, 4], 8)])
def test_where_an_orthogonal_array_exists_the_search_finds_it(levels, runs):
    found = design.balanced(levels, runs, starts=50)
    assert design.imbalance(found, levels) == 0
    assert_allclose(design.correlations(found, levels), np.eye(len(levels)), atol=1e-12)


def test_no_exchange_of_two_runs_would_balance_a_design_better():
    levels = [3, 2, 5]
    found = design.balanced(levels, 11, starts=1)
    least = design.imbalance(found, levels)
    for axis in range(3):
        for one, other in zip(*np.triu_indices(11, 1), strict=True):
            changed = found.copy()
            changed[[one, other], axis] = changed[[other, one], axis]
            assert design.imbalance(changed, levels) >= least


def test_the_multiverse_is_balanced(places):
    for column, count in zip(places.T, readings.COUNTS, strict=True):
        frequencies = np.bincount(column, minlength=count)
        assert frequencies.max() - frequencies.min() <= 1
    correlations = design.correlations(places, readings.COUNTS)
    assert (correlations - np.eye(len(correlations))).max() < 0.16
    assert len(np.unique(places, axis=0)) == readings.READINGS
    assert np.bincount(places[:, -1]).tolist() == [12, 12, 12, 12]


def test_the_study_file_is_what_the_design_makes():
    assert shipped()["multiverse"].read_text() == readings.study_text()


def test_readings_and_their_references_come_from_settings_and_not_from_labels(labelled):
    lies = {label: f"plain PPO, {number}" for number, label in enumerate(labelled)}
    members = effects.members({lies[label]: settings for label, settings in labelled.items()})
    assert tuple(member.levels for member in members) == readings.fraction()
    truth = {lie: label for label, lie in lies.items()}
    for member in members:
        ppo, blend = member.levels["PPO"], member.levels["blend"]
        assert truth[member.plain] == f"plain PPO, {ppo}"
        zero = f"plain PPO, {ppo}" if blend.startswith("add") else f"zero readout, {ppo}, {blend}"
        assert truth[member.zero] == zero
        assert sorted(member.strengths.values()) == list(readings.STRENGTHS)


def test_what_is_no_level_or_no_reading_is_refused(labelled):
    ring = replace(labelled["plain PPO, sb3"], dynamics=ReactionDiffusion(coupling="ring"))
    with pytest.raises(SettingError, match=r"dynamics\.coupling = 'ring': is no level .* mean, lattice, partner"):
        readings.levels_of(ring)
    with pytest.raises(SettingError, match="no reading with γ = 0"):
        effects.members({"plain PPO": Settings(ppo=PPO())})


def planted(labelled, effects):
    """Scores in which plain PPO learns `GAIN`, and each arm its effect times that on top; seeds shift all alike."""
    shift = np.random.default_rng(0).normal(0, 5, size=8)
    seeds, environment = np.tile(np.arange(8), len(labelled)), "CartPole-v1"
    known = np.repeat([effects.get(label, 0.0) for label in labelled], 8)
    rows = dict.fromkeys(paired_arms.NEEDED, 22 + GAIN * (1 + known) + shift[seeds])
    rows |= {"seed": seeds, "cell_seed": seeds, "untrained_return": 22 + shift[seeds]}
    rows |= {"arm": np.repeat(list(labelled), 8), "environment": np.full(len(seeds), environment)}
    return pl.DataFrame(rows).with_columns(diverged_at=None, early_greedy_return=None)


def test_a_planted_effect_is_found_against_each_rival_in_units_of_what_plain_ppo_learns(labelled):
    arms = {"reading 1, γ = 0": -0.1, "reading 1, γ = 0.1": 0.5, "reading 1, γ = 0.3": 0.2}
    member = effects.members(labelled)[0]
    zero = {member.zero: -0.3}
    few = {label: labelled[label] for label in (*arms, member.plain, member.zero)}
    found = effects.effects(few, planted(few, arms | zero), "CartPole-v1")
    expected = {
        "strongest": {"unguided": 0.3, "plain": 0.2, "zero": 0.5},
        "best": {"unguided": 0.6, "plain": 0.5, "zero": 0.8},
    }
    for (choice, rival), outcome in found.outcomes.items():
        assert_allclose(outcome.effects[0][:3], expected[choice][rival], atol=1e-9)  # paired: seeds cancel
    assert (found.best, found.n) == ([0.1], 8)
    assert_allclose(found.gains[member.plain][:3], GAIN)


def test_without_the_untrained_return_or_learning_there_is_no_unit(labelled):
    few = {label: labelled[label] for label in labelled if label.startswith(("reading 1,", "plain", "zero"))}
    unmeasured = planted(few, {}).with_columns(untrained_return=None)
    with pytest.raises(EvidenceError, match=r"untrained return of plain PPO, .* was not measured"):
        effects.effects(few, unmeasured, "CartPole-v1")
    with pytest.raises(EvidenceError, match="learns too little"):
        effects.effects(few, planted(few, {"plain PPO, standard": -1.0}), "CartPole-v1")


def test_an_additive_outcome_gives_its_own_terms_back(places):
    true = np.array([0.3, -0.1, -0.2])
    reset = [axis.name for axis in readings.AXES].index("reset")
    outcome = 0.5 + true[places[:, reset]]
    shifts = np.linspace(-0.2, 0.2, 401)
    found = main_effects.main_effects(places, readings.COUNTS, outcome, outcome[:, None] + shifts)
    for number, axis in enumerate(found.axes):
        levels = true if number == reset else np.zeros(len(axis.levels))
        # What all readings share moves the mean, and no level.
        assert_allclose([one[:3] for one in axis.levels], np.repeat(levels[:, None], 3, axis=1), atol=1e-9)
    assert_allclose(found.mean, [0.5, 0.31, 0.69], atol=1e-9)
    assert_allclose([found.explained, found.noise], [1, 0], atol=1e-9)
    assert found.axes[reset].share > 0.95
    assert found.axes[reset].p == 1 / (1 + main_effects.PERMUTATIONS)


def test_shares_of_an_orthogonal_design_are_its_sums_of_squares_and_p_that_of_the_f_test():
    levels, runs = [2, 3, 2], 36
    cells = np.stack(np.unravel_index(np.arange(runs) % 12, levels), axis=1)
    generator = np.random.default_rng(3)
    outcome = 0.4 * cells[:, 0] + generator.normal(size=runs)
    found = main_effects.main_effects(cells, levels, outcome, outcome[:, None] + np.zeros(2))
    total = ((outcome - outcome.mean()) ** 2).sum()
    left = 1 - found.explained
    for column, axis, count in zip(cells.T, found.axes, levels, strict=True):
        means = np.array([outcome[column == level].mean() for level in range(count)])
        assert_allclose(axis.share, runs / count * ((means - outcome.mean()) ** 2).sum() / total)
        assert_allclose([level.value for level in axis.levels], means - outcome.mean(), atol=1e-12)
        ratio = (axis.share / (count - 1)) / (left / (runs - 5))
        assert abs(axis.p - scipy.stats.f.sf(ratio, count - 1, runs - 5)) < 0.02
    assert_allclose(found.explained, sum(axis.share for axis in found.axes))


def test_noise_of_the_seeds_is_its_share_of_the_variance_over_readings():
    generator = np.random.default_rng(0)
    cells = np.stack(np.unravel_index(np.arange(48) % 4, (2, 2)), axis=1)
    outcome = generator.normal(0, 2, size=48)
    replicates = outcome[:, None] + generator.normal(0, 1, size=(48, 4000))
    found = main_effects.main_effects(cells, [2, 2], outcome, replicates)
    assert_allclose(found.noise, 47 / 48 / outcome.var(), rtol=0.02)


def test_too_few_readings_or_none_that_differ_are_refused(places):
    few, outcome = places[:12], np.arange(12.0)
    with pytest.raises(EvidenceError, match="12 readings: too few to tell 20 coefficients apart"):
        main_effects.main_effects(few, readings.COUNTS, outcome, outcome[:, None])
    with pytest.raises(EvidenceError, match="same in all readings"):
        main_effects.main_effects(places, readings.COUNTS, np.ones(48), np.ones((48, 2)))


def test_the_command_writes_every_reading_every_axis_and_three_figures(labelled, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(main_effects, "PERMUTATIONS", 99)
    study = study_file.load("multiverse", ["seeds=8"])
    # As a published study: its file, and a table of scores in place of its runs.
    write_sealed_json(tmp_path / "study.json", study.describe() | {"algorithm": 0, "versions": {}})
    gains = {
        label: settings.guidance.strength * (settings.dynamics.reset == "never") for label, settings in labelled.items()
    }
    table = planted(labelled, gains).with_columns(preset=pl.lit("standard"))
    absent = [pl.lit(None).alias(name) for name in score_table.SCHEMA if name not in table.columns]
    write_sealed_table(tmp_path / scores.FILE, table.with_columns(*absent))
    Multiverse(tmp_path)()
    told = json.loads((tmp_path / "multiverse.json").read_text())
    assert len(told["readings"]) == readings.READINGS
    axes = told["regressions"]["strongest"]["unguided"]["axes"]
    assert list(axes) == [axis.name for axis in readings.AXES]
    assert max(axes, key=lambda axis: axes[axis]["share"]) == "reset"
    assert abs(axes["reset"]["levels"]["never"]["value"] - 0.2) < 0.02
    drawn = {path.stem for path in (tmp_path / "figures").glob("*.svg")}
    assert drawn == {"multiverse_guidance", "multiverse_system", "multiverse_variance"}
    printed = capsys.readouterr().out
    assert "Strongest γ against plain PPO: median" in printed
    assert max(map(len, printed.replace(str(tmp_path), "").splitlines())) <= 130
