"""The rules of tidying, each on rows worked out by hand."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from morphorl.analysis.logs.log import Log, points
from morphorl.analysis.logs.rules import tidy
from morphorl.config.errors import StoreError


def log(steps, returns):
    return Log(Path("x/monitor.csv"), "", "training", {}, points(steps, returns), "r over l")


def test_rows_in_order_stay_as_they_are():
    found = tidy(log([1, 2, 2, 3], [1.0, 2.0, 3.0, 4.0]))
    assert_array_equal(found.steps, [1, 2, 2, 3])
    assert_array_equal(found.returns, [1, 2, 3, 4])
    assert found.notes == ()


def test_a_restart_replaces_the_rows_that_it_repeats():
    steps = [*range(10, 101, 10), *range(70, 121, 10)]  # stopped at 100, started again from the checkpoint at 60
    found = tidy(log(steps, np.arange(16.0)))
    assert_array_equal(found.steps, range(10, 121, 10))
    assert_array_equal(found.returns, [0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15])
    assert "4 rows that it repeats" in found.notes[0]


def test_two_restarts():
    steps = [*range(10, 101, 10), *range(50, 81, 10), *range(60, 201, 10)]
    found = tidy(log(steps, np.arange(len(steps), dtype=float)))
    assert_array_equal(found.steps, range(10, 201, 10))
    assert found.returns[4] == 10  # the first restart's row at 50
    assert found.returns[5] == 14  # the second one's at 60


def test_episodes_out_of_order_are_sorted_and_none_is_lost():
    steps = np.arange(1.0, 101.0)
    late = steps.copy()
    late[[49, 54]] = late[[54, 49]]  # a straggler, later than 2% of the run
    found = tidy(log(late, late))
    assert_array_equal(found.steps, steps)
    assert_array_equal(found.returns, steps)
    assert "out of order" in found.notes[0]


def test_rows_in_no_order_at_all_are_sorted():
    steps = np.random.default_rng(0).permutation(200.0 + np.arange(200))
    found = tidy(log(steps, steps))
    assert_array_equal(found.returns, np.sort(steps))


def test_rows_of_two_runs_one_after_the_other_are_refused():
    with pytest.raises(StoreError, match=r"rows of two runs follow each other.*--columns seed="):
        tidy(log([*range(1, 101), *range(1, 101)], np.zeros(200)))


def test_missing_returns_are_left_out_and_counted():
    found = tidy(log([1, 2, 3], [np.nan, 5.0, None]))
    assert_array_equal(found.steps, [2])
    assert "2 rows without a return" in found.notes[0]


@pytest.mark.parametrize(
    ("steps", "returns", "what"),
    [
        ([1, None], [1.0, 1.0], "step nan in row 2"),
        ([-1, 2], [1.0, 1.0], "step -1 in row 1"),
        ([1, 2], [1.0, np.inf], "return inf in row 2"),
        ([1, 2], [None, None], "no return that is a number"),
    ],
)
def test_what_cannot_be_is_refused_with_its_row(steps, returns, what):
    with pytest.raises(StoreError, match=what):
        tidy(log(steps, returns))
