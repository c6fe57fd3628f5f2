"""What settings allow: whole numbers are no truth values, and numbers are those that a program holds."""

import jaxtyping
import pytest

from morphorl.config.errors import SettingError
from morphorl.config.fields import COUNT, COUNT_OR_ZERO, LARGEST, SMALLEST, WIDTHS
from morphorl.dynamics.guidance.blind import Blind
from morphorl.dynamics.reaction_diffusion import ReactionDiffusion
from morphorl.ppo.settings import PPO, Settings


@pytest.fixture(autouse=True)
def as_users_have_it():
    """No type checker in front: the settings' own checks must do."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.mark.parametrize(("allowed", "value"), [(COUNT, True), (COUNT_OR_ZERO, False), (WIDTHS, (8, True))])
def test_true_and_false_are_no_whole_numbers(allowed, value):
    assert not allowed.holds(value)


REFUSED = [
    (lambda: PPO(hidden=(True,)), r"^ppo.hidden = \(True,\): must be one or more whole numbers of at least 1\.$"),
    (lambda: PPO(hidden=(64.0,)), "^ppo.hidden = .*must be one or more whole numbers"),
    (lambda: PPO(hidden=[64, 64]), r"^ppo.hidden = \[64, 64\]: must be a tuple"),
    (lambda: PPO(hidden=(2**63,)), "^ppo.hidden = .*must be of whole numbers of 64 bits"),
    (
        lambda: Settings(steps=10**5_000),
        "^steps = a int too large to be written out: must be of whole numbers of 64 bi",
    ),
    (lambda: Settings(evaluation_episodes=True), "^evaluation_episodes = True: must be a whole number"),
    (lambda: Blind(strength=1e39), r"^guidance.strength = 1e\+39: must be 0, or of a size from 1\.2e-38 to 3\.4e\+38"),
    (lambda: ReactionDiffusion(bound=10**400), "^dynamics.bound = .*must be 0, or of a size"),
    (lambda: ReactionDiffusion(bound=1e300), r"^dynamics.bound = 1e\+300: must be 0, or of a size"),
    (lambda: PPO(learning_rate=1e-50), "^ppo.learning_rate = 1e-50: must be 0, or of a size"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_a_program_does_not_hold_is_refused(make, message):
    with pytest.raises(SettingError, match=message):
        make()


def test_the_largest_the_smallest_and_none_are_held():
    for value in (LARGEST, -LARGEST, SMALLEST, 0.0):
        assert Blind(strength=value).strength == value
    assert ReactionDiffusion(bound=float("inf")).bound == float("inf")
