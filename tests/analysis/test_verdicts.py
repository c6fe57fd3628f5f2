"""Which arms form a reading of the post, and what is written and printed of the verdicts."""

import io
import json
from dataclasses import replace

import polars as pl
import pytest
from rich.console import Console

from helpers.finished_studies import BLIND, finish, study
from morphorl.analysis import interpretations, verdicts
from morphorl.analysis.claims import CLAIMS, judge
from morphorl.analysis.scores import table
from morphorl.report import summary
from morphorl.studies import study_file

TWO_READINGS = {
    "plain PPO": {"blend": {"weight": 0.0}},
    "zero readout": {"dynamics": {"initial_scale": 0.0}},
    "{dynamics.coupling}, γ = {guidance.strength}": {
        "dynamics": {"coupling": ["mean", "ring"]},
        "guidance": {"strength": [0.0, 0.01, 0.1, 0.3]},
    },
}


def test_the_posts_study_is_one_reading_of_all_its_strengths():
    (reading,) = interpretations.of_study(study_file.load("blind_dynamics"), "standard")
    assert (reading.name, reading.options) == ("", {})
    assert reading.arms.guided == {f"γ = {s:g}": s for s in (0.0, 0.01, 0.05, 0.1, 0.3)}


def test_the_multiverse_has_a_reading_for_every_combination_each_with_its_own_gamma_0():
    multiverse = study_file.load("readings")
    found = interpretations.of_study(multiverse, "tuned")
    axes = next(arm for label, arm in multiverse.arms.items() if "coupling" in label)
    strengths = axes["guidance"]["strength"]
    arms = len(multiverse.expand("tuned"))
    assert len(found) * len(strengths) + 2 == arms
    assert all(sorted(reading.arms.guided.values()) == strengths for reading in found)
    assert len({reading.name for reading in found}) == len(found)
    assert "dynamics.coupling" in found[0].options
    assert "guidance.strength" not in found[0].options


def test_readings_come_from_settings_and_not_from_what_labels_say():
    named = study(TWO_READINGS).expand("standard")
    others = [label for label in named if label not in ("plain PPO", "zero readout")]
    # Labels that lie: each carries the γ of another arm.
    lies = dict(zip(others, [f"γ = {9 - i}, ring" for i in range(len(others))], strict=True))
    found = interpretations.readings({lies.get(label, label): settings for label, settings in named.items()})
    expected = [{lies[label]: s for label, s in r.arms.guided.items()} for r in interpretations.readings(named)]
    assert [reading.arms.guided for reading in found] == expected
    assert [reading.options for reading in found] == [{"dynamics.coupling": "mean"}, {"dynamics.coupling": "ring"}]


@pytest.mark.parametrize("missing", ["plain PPO", "zero readout"])
def test_without_a_reference_there_is_no_reading(missing):
    labelled = study().expand("standard")
    assert interpretations.readings({label: s for label, s in labelled.items() if label != missing}) == []


def test_arms_without_a_family_have_no_gamma():
    arms = BLIND | {"ring": {"dynamics": {"coupling": "ring"}, "guidance": {"strength": 0.1}}}
    strengths = interpretations.strengths(study(arms).expand("standard"))
    assert strengths == {"γ = 0": 0.0, "γ = 0.01": 0.01, "γ = 0.1": 0.1, "γ = 0.3": 0.3}


def test_references_are_told_by_their_settings_and_not_by_their_labels():
    renamed = {"plain PPO": "A", "zero readout": "B", "γ = 0": "C", "γ = 0.3": "D"}
    named = study().expand("standard")
    (reading,) = interpretations.readings({renamed.get(label, label): settings for label, settings in named.items()})
    assert (reading.arms.plain, reading.arms.zero) == ("A", "B")
    assert {"C": 0.0, "D": 0.3}.items() <= reading.arms.guided.items()
    assert interpretations.rival({"x": named["γ = 0"], "y": named["plain PPO"]}) == "y"


def test_a_reference_beside_another_ppo_or_another_blend_is_none():
    other = BLIND | {"plain PPO": {"blend": {"weight": 0.0}, "ppo": {"learning_rate": 1e-3}}}
    assert interpretations.readings(study(other).expand("standard")) == []
    half = BLIND | {"zero readout": {"dynamics": {"initial_scale": 0.0}, "blend": {"weight": 0.5}}}
    assert interpretations.readings(study(half).expand("standard")) == []


