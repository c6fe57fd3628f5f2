"""The numbers of docs/rhythm.md that stand in its sentences; docs/rhythm_page.py writes its tables."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from jaxtyping import Bool
from places import Phrase
from result_files import Results
from rhythm_page import final_returns
from styles import Known, Shown, ratio, whole

from morphorl.analysis.bootstrap import difference

ALL, FIRST, LATER = slice(None), slice(24), slice(24, None)
"""All seeds, those of the first report, and those that followed."""
FAILED, OVERCOME, STUCK = 100, 240, 80
"""Returns: below which a rhythm has failed; above which a reversed wave is overcome; below which it is not."""
RHYTHM, BODY, MORE = "rhythm/report", "rhythm/pendulum", "rhythm/pendulum_more"


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    yield from first_body(results)
    yield from other_waves(results)
    yield from second_body(results)


def first_body(results: Results) -> Iterator[Phrase]:
    """What the points on the swimmer say."""
    finals = final_returns(results.scores(RHYTHM))

    def end(arm: str, seeds: slice = ALL) -> Known:
        return results.over_seeds(RHYTHM, finals[arm][seeds], np.mean)

    def difference_of(arm: str, rival: str, seeds: slice = ALL) -> Known:
        effect = difference(finals[arm][seeds], finals[rival][seeds], np.mean, paired=True)
        return results.known(effect, RHYTHM)

    def number(seeds: Bool[np.ndarray, " seeds"]) -> Shown:
        return Shown(str(seeds.sum()), RHYTHM)

    memories, turned = ("leaky bank", "frame stack", "GRU", "echo state"), finals["reversed wave, seen"]
    yield Phrase(
        "{} over the bank, {} over a stack of 8 frames, {} over a GRU, {} over an echo state",
        *(whole(difference_of("wave and bank", memory)) for memory in memories),
    )
    yield Phrase(
        "it holds too: {}, {}, {} and {}.",
        *(whole(difference_of("wave and bank", memory, LATER)) for memory in memories),
    )
    yield Phrase(
        "not told from it ({}), nor from clock with bank ({}) or the synchronous ring ({}).",
        *(
            whole.comma(difference_of("wave and bank", rhythm))
            for rhythm in ("clock, seen", "clock and bank", "synchronous ring, seen")
        ),
    )
    yield Phrase(
        "The wave seen ends below the clock ({}) and below the wave not shown ({});",
        *(whole.comma(difference_of("wave, seen", rhythm)) for rhythm in ("clock, seen", "wave, open loop")),
    )
    yield Phrase(
        f"ends below {FAILED} in {{}}, the synchronous ring in {{}}, the clock in {{}}, clock with bank in {{}}, the",
        *(
            number(finals[arm] < FAILED)
            for arm in ("wave and bank", "synchronous ring, seen", "clock, seen", "clock and bank")
        ),
    )
    yield Phrase(
        "The wave seen ends {} above the reversed one", whole(difference_of("wave, seen", "reversed wave, seen"))
    )
    yield Phrase(
        "from the synchronous ring ({}), which", whole.comma(difference_of("wave, seen", "synchronous ring, seen"))
    )
    yield Phrase(
        f"({{}} of 64 seeds above {OVERCOME}) and sometimes not ({{}} below {STUCK})",
        number(turned > OVERCOME), number(turned < STUCK),
    )  # fmt: skip
    yield Phrase("added and not shown ends at {}", whole(end("wave, open loop")))
    yield Phrase("Shown and not added, the wave gives {}", whole(end("wave, seen alone")))
    yield Phrase(
        "over the wave seen ({}) is not repeated ({}),",
        *(whole.comma(difference_of("wave and bank", "wave, seen", seeds)) for seeds in (FIRST, LATER)),
    )
    yield Phrase(
        "a bank ends at {} in place of {}, the synchronous ring at {} in place of {}, since",
        *(
            whole.value(end(arm, seeds))
            for arm in ("wave and bank", "synchronous ring, seen")
            for seeds in (LATER, FIRST)
        ),
    )


def other_waves(results: Results) -> Iterator[Phrase]:
    """What the point on frequency and amplitude says."""
    others = final_returns(results.scores("rhythm/range"))

    def end(arm: str) -> Known:
        return results.over_seeds("rhythm/range", others[arm], np.mean)

    yield Phrase("it does not ({}, 8 seeds)", whole.comma(end("reversed wave, 0.02 cycles a step, amplitude 1")))
    yield Phrase("At .01 the wave ends near {} at best", whole.value(end("wave, 0.01 cycles a step, amplitude 1")))
    yield Phrase("at .04 near {}.", whole.value(end("wave, 0.04 cycles a step, amplitude 0.3")))
    yield Phrase("does better at .02: {}", whole(end("wave, 0.02 cycles a step, amplitude 2")))


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
