"""What an environment is here: two pure functions and the sizes that an agent needs."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

from morphorl.environments.action_range import ActionRange

CARTPOLES = ("CartPole-v1", "StatelessCartPole-v1", "CartPoleNoVel-v1")
"""Environments that are known to exist without asking gymnax."""
HOST_PREFIX = "gym:"
"""How the id of an environment begins that Gymnasium makes, and only the host can step."""


def is_host(env_id: str) -> bool:
    """Whether an environment is one of Gymnasium's, which only the host can step."""
    return env_id.startswith(HOST_PREFIX)


def module_of(env_id: str) -> str | None:
    """The module that must be imported for an environment: `my_lab.tasks` of `my_lab.tasks:Foraging`, `my_lab` of
    `gym:my_lab:Maze-v0`; None for any other."""
    module, colon, _ = env_id.removeprefix(HOST_PREFIX).partition(":")
    return module if colon else None


EnvState = PyTree
"""Whatever an environment remembers between its steps."""
Action = Int[Array, ""] | Float[Array, " actions"]
"""A whole number, or the numbers of a continuous action."""


class Step(NamedTuple):
    """What one environment step returns; `observation` is that of the state reached, before any reset."""

    state: EnvState
    observation: Float[Array, " features"]
    reward: Float[Array, ""]
    terminated: Bool[Array, ""]
    truncated: Bool[Array, ""]


class Environment(NamedTuple):
    """A pair of pure functions and the sizes that the agent needs.

    Observations are flattened to float32 vectors. Nothing resets by itself: whoever steps decides what follows an end.
    """

    id: str
    num_features: int
    num_actions: int
    time_limit: int
    """No episode is longer than this many steps, so that it is truncated at most once in that many."""
    threshold: float | None
    """The return from which Gymnasium calls the task solved, if it names one."""
    reset: Callable[[PRNGKeyArray], tuple[EnvState, Float[Array, " features"]]]
    step: Callable[[PRNGKeyArray, EnvState, Action], Step]
    action_range: ActionRange | None = None
    """Of actions that are `num_actions` real numbers; `step` takes them in units of it. None for whole numbers."""
    picture: tuple[int, int, int] | None = None
    """Height, width and channels, where an observation is a picture; the vector has channels running fastest."""
    at: "Callable[[float | Float[Array, '']], Environment] | None" = None
    """The environment at a share of the training that is over, from 0 to 1, for one that changes meanwhile; the fields
    here are then those at 1. None: it is always the same."""

    @property
    def continuous(self) -> bool:
        """Whether actions are real numbers."""
        return self.action_range is not None
