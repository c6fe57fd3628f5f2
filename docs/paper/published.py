"""The studies under docs/results that the paper rests on."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Float
from words import WithInterval

from morphorl.analysis import curve_statistics, scores
from morphorl.analysis.score_table import measured
from morphorl.studies.study import Study

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
FULL, PARTIAL, NOISY = "CartPole-v1", "StatelessCartPole-v1", "NoisyStatelessCartPole-v1"
PLAIN = "plain PPO"
BOTH = ("standard", "tuned")
MEMORIES = {
    "none": "no memory",
    "previous": "previous observation",
    "bank": "leaky integrators",
    "reacting": "leaky integrators, reaction and diffusion",
    "echo": "echo state",
}
"""Arms of the study `stateless`."""


class Published(NamedTuple):
    """A study under docs/results: its arms by label and the scores of its runs."""

    study: Study
    scores: pl.DataFrame

    def runs(self, arm: str, preset: str, environment: str = FULL) -> dict[str, Float[np.ndarray, " seeds"]]:
        """The scores of one arm's runs, in the order of their seeds."""
        rows = self.scores.filter(preset=preset, environment=environment, arm=arm).sort("seed", "cell_seed")
        if not len(rows):
            raise KeyError(f"{self.study.name}: no run of {arm!r} in {environment} under {preset}.")
        return measured(rows)

    def summary(self, arm: str, preset: str, environment: str = FULL) -> dict[str, WithInterval]:
        """IQMs, median steps and the share there, each with its interval."""
        return dict(curve_statistics.summarise(self.runs(arm, preset, environment)))


@cache
def published(folder: str) -> Published:
    """The study of a folder in docs/results."""
    return Published(*scores.load_scores(RESULTS / folder))
