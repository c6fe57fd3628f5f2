"""Every arm against one: known differences, known p-values, and sentences where the data cannot tell."""

import json
import sys

import numpy as np
import polars as pl
import pytest
import scipy.stats
from numpy.testing import assert_allclose

from morphorl import cli
from morphorl.analysis import comparisons
from morphorl.analysis.scores import table
from morphorl.config.errors import SettingError
from morphorl.studies.study import Study

SEEDS, POINTS = 12, 20
BASE = 100 + 10 * np.random.default_rng(0).standard_normal(SEEDS)


def arm(label, level, solved_at=None, seeds=SEEDS, environment="CartPole-v1"):
    """Runs with a constant return; seed s greedily solves the task from evaluation `solved_at[s]` on."""
    solved_at = [POINTS + 1] * seeds if solved_at is None else solved_at
    return pl.DataFrame(
        [
            {
                "preset": "standard",
                "environment": environment,
                "arm": label,
                "seed": seed,
                "cell_seed": seed,
                "env_steps": 100 * (point + 1),
                "episode_return": float(level[seed]),
                "episodes": 1,
                "greedy_return": 500.0 if point >= solved_at[seed] else 0.0,
            }
            for seed in range(seeds)
            for point in range(POINTS)
        ]
    )


def compare(curves, against, statistic):
    return comparisons.compare(table(curves), against, statistic)


def by_arm(told):
    return {one.arm: one for one in told}


def test_a_shift_that_all_seeds_share_is_found_exactly_since_arms_are_paired():
    one = compare(pl.concat([arm("plain", BASE), arm("shifted", BASE + 7)]), "plain", "area_under_curve")[0]
    assert_allclose([one.effect.value, one.effect.low, one.effect.high], 7, rtol=1e-6)
    assert one.effect.p < 0.001
    assert 0.5 < one.better.value < 1  # any two runs may be compared, not those of one seed alone


def test_an_arm_is_no_better_than_its_equal():
    solved = list(range(SEEDS))
    one = compare(pl.concat([arm("plain", BASE, solved), arm("same", BASE, solved)]), "plain", "final_greedy_return")[0]
    assert (one.effect.value, one.effect.p, one.better.value, one.ratio) == (0, 1, 0.5, (1, 1, 1, SEEDS))
    assert one.log_rank == pytest.approx(1)


def test_steps_are_compared_by_their_medians_and_the_log_rank_test():
    slow, fast = [8 + seed // 3 for seed in range(SEEDS)], [2 + seed // 6 for seed in range(SEEDS)]
    one = compare(pl.concat([arm("plain", BASE, slow), arm("fast", BASE, fast)]), "plain", "early_return")[0]
    steps = [100.0 * (np.array(solved) + 2) for solved in (slow, fast)]  # the second evaluation in a row
    assert one.median.value == 400
    assert one.ratio.value == pytest.approx(400 / 1100)
    assert one.ratio.low <= one.ratio.value <= one.ratio.high < 1
    expected = scipy.stats.logrank(*(scipy.stats.CensoredData(u) for u in steps)).pvalue
    assert one.log_rank == pytest.approx(expected)


def test_p_values_are_adjusted_for_their_number():
    arms = [arm("plain", BASE), arm("shifted", BASE + 7)]
    alone = by_arm(compare(pl.concat(arms), "plain", "area_under_curve"))["shifted"].effect.p
    more = [*arms, *(arm(f"same {i}", BASE) for i in range(3))]
    among = by_arm(compare(pl.concat(more), "plain", "area_under_curve"))["shifted"].effect.p
    assert among == pytest.approx(4 * alone)


def test_what_cannot_be_told_is_a_sentence():
    one = compare(pl.concat([arm("plain", BASE, seeds=1), arm("other", BASE, seeds=1)]), "plain", "early_return")[0]
    assert (one.effect, one.better, one.median, one.ratio, one.log_rank) == (None,) * 5
    assert one.unknown == "1 seed: a comparison needs at least 8."
    one = compare(pl.concat([arm("plain", BASE), arm("other", BASE)]), "plain", "early_return")[0]
    assert (one.ratio, one.log_rank) == (None, None)
    assert "no run of either arm reached the threshold" in one.unknown


@pytest.mark.parametrize(("seeds", "told"), [(7, False), (8, True)])
def test_few_seeds_prove_nothing(seeds, told):
    """A bootstrap of two seeds would call any difference certain."""
    arms = [arm("plain", BASE, seeds=seeds), arm("shifted", BASE + 7, seeds=seeds)]
    one = compare(pl.concat(arms), "plain", "early_return")[0]
    assert (one.effect is not None) == told


def test_one_arm_has_nothing_to_be_compared_with():
    with pytest.raises(SettingError, match="must be two or more"):
        compare(arm("plain", BASE), "plain", "early_return")


def test_an_unknown_reference_is_refused_by_name():
    curves = pl.concat([arm("plain PPO", BASE), arm("γ = 0.1", BASE)])
    with pytest.raises(SettingError, match=r"against = 'plain PO': .* Did you mean 'plain PPO'\?"):
        compare(curves, "plain PO", "early_return")
    elsewhere = arm("γ = 0.1", BASE, environment="Acrobot-v1")
    with pytest.raises(SettingError, match="has no run in Acrobot-v1"):
        compare(pl.concat([curves, elsewhere]), "plain PPO", "early_return")


def test_the_command_prints_a_table_and_leaves_it_as_json(tmp_path, monkeypatch, capsys):
    from rich.console import Console

    from morphorl.studies.runner import run
    from morphorl.studies.store import Store

    arms = {"plain PPO": {"blend": {"weight": 0.0}}, "γ = 0.1": {"guidance": {"strength": 0.1}}}
    study = Study(
        "small",
        ("CartPole-v1",),
        arms,
        seeds=8,
        steps=1024,
        evaluate_every=512,
        settings={"ppo": {"hidden": (4,), "epochs": 1}},
    )
    run(study, Store(tmp_path), Console(quiet=True))
    monkeypatch.setattr(sys, "argv", ["morphorl", "compare", str(tmp_path)])
    cli.main()
    assert "against plain PPO" in capsys.readouterr().out
    written = json.loads((tmp_path / "comparisons.json").read_text())
    assert [one["arm"] for one in written["comparisons"]] == ["γ = 0.1"]
    assert written["against"] == "plain PPO"
    assert written["comparisons"][0]["effect"]["n"] == 8
