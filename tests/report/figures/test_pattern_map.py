"""The map over diffusion and guidance: which studies are one, and what its numbers are."""

import numpy as np
import polars as pl
import pytest

from morphorl.dynamics.kinetics.theory import critical_strength
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.report.figures import pattern_map
from morphorl.studies import study_file

LABELLED = study_file.load("turing_map").expand("standard")
FOUND = pattern_map.find(LABELLED, "CartPole-v1")


def scores(level):
    """Eight seeds of every arm around its level; plain PPO gets to 120 from an untrained 20."""
    rows = [
        {"preset": "standard", "environment": "CartPole-v1", "arm": arm, "seed": seed, "cell_seed": seed}
        | dict.fromkeys(
            ("early_return", "area_under_curve", "final_return", "peak_return"), level(settings) + seed - 3.5
        )
        | {"untrained_return": 20.0, "early_greedy_return": None, "diverged_at": None}
        for arm, settings in LABELLED.items()
        for seed in range(8)
    ]
    return pl.DataFrame(rows, schema_overrides={"diverged_at": pl.Int64, "early_greedy_return": pl.Float64})


def test_the_study_of_the_map_is_one_with_the_theory_beside_it():
    assert FOUND.plain == "plain PPO"
    assert len(FOUND.labels) * len(FOUND.labels[0]) == len(LABELLED) - 1
    np.testing.assert_allclose(FOUND.ratios, [5, 10, 15, 20, 30, 40])
    widest = ReactionDiffusion(
        activator_diffusion=0.02, inhibitor_diffusion=0.8, coupling="lattice", initial="positive"
    )
    assert FOUND.critical[-1] == pytest.approx(critical_strength(widest, (4, 2)))


@pytest.mark.parametrize("name", ["blind_dynamics", "turing_added", "readings"])
def test_other_studies_are_none(name):
    assert pattern_map.find(study_file.load(name).expand("standard"), "CartPole-v1") is None


def test_each_arm_is_measured_by_what_plain_ppo_learns():
    ratio = {0.1: 5, 0.2: 10, 0.3: 15, 0.4: 20, 0.6: 30, 0.8: 40}

    def level(s):
        return 120.0 if s.blend.weight == 0 else 120.0 - ratio[s.dynamics.inhibitor_diffusion] + s.guidance.strength

    expected = (np.array(FOUND.strengths)[None] - np.array(FOUND.ratios)[:, None]) / 100
    found = pattern_map.lag(FOUND, scores(level), "CartPole-v1")
    np.testing.assert_allclose([[effect.value for effect in row] for row in found], expected, atol=1e-9)
    assert all(effect.high < 0 for effect in found[-1])  # paired: all seeds share the shift


def test_it_is_drawn(tmp_path):
    made = scores(lambda s: 100.0 - s.dynamics.inhibitor_diffusion)
    pattern_map.draw(FOUND, {"standard": made}, "CartPole-v1", tmp_path / "map")
    assert (tmp_path / "map.png").stat().st_size > 10_000
