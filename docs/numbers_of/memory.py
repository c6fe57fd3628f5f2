"""The numbers of docs/memory.md."""

import math
import re
from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, ratio, share, signed, steps, two_digits, whole

NOVEL = "memory/noisy_novel"
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
PLAIN, RAW, PLAIN_BEST = "plain PPO", "plain PPO, raw observations", "plain PPO, best of 16 under standard"
THREE, THREE_RAW, CONSTANT = "three factors", "three factors, raw observations", "constant surprise"
BEST = {preset: f"three factors, best of 16 under {preset}" for preset in PRESETS}
FALLING = "adaptive, when returns fall"
CALLED = {
    "strength 0": "strength 0: the same blend, no rule",
    "cell alone": "three factors, the cell alone in charge",
    "blind": "blind, γ = .1, added",
    "adaptive": "adaptive: strong while returns rise",
    FALLING: "adaptive, strong when returns fall",
}
"""Arms of `reward_aware`, and what the page calls them."""


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
    yield noisy_table(results, "| | final return | mean return | final greedy |", "memory/noisy", NOISY)
    yield noisy_table(results, "| zeros in place of velocities |", NOVEL, "NoisyCartPoleNoVel-v1")

    def lead(arm: str, rival: str, column: str, folder: str = "memory/noisy") -> Known:
        return results.lead(folder, arm, rival, column)

    more = lead("leaky integrators", WITH, "area_under_curve")
    yield Phrase("the mean return is higher by {}, paired by seed.", whole(more))
    times = results.ratio("memory/noisy", "leaky integrators", WITH)
    yield Phrase("The ratio of median steps is {}. The", ratio(times))
    previous = "previous observation"
    yield Phrase("its final return leads by {}. Its", signed(lead(WITH, previous, "final_return")))
    yield Phrase("mean return does not ({}).\n- On", signed.comma(lead(WITH, previous, "area_under_curve")))
    cost, behind = (lead(arm, WITH, "area_under_curve", NOVEL) for arm in ("leaky integrators", previous))
    yield Phrase("they cost {} of mean return (64", whole(cost))
    yield Phrase("behind the previous observation too, by {}.", whole(behind))


def noisy_table(results: Results, head: str, folder: str, environment: str) -> Table:
    """Five memories in one environment with noise."""
    briefly = two_digits("100k")

    def row(arm: str) -> list[Shown | None]:
        def of(name: str) -> Known:
            return results.summary(folder, environment, arm, name)

        median = of("steps_to_threshold")
        return [
            whole(of("final_return")),
            whole(of("area_under_curve")),
            whole(of("final_greedy_return")),
            None if arm == "no memory" else briefly(median),
            share(of("reached_threshold")),
        ]

    labels = {arm: f"**{arm}**" if arm == "leaky integrators" else arm for arm in MEMORIES}
    return Table(head, {label: row(arm) for arm, label in labels.items()})


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
    study = RewardAware(results)
    yield rewarded_arms(study)
    yield rewarded_pairs(study)
    yield from under_standard(study)
    yield from under_tuned(study)
    yield from surprise(study)
    yield from elsewhere(results)


class RewardAware:
    """The study `reward_aware`, and differences between its arms."""

    folder = "reward_aware"

    def __init__(self, results: Results) -> None:
        self.results = results

    def arms(self) -> list[str]:
        """Its arms, in the study's order."""
        return list(self.results.json(f"{self.folder}/standard/summary.json")[SHOWN])

    def summary(self, preset: str, arm: str, statistic: str) -> Known:
        """What the summary of a preset says of an arm."""
        return self.results.summary(f"{self.folder}/{preset}", SHOWN, arm, statistic)

    def times(self, preset: str, arm: str, rival: str = PLAIN) -> Known:
        """The ratio of median steps to the threshold."""
        return self.results.ratio(self.folder, arm, rival, preset=preset)

    def lead(self, preset: str, arm: str, rival: str = PLAIN) -> Known:
        """The difference of mean returns."""
        return self.results.lead(self.folder, arm, rival, "area_under_curve", preset=preset)

    def compared(self, preset: str, arm: str, rival: str) -> tuple[Shown, Shown]:
        """Both, as the table of pairs has them."""
        return signed(self.lead(preset, arm, rival)), ratio(self.times(preset, arm, rival))


def rewarded_arms(study: RewardAware) -> Table:
    """Every arm under both presets."""
    briefly = two_digits("50k")

    def label(arm: str) -> str:
        return CALLED.get(arm, re.sub(r"best of 16 under (\w+)", r"best of 16 under `\1`", arm))

    def row(arm: str) -> list[Shown | None]:
        cells: list[Shown | None] = []
        for preset in PRESETS:
            median, mean = (study.summary(preset, arm, name) for name in ("steps_to_threshold", "area_under_curve"))
            cells += [briefly(median), None if arm == PLAIN else ratio(study.times(preset, arm)), whole(mean)]
        return cells

    return Table("| | `standard`: median steps to 475 |", {label(arm): row(arm) for arm in study.arms()})