def test_what_an_arm_does_without_is_not_named_among_its_settings():
    """Without a readout dynamics act on nothing; a bank of leaky integrators is guided all the same."""
    arms = {
        "plain": {"blend": {"weight": 0.0}},
        "dynamics": {},
        "sticky": {"blend": {"kind": "none"}, "task": {"sticky": True}},
        "leaky": {"blend": {"kind": "none"}, "memory": {"kind": "leaky_integrators"}},
        "previous": {"blend": {"kind": "none"}, "memory": {"kind": "previous_observation"}},
    }
    labelled = study(arms).expand("standard")
    tables = {
        label: {name.partition(".")[0] for name in interpretations.in_words(one)} for label, one in labelled.items()
    }
    plain = tables.pop("plain")
    added = {label: of - plain for label, of in tables.items()}
    assert added == {
        "dynamics": {"dynamics", "guidance", "blend"},
        "sticky": {"task"},
        "leaky": {"memory", "guidance"},
        "previous": {"memory"},
    }


def test_zeros_that_are_added_are_plain_ppo():
    added = {label: {"blend": {"kind": "add"}} | values for label, values in BLIND.items() if label != "zero readout"}
    added["plain PPO"] = {"blend": {"kind": "none"}}
    (reading,) = interpretations.readings(study(added).expand("standard"))
    assert reading.arms.zero == reading.arms.plain == "plain PPO"


def test_each_preset_is_judged_on_its_own(tmp_path):
    both = replace(study(), presets=("standard", "tuned"))
    scores = table(finish(tmp_path, both).curves(both))
    for preset in both.presets:
        found = verdicts.judge(both, preset, scores)
        assert found == verdicts.judge(both, preset, scores.filter(preset=preset))
        assert {verdict.n for verdict in found[0].verdicts} == {8}


def test_every_reading_is_judged_by_its_own_arms_alone(tmp_path):
    both = study(TWO_READINGS)
    rates = {"ring, γ = 0.1": 2.5, "ring, γ = 0.3": 3.0}
    scores = table(finish(tmp_path, both, rates).curves(both))
    mean, ring = verdicts.judge(both, "standard", scores)
    assert mean.verdicts[0].verdict == "contradicted"
    assert ring.verdicts[0].verdict == "supported"
    assert "ring, γ = 0.3 against" in ring.verdicts[0].reason
    # What the claims' rules say of these arms, asked directly.
    alone = scores.filter(pl.col("arm").str.contains("ring|plain|zero"))
    assert judge(alone, ring.reading.arms) == ring.verdicts
    shares = verdicts.to_plain([mean, ring])["shares"]
    half = {"supported": 0.5, "contradicted": 0.5, "undecided": 0.0, "not testable": 0.0}
    assert shares["C1 (plain PPO)"] == half


def test_a_reading_that_differs_from_gamma_0_of_another_only_is_not_helped_by_it(tmp_path):
    both = study(TWO_READINGS)
    # ring's own γ = 0 is as fast as its γ = 0.3: against it, guidance does nothing, whatever mean's γ = 0 does.
    rates = dict.fromkeys((f"ring, γ = {s:g}" for s in (0, 0.01, 0.1, 0.3)), 3.0)
    ring = verdicts.judge(both, "standard", table(finish(tmp_path, both, rates).curves(both)))[1]
    assert {v.claim: v.verdict for v in ring.verdicts}["C1 (γ = 0)"] == "contradicted"


def written(root, study, **more):
    screen = io.StringIO()
    summary.write(study, finish(root, study, **more), Console(file=screen, width=140))
    return screen.getvalue()


def test_a_finished_study_ends_with_its_verdicts_on_screen_and_in_a_file_for_each_preset(tmp_path):
    screen = written(tmp_path, replace(study(), presets=("standard", "tuned")))
    for preset in ("standard", "tuned"):
        content = json.loads((tmp_path / preset / "verdicts.json").read_text())
        assert [row["claim"] for row in content["verdicts"]] == list(CLAIMS)
        assert all(
            set(row) >= {"metric", "effect", "low", "high", "n", "verdict", "reason"} for row in content["verdicts"]
        )
        assert f"The post's claims, {preset}" in screen
        for row in content["verdicts"]:
            assert row["reason"] in screen
            assert row["verdict"] in screen


