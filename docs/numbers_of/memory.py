"""The numbers of docs/memory.md."""

import math
from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, ratio, share, signed, steps, two_digits, whole

HIDDEN, SHOWN, HALF = "StatelessCartPole-v1", "CartPole-v1", "CartPoleNoVel-v1"
NOISY, CHAIN = "NoisyStatelessCartPole-v1", "MemoryChain-bsuite"
MEMORIES = (
    "no memory",
    "previous observation",
    "leaky integrators",
    "leaky integrators, reaction and diffusion",
    "echo state",
)
WITH = "leaky integrators, reaction and diffusion"
FORMER = {arm: "cell" if arm == WITH else arm for arm in MEMORIES if arm != "leaky integrators"}
"""The arms of the first studies, and what these called them."""
three_digits = Style(significant=3, bare=True)
exactly = Style(2, exact=True, alone=True)
thousands = steps("100k")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield first(results)
    yield from quiet(results)
    yield from noisy(results)
    yield from gap(results)
    yield from guided(results)
    yield from rewards(results)


def first(results: Results) -> Table:
    """The table that was published first."""

    def row(arm: str) -> list[Shown | None]:
        cells: list[Shown | None] = []
        for environment in (HIDDEN, HALF):
            found = {
                name: results.summary("memory", environment, arm, name)
                for name in ("final_greedy_return", "steps_to_threshold", "reached_threshold")
            }
            median = found["steps_to_threshold"]
            cells += [
                whole(found["final_greedy_return"]),
                None if math.isinf(median.value) else thousands.value(median),
                share(found["reached_threshold"]),
            ]
        return cells

    return Table("| | StatelessCartPole: final greedy |", {label: row(arm) for label, arm in FORMER.items()})


def quiet(results: Results) -> Iterator[Phrase | Table]:
    """Without noise."""
    briefly = two_digits("30k")

    def row(arm: str) -> list[Shown]:
        return [
            style(results.summary("memory/quiet", environment, arm, name))
            for environment in (HIDDEN, HALF)
            for name, style in (
                ("area_under_curve", whole),
                ("steps_to_threshold", briefly),
                ("reached_threshold", share),
            )
        ]

    yield Table("| | StatelessCartPole: mean return |", {arm: row(arm) for arm in MEMORIES})
    costs = [
        results.lead("memory/quiet", "leaky integrators", WITH, "area_under_curve", environment=environment)
        for environment in (HIDDEN, HALF)
    ]
    yield Phrase("cost mean return here too: {} and {}, paired by seed", *map(whole, costs))


def noisy(results: Results) -> Iterator[Phrase | Table]:
    """Through noise."""
    briefly = two_digits("100k")

    def row(arm: str) -> list[Shown | None]:
        def of(name: str) -> Known:
            return results.summary("memory/noisy", NOISY, arm, name)

        median = of("steps_to_threshold")
        return [
            whole(of("final_return")),
            whole(of("area_under_curve")),
            whole(of("final_greedy_return")),
            None if arm == "no memory" else briefly(median),
            share(of("reached_threshold")),
        ]

    labels = {arm: f"**{arm}**" if arm == "leaky integrators" else arm for arm in MEMORIES}
    yield Table("| | final return | mean return | final greedy |", {label: row(arm) for arm, label in labels.items()})

    def lead(arm: str, rival: str, column: str) -> Known:
        return results.lead("memory/noisy", arm, rival, column)

    more = lead("leaky integrators", WITH, "area_under_curve")
    yield Phrase("the mean return is higher by {} ({}, paired by seed;", whole.value(more), whole.interval(more))
    times = results.ratio("memory/noisy", "leaky integrators", WITH)
    yield Phrase("The ratio of median steps is {}, and", ratio(times))
    previous = "previous observation"
    yield Phrase("(final return {}), and", signed.comma(lead(WITH, previous, "final_return")))
    yield Phrase("higher mean return ({}). Only", signed.comma(lead(WITH, previous, "area_under_curve")))


