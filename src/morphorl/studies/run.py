"""A run: one agent in training, and the identity that its result is kept under."""

import hashlib
from dataclasses import dataclass

from morphorl.environments.base import is_host
from morphorl.ppo.settings import Settings

ALGORITHM_VERSION = 3
"""Part of every run's identity: raise it when a change makes the same settings give another result."""

CONTINUOUS_VERSION = 4
"""In its place for continuous actions of Gymnasium's environments: since then they are in units of their range."""

REDRAWN_VERSION = 5
"""In their place where patterns are drawn anew in Gymnasium's environments: since then by keys of their own."""


@dataclass(frozen=True, slots=True)
class Run:
    """One agent in training, and everything that determines its result."""

    arm: str
    settings: Settings
    seed: int
    cell_seed: int
    preset: str = "standard"
    """A label, like `arm`: what the preset means is in the settings."""

    @property
    def id(self) -> str:
        """Sixteen hexadecimal digits that stand for all that determines the result (the labels do not)."""
        everything = f"{_version_of(self.settings)} {self.settings.digest} {self.seed} {self.cell_seed}"
        return hashlib.sha256(everything.encode()).hexdigest()[:16]


def _version_of(settings: Settings) -> int:
    """The version of the algorithm that a run is made by."""
    if not is_host(settings.environment):
        return ALGORITHM_VERSION
    if settings.dynamics.reset == "redraw":
        return REDRAWN_VERSION
    from morphorl.environments import gymnasium_envs  # imports Gymnasium

    return CONTINUOUS_VERSION if gymnasium_envs.describe(settings.environment).continuous else ALGORITHM_VERSION
