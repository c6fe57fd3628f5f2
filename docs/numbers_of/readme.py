"""The numbers of README.md."""

from collections.abc import Iterator

import numpy as np
from places import Phrase
from result_files import Results
from rhythm_page import final_returns
from styles import whole

RHYTHM = "rhythm/report"
ARMS = ("clock, seen", "leaky bank", "frame stack", "GRU")


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    finals = final_returns(results.scores(RHYTHM))
    ends = [results.over_seeds(RHYTHM, finals[arm], np.mean) for arm in ARMS]
    yield Phrase(
        "A clock ends at {}, a leaky bank at {}, a frame stack at {}, a GRU at {}, of greedy return", *map(whole, ends)
    )
