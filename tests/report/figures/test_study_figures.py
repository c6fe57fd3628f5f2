"""Figures: every one drawn, with labels as text whatever they are, and a sentence where there is nothing to draw."""

import xml.etree.ElementTree as ElementTree

import pytest

from helpers.finished_studies import BLIND, finish, study
from morphorl.analysis import interpretations, verdicts
from morphorl.analysis.learning_curves import attempt
from morphorl.analysis.scores import table
from morphorl.report.figures import canvas, specification_figure, study_figures

HOSTILE = {
    "plain PPO": {"blend": {"weight": 0.0}},
    "_private $\\frac$ --><script>alert(1)</script>": {},
    '"quotes" and </script> & more': {"guidance": {"strength": 0.1}},
    "$$": {"guidance": {"strength": 0.3}},
}
NAMES = ["cartpole", "cartpole_threshold", "cartpole_strength", "cartpole_luck"]


def drawn(root, study, threshold=475.0, **more):
    curves = finish(root, study, **more).curves(study).filter(environment="CartPole-v1")
    labelled = study.expand("standard")
    strengths, rival = interpretations.strengths(labelled), interpretations.rival(labelled)
    return study_figures.draw_all(curves, "CartPole-v1", root / "figures" / "cartpole", strengths, rival, threshold)


@pytest.mark.parametrize("arms", [BLIND, HOSTILE], ids=["the post's", "hostile labels"])
def test_every_figure_is_drawn_as_png_and_as_svg_without_scripts(tmp_path, arms):
    told = drawn(tmp_path, study(arms, environments=("CartPole-v1",)))
    assert told == dict.fromkeys(NAMES)
    for name in NAMES:
        assert (tmp_path / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        root = ElementTree.parse(tmp_path / "figures" / f"{name}.svg").getroot()
        assert not [element for element in root.iter() if "script" in element.tag]


def test_the_same_data_give_the_same_file(tmp_path):
    for folder in ("a", "b"):
        drawn(tmp_path / folder, study(environments=("CartPole-v1",)))
    for name in NAMES:
        first, second = ((tmp_path / folder / "figures" / f"{name}.svg").read_bytes() for folder in ("a", "b"))
        assert first == second


def test_every_arm_stands_in_the_legend_with_its_own_text(tmp_path, monkeypatch):
    legends = []
    save = canvas.save
    monkeypatch.setattr(canvas, "save", lambda figure, path: (legends.append(texts(figure)), save(figure, path)))
    drawn(tmp_path, study(HOSTILE, environments=("CartPole-v1",)))
    assert [text.replace("\u200b", "") for text in legends[0]] == list(HOSTILE)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_what_cannot_be_drawn_is_told_in_a_sentence_and_the_rest_is_drawn(tmp_path):
    one = study({"agent": {}}, seeds=1, environments=("CartPole-v1",))
    told = drawn(tmp_path / "one", one, evaluated=False)
    assert told["cartpole"] is None
    assert "no greedy evaluations" in str(told["cartpole_threshold"])
    assert "no arms differ in γ alone" in str(told["cartpole_strength"])
    assert "nothing to compare" in str(told["cartpole_luck"])
    assert "nobody has named" in str(drawn(tmp_path / "none", study(), threshold=None)["cartpole_threshold"])
    quiet = drawn(tmp_path / "quiet", study(environments=("CartPole-v1",)), silent=("γ = 0.3",))
    assert "8 of 8 runs have an unknown return" in str(quiet["cartpole_strength"])


def test_the_specification_curve_shows_all_readings(tmp_path):
    arms = BLIND | {
        "ring, γ = {guidance.strength}": {"dynamics": {"coupling": "ring"}, **BLIND["γ = {guidance.strength}"]}
    }
    both = study(arms)
    scores = table(finish(tmp_path, both).curves(both))
    judged = verdicts.judge(both, "standard", scores)
    assert len(judged) == 2
    for i, claim in enumerate(("C1 (plain PPO)", "C1 (γ = 0)", "C2b (CartPole)")):
        specification_figure.specification(judged, claim, claim, tmp_path / f"claim{i}")
        assert (tmp_path / f"claim{i}.svg").exists()
    few = verdicts.judge(both, "standard", scores.filter(seed=0))
    assert "seeds" in attempt(specification_figure.specification, few, "C1 (γ = 0)", "C1", tmp_path / "few")