def test_several_readings_are_told_by_their_shares_and_each_stands_in_the_file(tmp_path):
    screen = written(tmp_path, study(TWO_READINGS))
    content = json.loads((tmp_path / "verdicts.json").read_text())
    assert content["readings"] == 2
    assert [row["reading"] for row in content["verdicts"][:: len(CLAIMS)]] == [
        {"dynamics.coupling": "mean"},
        {"dynamics.coupling": "ring"},
    ]
    assert "share of 2 readings under each verdict" in screen


def test_a_study_without_these_arms_has_no_verdicts_and_no_file(tmp_path):
    screen = written(tmp_path, study({"agent": {}}))
    assert "claims" not in screen
    assert not (tmp_path / "verdicts.json").exists()


def test_too_few_seeds_give_no_verdict_and_the_reason(tmp_path):
    screen = written(tmp_path, study(seeds=3))
    assert screen.count("a verdict needs at least 8") == len(CLAIMS)
    content = json.loads((tmp_path / "verdicts.json").read_text())
    assert {row["verdict"] for row in content["verdicts"]} == {"undecided"}


def test_what_was_judged_is_read_and_not_judged_again(tmp_path, monkeypatch):
    # Readings with and without a readout of zeros of their own have different numbers of claims.
    averaged, added = ({"plain PPO": {"blend": {"weight": 0.0}}}, {"kind": ["average", "add"]})
    zero = {"zero readout": {"dynamics": {"initial_scale": 0.0}}}
    arms = {"{blend.kind}, γ = {guidance.strength}": {"blend": added, "guidance": {"strength": [0.0, 0.3]}}}
    both = study(averaged | zero | arms)
    written(tmp_path, both)
    scores = table(finish(tmp_path, both).curves(both))
    judged = verdicts.judge(both, "standard", scores)
    assert len({len(one.verdicts) for one in judged}) == 2
    with monkeypatch.context() as patched:
        patched.setattr(verdicts, "judge", lambda *_: pytest.fail("judged again"))
        assert str(verdicts.load(tmp_path, both, "standard", scores)) == str(judged)  # NaN is as it was


def edited(rows):
    rows[0]["verdict"] = "surely"


@pytest.mark.parametrize("damage", [edited, list.clear, lambda rows: rows[0].pop("n")])
def test_a_file_that_is_damaged_is_judged_again(tmp_path, damage):
    one = study()
    written(tmp_path, one)
    scores = table(finish(tmp_path, one).curves(one))
    content = json.loads((tmp_path / "verdicts.json").read_text("utf-8"))
    damage(content["verdicts"])
    (tmp_path / "verdicts.json").write_text(json.dumps(content), "utf-8")
    assert str(verdicts.load(tmp_path, one, "standard", scores)) == str(verdicts.judge(one, "standard", scores))


def test_other_scores_other_arms_and_other_rules_are_judged_again(tmp_path, monkeypatch):
    one = study()
    scores = table(finish(tmp_path, one).curves(one))
    known = verdicts.computed_from(one, "standard", scores)
    assert known == verdicts.computed_from(study(), "standard", scores)
    assert known != verdicts.computed_from(one, "standard", scores.filter(pl.col("seed") < 7))
    assert known != verdicts.computed_from(study(BLIND | {"more": {"dynamics": {"dt": 0.5}}}), "standard", scores)
    monkeypatch.setattr(verdicts, "_rules", lambda: "others")
    assert known != verdicts.computed_from(one, "standard", scores)


def test_renamed_arms_have_the_verdicts_that_they_had(tmp_path):
    names = {"plain PPO": "A", "zero readout": "B", "γ = 0": "C", "γ = 0.1": "plain PPO", "γ = 0.3": "zero readout"}
    one = study()
    labelled = one.expand("standard")
    scores = table(finish(tmp_path, one, {"γ = 0.3": 3.0}).curves(one))
    renamed = scores.with_columns(pl.col("arm").replace(names))
    other = study({names.get(label, label): settings for label, settings in labelled.items()})
    before, after = (verdicts.judge(*given)[0] for given in ((one, "standard", scores), (other, "standard", renamed)))
    assert [v.verdict for v in before.verdicts] == [v.verdict for v in after.verdicts]
    assert [v.effect for v in before.verdicts] == [v.effect for v in after.verdicts]
    assert before.verdicts[0].verdict == "supported"
