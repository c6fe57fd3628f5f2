"""The numbers of README.md."""

from collections.abc import Iterator

import numpy as np
from places import Phrase
from result_files import Results
from rhythm_page import final_returns
from styles import ratio, whole

from morphorl.analysis.bootstrap import difference

RHYTHM, BODY = "rhythm/report", "rhythm/pendulum"
BANK = "leaky bank"
ARMS = ("clock, seen", BANK, "frame stack", "GRU")


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    body = final_returns(results.scores(BODY))
    leads = (
        results.known(difference(body[BANK], body[rival], np.mean, paired=True), BODY)
        for rival in ("frame stack", "GRU")
    )
    reached = ratio.value(results.over_seeds(BODY, body[BANK], np.mean))
    yield Phrase("ahead of a frame stack by {} and of a GRU by {}, of a return of {}", *map(ratio, leads), reached)
    finals = final_returns(results.scores(RHYTHM))
    ends = [results.over_seeds(RHYTHM, finals[arm], np.mean) for arm in ARMS]
    yield Phrase(
        "A clock ends at {}, a leaky bank at {}, a frame stack at {}, a GRU at {}, of greedy return", *map(whole, ends)
    )
