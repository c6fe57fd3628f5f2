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
PRESETS = ("standard", "tuned")


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
    yield Phrase(
        "cost mean return here too**: {} on StatelessCartPole and {} on CartPoleNoVel, paired by seed",
        *map(whole, costs),
    )


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
    yield Phrase("the mean return is higher by {}, paired by seed.", whole(more))
    times = results.ratio("memory/noisy", "leaky integrators", WITH)
    yield Phrase("The ratio of median steps is {}. The", ratio(times))
    previous = "previous observation"
    yield Phrase("its final return leads by {}. Its", signed(lead(WITH, previous, "final_return")))
    yield Phrase("mean return does not ({}).\n- Only", signed.comma(lead(WITH, previous, "area_under_curve")))


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
    yield Phrase("in a median of {} steps ({}) and CartPoleNoVel in {}. On", *medians)
    yield Phrase("A share of {} of seeds gets there, with a final", share(gru(NOISY, "reached_threshold")))
    yield Phrase("a final greedy return of {}.\n- It", whole(gru(NOISY, "final_greedy_return")))


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
    yield Phrase("With velocities shown {} do, in {} times", share(shown), slower)
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
        for preset in PRESETS:
            median, mean = (
                results.summary(f"{folder}/{preset}", SHOWN, arm, name)
                for name in ("steps_to_threshold", "area_under_curve")
            )
            cells += [briefly(median), None if arm == "plain PPO" else ratio(times(preset, arm)), whole(mean)]
        return cells

    yield Table("| | `standard`: median steps to 475 |", {label: row(arm) for label, arm in labels.items()})

    def lead(preset: str, arm: str, rival: str) -> Known:
        return results.lead(folder, arm, rival, "area_under_curve", preset=preset)

    def pair(arm: str, rival: str) -> list[Shown]:
        return [style for preset in PRESETS for style in compared(preset, arm, rival)]

    def compared(preset: str, arm: str, rival: str) -> tuple[Shown, Shown]:
        return signed(lead(preset, arm, rival)), ratio(times(preset, arm, rival))

    three, raw, constant = "three factors", "plain PPO, raw observations", "constant surprise"
    raw_three, falling = "three factors, raw observations", "adaptive, when returns fall"
    best, tuned_best = (f"three factors, best of 16 under {preset}" for preset in PRESETS)
    rival = "plain PPO, best of 16 under standard"
    pairs = {
        "three factors, raw, against plain PPO, raw": (raw_three, raw),
        "plain PPO against plain PPO, raw": ("plain PPO", raw),
        "three factors against constant surprise": (three, constant),
        "shuffled surprise against three factors": ("shuffled surprise", three),
        "exchange by returns against three factors": ("three factors, exchange by returns", three),
        "caution 1 against three factors": ("three factors, caution 1", three),
        "the fittest evaluated against three factors": ("three factors, the fittest evaluated", three),
        "all doors open against three factors": ("three factors, all doors open", three),
        "stabilise against blind": ("stabilise", "blind"),
        "learned parameters against blind": ("learned parameters", "blind"),
        "adaptive, strong when returns fall, against adaptive": (falling, "adaptive"),
        "stabilise against plain PPO": ("stabilise", "plain PPO"),
        "learned parameters against plain PPO": ("learned parameters", "plain PPO"),
        "adaptive, strong when returns fall, against plain PPO": (falling, "plain PPO"),
    }
    rows = {label: pair(*arms) for label, arms in pairs.items()}
    rows["best of 16 against plain PPO, best of 16"] = [
        *compared("standard", best, rival),
        *compared("tuned", tuned_best, "plain PPO"),
    ]
    rows["best of 16 against plain PPO, raw"] = [*compared("standard", best, raw), *compared("tuned", tuned_best, raw)]
    yield Table("| | `standard`: mean return | steps |", rows)

    yield Phrase("best of 16, the ratio is {}, with", ratio(times("standard", best, rival)))
    yield Phrase("plain PPO as the preset has it, it is {}. Neither", ratio(times("standard", best)))
    yield Phrase("against the best of 16, {}.", signed(lead("standard", best, rival)))
    yield Phrase("needs {} of its steps with normalised", ratio(times("standard", "plain PPO", raw)))
    yield Phrase("three factors need {} times the steps of", ratio(times("standard", raw_three, raw)))
    yield Phrase(
        "are sooner**: {} of the steps at the best of 16, and {} of mean return",
        ratio(times("tuned", tuned_best)),
        signed(lead("tuned", tuned_best, "plain PPO")),
    )
    yield Phrase("Normalising costs plain PPO {} of mean", whole(lead("tuned", raw, "plain PPO")))
    yield Phrase("the best three factors have {}. Their", signed(lead("tuned", tuned_best, raw)))
    yield Phrase("three factors need {} times the steps. Their", ratio(times("tuned", raw_three, raw)))
    yield Phrase("mean return is lower by {}.", whole(lead("tuned", raw, raw_three)))
    leads = [signed(lead(preset, three, constant)) for preset in PRESETS]
    yield Phrase("they have {} of mean return, under `tuned` {}.", *leads)
    yield Phrase("Under `tuned` they need {} of the steps", ratio(times("tuned", three, constant)))
    yield Phrase("not seen to differ ({}).", ratio.comma(times("standard", three, constant)))
    reached = (share.value(results.reached(folder, arm, preset="standard")) for arm in (three, constant))
    yield Phrase("the share there is {} against {}.", *reached)
    others = "reward_aware_first/others"
    medians = [results.summary(others, "Acrobot-v1", arm, "steps_to_threshold") for arm in (three, "plain PPO")]
    slower = Known(medians[0].value / medians[1].value, math.nan, math.nan, medians[0].file)
    yield Phrase("needed {} times the steps of plain PPO. On", ratio(slower))
    there = (
        share.value(results.summary(others, "MountainCar-v0", arm, "reached_threshold")) for arm in (three, "plain PPO")
    )
    yield Phrase("On MountainCar {} of seeds got there against {}.", *there)
