"""The numbers of docs/rhythm.md that stand in its sentences; docs/rhythm_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from places import Phrase
from result_files import Results
from rhythm_page import final_returns
from styles import Known, Shown, ratio, whole

from morphorl.analysis.bootstrap import difference

RHYTHM, BODY, MORE = "rhythm/report", "rhythm/pendulum", "rhythm/pendulum_more"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    finals = final_returns(results.scores(RHYTHM))

    def lead(arm: str, rival: str) -> Shown:
        return whole(results.known(difference(finals[arm], finals[rival], np.mean, paired=True), RHYTHM))

    def end(arm: str) -> Shown:
        return whole(results.over_seeds(RHYTHM, finals[arm], np.mean))

    memories = ("leaky bank", "frame stack", "GRU", "echo state")
    yield Phrase(
        "{} over the bank, {} over a stack of 8 frames, {} over a GRU, {} over an echo state",
        *(lead("wave and bank", memory) for memory in memories),
    )
    yield Phrase("The wave seen ends {} above the reversed one", lead("wave, seen", "reversed wave, seen"))
    yield Phrase("and {} below the synchronous ring", lead("synchronous ring, seen", "wave, seen"))
    yield Phrase("added and not shown ends at {}", end("wave, open loop"))
    yield Phrase("Shown and not added, the wave gives {}", end("wave, seen alone"))
    others = final_returns(results.scores("rhythm/range"))

    def of(arm: str) -> Known:
        return results.over_seeds("rhythm/range", others[arm], np.mean)

    yield Phrase("At .01 the wave ends near {} at best", whole.value(of("wave, 0.01 cycles a step, amplitude 1")))
    yield Phrase("at .04 near {}.", whole.value(of("wave, 0.04 cycles a step, amplitude 0.3")))
    yield Phrase("does better at .02: {}", whole(of("wave, 0.02 cycles a step, amplitude 2")))
    yield from second_body(results)


def second_body(results: Results) -> Iterator[Phrase]:
    """What the point on the pendulum says."""
    finals = final_returns(pl.concat([results.scores(BODY), results.scores(MORE)]))

    def lead(arm: str, rival: str, folder: str = BODY) -> Known:
        return results.known(difference(finals[arm], finals[rival], np.mean, paired=True), folder)

    def end(arm: str, folder: str = BODY) -> Shown:
        return ratio.value(results.over_seeds(folder, finals[arm], np.mean))

    clocks = (end(arm) for arm in ("clock, seen", "clock, open loop", "plain PPO"))
    yield Phrase("Clocks end as plain PPO does ({} and {} against {}), though", *clocks)
    yield Phrase("that the pendulum entrains ends at {}, at another", end("entrained ring, seen"))
    yield Phrase(
        "Beside the bank a clock adds nothing at the end ({}), and", ratio.comma(lead("clock and bank", "leaky bank"))
    )
    yield Phrase(
        "A leaky bank ends at {}, ahead of a frame stack by {}, of a GRU by {}, of an echo state by {}.",
        end("leaky bank"),
        *(ratio(lead("leaky bank", memory)) for memory in ("frame stack", "GRU", "echo state")),
    )
    yield Phrase(
        "It is not told from the bank ({}, p = .28)", ratio.comma(lead("leaky bank", "previous observation", MORE))
    )
    yield Phrase("rate (.003) the bank ends at {}. The", end("leaky bank, rate .003", MORE))
