"""Evaluation in another environment than the one of training."""

import pytest
from numpy.testing import assert_array_equal

from helpers import agents
from morphorl.config.errors import SettingError
from morphorl.dynamics.blending import Blend
from morphorl.ppo import evaluation
from morphorl.ppo.settings import Settings


def test_agents_play_in_another_maze_as_agents_of_that_maze_do():
    short, long = (agents.agent(Settings(name, blend=Blend("none"))) for name in ("TMaze-2", "TMaze-5"))
    elsewhere = evaluation.evaluate(short, 20, greedy=False, environment="TMaze-5")
    assert_array_equal(elsewhere, evaluation.evaluate(long, 20, greedy=False))


def test_an_environment_that_shows_other_numbers_is_refused():
    maze = agents.agent(Settings("TMaze-2", blend=Blend("none")))
    with pytest.raises(SettingError, match=r"'Acrobot-v1': has 6 features and 3 discrete.*must have 4 features and 4"):
        evaluation.evaluate(maze, environment="Acrobot-v1")