def rewarded_pairs(study: RewardAware) -> Table:
    """The pairs of arms that the text speaks of."""
    pairs = {
        "three factors, raw, against plain PPO, raw": (THREE_RAW, RAW),
        "plain PPO against plain PPO, raw": (PLAIN, RAW),
        "three factors against constant surprise": (THREE, CONSTANT),
        "shuffled surprise against three factors": ("shuffled surprise", THREE),
        "exchange by returns against three factors": ("three factors, exchange by returns", THREE),
        "caution 1 against three factors": ("three factors, caution 1", THREE),
        "the fittest evaluated against three factors": ("three factors, the fittest evaluated", THREE),
        "all doors open against three factors": ("three factors, all doors open", THREE),
        "stabilise against blind": ("stabilise", "blind"),
        "learned parameters against blind": ("learned parameters", "blind"),
        "adaptive, strong when returns fall, against adaptive": (FALLING, "adaptive"),
        "stabilise against plain PPO": ("stabilise", PLAIN),
        "learned parameters against plain PPO": ("learned parameters", PLAIN),
        "adaptive, strong when returns fall, against plain PPO": (FALLING, PLAIN),
    }
    by_preset = {label: dict.fromkeys(PRESETS, pair) for label, pair in pairs.items()}
    by_preset["best of 16 against plain PPO, best of 16"] = {
        "standard": (BEST["standard"], PLAIN_BEST),
        "tuned": (BEST["tuned"], PLAIN),  # the best of 16 is the preset itself
    }
    by_preset["best of 16 against plain PPO, raw"] = {preset: (BEST[preset], RAW) for preset in PRESETS}
    rows = {
        label: [cell for preset in PRESETS for cell in study.compared(preset, *pair[preset])]
        for label, pair in by_preset.items()
    }
    return Table("| | `standard`: mean return | steps |", rows)


def under_standard(study: RewardAware) -> Iterator[Phrase]:
    """The sentences on the preset `standard`."""
    best = BEST["standard"]

    def times(arm: str, rival: str = PLAIN) -> Shown:
        return ratio(study.times("standard", arm, rival))

    yield Phrase("best of 16, the ratio is {}, with", times(best, PLAIN_BEST))
    yield Phrase("plain PPO as the preset has it, it is {}. Neither", times(best))
    yield Phrase("against the best of 16, {}.", signed(study.lead("standard", best, PLAIN_BEST)))
    yield Phrase("needs {} of its steps with normalised", times(PLAIN, RAW))
    yield Phrase("three factors need {} times the steps of", times(THREE_RAW, RAW))


def under_tuned(study: RewardAware) -> Iterator[Phrase]:
    """The sentences on the preset `tuned`."""
    best = BEST["tuned"]
    steps, mean = ratio(study.times("tuned", best)), signed(study.lead("tuned", best))
    yield Phrase("are sooner**: {} of the steps at the best of 16, and {} of mean return", steps, mean)
    yield Phrase("Normalising costs plain PPO {} of mean", whole(study.lead("tuned", RAW)))
    yield Phrase("the best three factors have {}. Their", signed(study.lead("tuned", best, RAW)))
    yield Phrase("three factors need {} times the steps. Their", ratio(study.times("tuned", THREE_RAW, RAW)))
    yield Phrase("mean return is lower by {}.", whole(study.lead("tuned", RAW, THREE_RAW)))


def surprise(study: RewardAware) -> Iterator[Phrase]:
    """The sentences on constant surprise."""
    leads = [signed(study.lead(preset, THREE, CONSTANT)) for preset in PRESETS]
    yield Phrase("they have {} of mean return, under `tuned` {}.", *leads)
    yield Phrase("Under `tuned` they need {} of the steps", ratio(study.times("tuned", THREE, CONSTANT)))
    yield Phrase("not seen to differ ({}).", ratio.comma(study.times("standard", THREE, CONSTANT)))
    reached = [study.results.reached(study.folder, arm, preset="standard") for arm in (THREE, CONSTANT)]
    yield Phrase("the share there is {} against {}.", *map(share.value, reached))


def elsewhere(results: Results) -> Iterator[Phrase]:
    """Two other tasks, of the study before."""

    def of(environment: str, statistic: str) -> list[Known]:
        folder = "reward_aware_first/others"
        return [results.summary(folder, environment, arm, statistic) for arm in (THREE, PLAIN)]

    three, plain = of("Acrobot-v1", "steps_to_threshold")
    slower = Known(three.value / plain.value, math.nan, math.nan, three.file)
    yield Phrase("needed {} times the steps of plain PPO. On", ratio(slower))
    there = of("MountainCar-v0", "reached_threshold")
    yield Phrase("On MountainCar {} of seeds got there against {}.", *map(share.value, there))
