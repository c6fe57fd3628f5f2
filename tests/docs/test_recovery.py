"""Returns before and after a switch, from curves made by hand."""

import polars as pl
import pytest
import recovery
from numpy.testing import assert_allclose

ROW = {"environment": "task", "arm": "one", "seed": 0, "untrained_return": 7.0, "diverged_at": None}
SCHEMA = {"diverged_at": pl.Int64}
HALF = recovery.BLOCK // 2


def curve(returns, **changed):
    """Updates of half a block each: (return, episodes), two a block."""
    rows = [
        ROW | {"env_steps": (i + 1) * HALF, "episode_return": mean, "episodes": number} | changed
        for i, (mean, number) in enumerate(returns)
    ]
    return pl.DataFrame(rows, schema_overrides=SCHEMA)


def test_a_block_is_the_mean_over_its_episodes_and_a_run_that_diverged_is_untrained():
    blocks = recovery.in_blocks(curve([(10.0, 1), (40.0, 3), (float("nan"), 0), (6.0, 2)])).sort("env_steps")
    assert blocks["env_steps"].to_list() == [recovery.BLOCK, 2 * recovery.BLOCK]
    assert_allclose(blocks["episode_return"], [(10 + 3 * 40) / 4, 6])
    lost = recovery.in_blocks(curve([(10.0, 1), (float("nan"), 0)], diverged_at=300))
    assert lost["episode_return"].to_list() == [7.0]


def test_before_after_and_last_are_means_of_blocks_and_an_empty_block_has_the_return_of_the_one_before():
    empty = (float("nan"), 0)
    returns = [empty, empty, *[(float(i // 2), 1) for i in range(2, 16)], empty, empty, *[(100.0, 1)] * 14]
    (row,) = recovery.recovery(recovery.in_blocks(curve(returns))).to_dicts()
    assert row["blocks"] == [1, *range(1, 8), 7, *[100] * 7]  # the first takes the next one's, the ninth that before
    assert row["before"] == pytest.approx((4 + 5 + 6 + 7) / 4)
    assert row["after"] == pytest.approx((7 + 7 * 100) / 8)
    assert row["last"] == 100


def test_the_ranking_scales_each_task_from_its_worst_arm_to_its_best():
    rows = pl.DataFrame(
        [
            {"environment": task, "arm": arm, "after": after, "blocks": [50.0 - 2 * after, after]}
            for task, arm, after in (
                ("a", "x", 0.0), ("a", "x", 20.0), ("a", "y", 30.0), ("a", "z", 50.0),
                ("b", "x", 3.0), ("b", "x", 3.0), ("b", "y", 1.0), ("b", "z", 2.0),
            )
        ]
    )  # fmt: skip
    ranked = recovery.ranking(rows)
    assert dict(ranked.select("arm", "score").rows()) == pytest.approx({"x": 0.5, "y": 0.25, "z": 0.75})
    assert ranked["arm"].to_list() == ["z", "x", "y"]
    whole = recovery.ranking(rows, whole=True)  # a mean of 25 − after/2, so that the order is the reverse
    assert dict(whole.select("arm", "score").rows()) == pytest.approx({"x": 0.5, "y": 0.75, "z": 0.25})