def gap(results: Results) -> Iterator[Phrase | Table]:
    """A longer gap, and the memory that is trained."""

    def row(arm: str) -> list[Shown]:
        early, late = (
            results.summary("memory/chain.json", CHAIN, arm, name) for name in ("early_return", "final_greedy_return")
        )
        return [exactly(early), exactly(late)]

    yield Table("| | early return | final greedy |", {label: row(arm) for label, arm in FORMER.items()})

    def gru(environment: str, name: str) -> Known:
        return results.summary("memory/recurrent.json", environment, "GRU", name)

    hidden, half = (gru(environment, "steps_to_threshold") for environment in (HIDDEN, HALF))
    medians = (thousands.value(hidden), thousands.interval(hidden), thousands.value(half))
    yield Phrase("in a median of {} steps ({}) and CartPoleNoVel in {}, 32 of", *medians)
    yield Phrase("it gets there in {} of seeds, with a final", share(gru(NOISY, "reached_threshold")))
    yield Phrase("a final greedy return of {}, below", whole(gru(NOISY, "final_greedy_return")))


def guided(results: Results) -> Iterator[Phrase | Table]:
    """Guidance on top of memory."""
    folder, briefly = "memory/guided", two_digits("100k")
    arms = {
        "γ = 0": "blind, γ = 0",
        **{arm: arm for kind in ("blind", "adaptive") for arm in (f"{kind}, γ = {g}" for g in ("0.03", "0.1", "0.3"))},
    }

    def times(arm: str, environment: str) -> Shown | None:
        if arm == "blind, γ = 0":
            return None
        found = results.ratio(folder, arm, "blind, γ = 0", environment=environment)
        return None if math.isinf(found.value) else three_digits(found)

    def row(arm: str) -> list[Shown | None]:
        cells: list[Shown | None] = []
        for environment in (HIDDEN, SHOWN):
            median, there, end = (
                results.summary(folder, environment, arm, name)
                for name in ("steps_to_threshold", "reached_threshold", "final_return")
            )
            cells += [briefly(median), times(arm, environment), share(there), whole(end)]
        return cells

    yield Table("| | velocities hidden: steps to 475 |", {label: row(arm) for label, arm in arms.items()})
    shown = results.summary(folder, SHOWN, "blind, γ = 0.3", "reached_threshold")
    slower = times("blind, γ = 0.3", SHOWN)
    assert slower
    yield Phrase("with velocities hidden, and {} do with velocities shown, in {} times", share(shown), slower)
    end = results.summary(folder, HIDDEN, "blind, γ = 0.3", "final_return")
    yield Phrase("at γ = 0.3 it is {}, and the learning", whole(end))


def rewards(results: Results) -> Iterator[Phrase | Table]:
    """Guidance that knows the reward."""
    folder = "reward_aware"
    labels = {
        arm: arm
        for arm in results.json(f"{folder}/standard/summary.json")[SHOWN]
        if arm not in ("strength 0", "cell alone", "blind", "adaptive", "adaptive, when returns fall")
    }
    labels = {
        label.replace("best of 16 under standard", "best of 16 under `standard`"): arm for label, arm in labels.items()
    }
    labels = {label.replace("best of 16 under tuned", "best of 16 under `tuned`"): arm for label, arm in labels.items()}
    labels |= {
        "strength 0: the same blend, no rule": "strength 0",
        "three factors, the cell alone in charge": "cell alone",
        "blind, γ = .1, added": "blind",
        "adaptive: strong while returns rise": "adaptive",
        "adaptive, strong when returns fall": "adaptive, when returns fall",
    }
    briefly = two_digits("50k")

    def times(preset: str, arm: str, against: str = "plain PPO") -> Known:
        return results.ratio(folder, arm, against, preset=preset)

    def row(arm: str) -> list[Shown | None]:
        cells: list[Shown | None] = []
        for preset in ("standard", "tuned"):
            median, mean = (
                results.summary(f"{folder}/{preset}", SHOWN, arm, name)
                for name in ("steps_to_threshold", "area_under_curve")
            )
            cells += [briefly(median), None if arm == "plain PPO" else ratio(times(preset, arm)), whole(mean)]
        return cells

    yield Table("| | `standard`: median steps to 475 |", {label: row(arm) for label, arm in labels.items()})

    def lead(preset: str, arm: str, rival: str) -> Known:
        return results.lead(folder, arm, rival, "area_under_curve", preset=preset)

    three, raw = "three factors", "plain PPO, raw observations"
    best = "three factors, best of 16 under standard"
    rival = "plain PPO, best of 16 under standard"
    yield Phrase("plain PPO as the preset has it {}. Neither", ratio(times("standard", best)))
    normalised = times("standard", "plain PPO", raw), times("standard", "three factors, raw observations", raw)
    yield Phrase(
        "plain PPO needs {} of its steps with normalised observations, and three factors on raw ones need {} times",
        *map(ratio, normalised),
    )
    yield Phrase("against the best of 16, {}.", signed(lead("standard", best, rival)))
    tuned_best = "three factors, best of 16 under tuned"
    yield Phrase(
        "are sooner**: {} of the steps at the best of 16, {} of mean return",
        ratio(times("tuned", tuned_best)),
        signed(lead("tuned", tuned_best, "plain PPO")),
    )
    yield Phrase("Normalising costs plain PPO {} of mean", whole(lead("tuned", raw, "plain PPO")))
    yield Phrase("the best three factors have {}. On", signed(lead("tuned", tuned_best, raw)))
    raw_three = "three factors, raw observations"
    yield Phrase("On raw inputs three factors need {} times", ratio(times("tuned", raw_three, raw)))
    yield Phrase("mean return is lower by {}. The 16", whole(lead("tuned", raw, raw_three)))
    yield Phrase("constant surprise: mean return {} under", signed(lead("standard", three, "constant surprise")))
    constant = "constant surprise"
    yield Phrase("not seen to differ ({}; by the log-rank", ratio.comma(times("standard", three, constant)))
    yield Phrase(
        "and {} under `tuned`, with {} of its steps",
        signed(lead("tuned", three, constant)),
        ratio(times("tuned", three, constant)),
    )
    shuffled = [signed(lead(preset, "shuffled surprise", three)) for preset in ("standard", "tuned")]
    yield Phrase("as much or more: {} and {} of mean return", *shuffled)

    def both(arm: str, against: str) -> list[Shown]:
        return [signed(lead(preset, arm, against)) for preset in ("standard", "tuned")]

    yield Phrase(
        "weighted by returns {} of mean return under `standard` and {} under `tuned`",
        *both("three factors, exchange by returns", three),
    )
    yield Phrase("that falls with the returns {} and {};", *both("three factors, caution 1", three))
    fittest = [
        ratio.comma(times(preset, "three factors, the fittest evaluated", three)) for preset in ("standard", "tuned")
    ]
    yield Phrase("no difference is seen ({}, and {}).", *fittest)
    yield Phrase("All three together {} and {}. The", *both("three factors, all doors open", three))
    presets = ("standard", "tuned")
    yield Phrase(
        "`stabilise` has {} of mean return under `standard` and {} under `tuned`, and needs {} and {} of the steps; "
        "learned parameters {} and {}, {} and {} of the steps.",
        *both("stabilise", "blind"),
        *(ratio(times(preset, "stabilise", "blind")) for preset in presets),
        *both("learned parameters", "blind"),
        *(ratio(times(preset, "learned parameters", "blind")) for preset in presets),
    )
    falling = "adaptive, when returns fall"
    yield Phrase(
        "the opposite sign has {} and {}, and needs {} and {} of the steps",
        *both(falling, "adaptive"),
        *(ratio(times(preset, falling, "adaptive")) for preset in presets),
    )
    yield Phrase(
        "Against plain PPO: {} and {}; {} and {}; {} and {}. What",
        *(shown for arm in ("stabilise", "learned parameters", falling) for shown in both(arm, "plain PPO")),
    )
