"""The numbers of docs/tasks.md that stand in its sentences; docs/tasks_page.py writes its tables."""

import csv
from collections.abc import Iterator
from io import StringIO

import numpy as np
from places import Phrase
from result_files import Results, Seeds
from styles import Known, Shown, Style, decimal, percent, share, whole
from tasks_page import at_the_end

CONTINUOUS, MEMORY, PICTURES = "tasks/continuous", "tasks/memory_tasks", "tasks/pictures"
TUNED, TUNED_MEMORIES = "tasks_tuning/continuous.csv", "tasks_tuning/memory_tasks.csv"
PLAIN, COLOURED, BY_STATE = "plain PPO", "coloured noise, β = 0.5", "state-dependent noise"
BANK, CELL, GRU = "leaky integrators", "driven cell", "GRU"
CAR, SWIMMER = "MountainCarContinuous-v0", "Swimmer-misc"
REPEAT, NOISY = "popgym-RepeatPreviousEasy-v0", "popgym-NoisyPositionOnlyCartPoleMedium-v0"
SHORT, LONG = "MemoryChain-16", "MemoryChain-64"
ratio_lead = Style(2, sign=True, bare=True)
thousands = Style(unit="k")
exactly = Style(2)


def numbers(results: Results) -> Iterator[Phrase]:
    """Phrases of the page, in its order."""
    yield from continuous(results)
    yield from noises(results)
    yield from popgym(results)
    yield from chains(results)
    yield from pictures(results)
    yield from tuning(results)


def continuous(results: Results) -> Iterator[Phrase]:
    """What plain PPO learns where actions are continuous."""

    def of(environment: str) -> Known:
        return ends(results, CONTINUOUS, PLAIN, environment)

    steps = results.seeds(CONTINUOUS, PLAIN, "steps", environment="Pendulum-v1")[0]
    yield Phrase(
        "as others publish for PPO. Plain PPO gets {} in {} steps.",
        whole(of("Pendulum-v1")),
        thousands.value(Known(steps, steps, steps, f"{CONTINUOUS}/scores.parquet")),
    )
    car = at_the_end(results.scores(CONTINUOUS).filter(environment=CAR, arm=PLAIN))
    there = np.isfinite(results.seeds(CONTINUOUS, PLAIN, "steps_to_threshold", environment=CAR))
    yield Phrase(
        "**MountainCarContinuous-v0.** Plain PPO gets {}. {} of {} seeds ({}) solve it and end near {}; "
        "the other {} end at {}.",
        whole(of(CAR)),
        *(_count(number) for number in (there.sum(), there.size)),
        percent.comma(results.reached(CONTINUOUS, PLAIN, environment=CAR)),
        *(_count(number) for number in (car[there].mean(), (~there).sum(), abs(float(car[~there].mean())))),
    )
    yield Phrase("and no MuJoCo. Plain PPO gets {}. That is above", whole(of(SWIMMER)))
    yield Phrase("**PointRobot-misc.** Plain PPO gets {}, above", decimal(of("PointRobot-misc")))
    untrained = results.of_seeds(CONTINUOUS, PLAIN, "untrained_return", np.mean, environment="Reacher-misc")
    yield Phrase("**Reacher-misc.** Plain PPO gets {} from {}.", whole(of("Reacher-misc")), whole.value(untrained))


def noises(results: Results) -> Iterator[Phrase]:
    """Noise on continuous actions."""
    there = results.reached(CONTINUOUS, COLOURED, environment=CAR)
    solved = _count(round(there.value * len(results.seeds(CONTINUOUS, COLOURED, "seed", environment=CAR))))
    gained = whole(lead(results, CONTINUOUS, COLOURED, PLAIN, CAR)).within("+{}")
    yield Phrase(
        "With either noise {} of 32 seeds solve it ({}). That is {} either way", solved, percent.comma(there), gained
    )
    slow, slower, preset = (
        _tuned(results, TUNED, f"rate {rate}, discount 0.99, log σ 0, {minibatches} minibatches", CAR)
        for rate, minibatches in (("0.0003", 8), ("0.0003", 32), ("0.001", 8))
    )
    yield Phrase(
        "with rate .0003 had a mean return over training of {} and {}, the preset's .001 had {}.",
        *map(whole.value, (slow, slower, preset)),
    )
    worse = lead(results, CONTINUOUS, BY_STATE, PLAIN, SWIMMER).behind()
    yield Phrase("the one that follows the state costs {}. That is one of ten comparisons", whole(worse))


def popgym(results: Results) -> Iterator[Phrase]:
    """Memories on two tasks of POPGym."""
    peaks = [results.of_seeds(MEMORY, GRU, "peak_return", np.mean, environment=task) for task in (REPEAT, NOISY)]
    yield Phrase(
        "largest mean in training is {} on RepeatPreviousEasy (published 1.000). "
        "On NoisyPositionOnlyCartPoleMedium it is {} (published",
        *map(share, peaks),
    )
    yield Phrase(
        "At the end, greedy, it has {} and {}.",
        *(share.value(ends(results, MEMORY, GRU, task)) for task in (REPEAT, NOISY)),
    )

    def leads(arm: str, rival: str) -> list[Shown]:
        found = (lead(results, MEMORY, arm, rival, task) for task in (REPEAT, NOISY))
        return [ratio_lead.comma(one) for one in found]

    yield Phrase("**Leaky integrators help on both tasks** ({}; {})", *leads(BANK, "no memory"))
    yield Phrase("The GRU helps more (beside them {}; {})", *leads(GRU, BANK))
    yield Phrase("on the first task ({}). It is not told apart on the second ({})", *leads(CELL, BANK))


def chains(results: Results) -> Iterator[Phrase]:
    """Memories on two chains."""

    def solved(arm: str, environment: str) -> tuple[Shown, Known]:
        there = np.isfinite(results.seeds(MEMORY, arm, "steps_to_threshold", environment=environment))
        return _count(there.sum(), MEMORY), results.reached(MEMORY, arm, environment=environment)

    count, there = solved(BANK, LONG)
    median = np.median(results.seeds(MEMORY, BANK, "steps_to_threshold", environment=LONG))
    yield Phrase(
        "learn both chains as others publish**: {}, in {} of 32 seeds ({}). The network behind them is *without* "
        "recurrence. The chain of 64 steps takes them a median of {} steps",
        exactly.value(ends(results, MEMORY, BANK, LONG)),
        count,
        percent.interval(there).within("{}%"),
        thousands.value(Known(median, median, median, f"{MEMORY}/scores.parquet")),
    )
    yield Phrase("ends at {} on 16 steps", share(ends(results, MEMORY, GRU, SHORT)))
    _, there = solved(GRU, LONG)
    yield Phrase(
        "On 64 steps the GRU ends at {}, where a guess earns 0. None of 32 ({}) solve",
        Style(2, bare=True)(ends(results, MEMORY, GRU, LONG)),
        percent.interval(there).within("{}%"),
    )
    count, there = solved(CELL, LONG)
    yield Phrase("64 are solved by {} of 32 ({}%)", count, percent.comma(there))


def pictures(results: Results) -> Iterator[Phrase]:
    """What is learned from pictures."""
    (arm,) = results.scores(PICTURES)["arm"].unique()

    def of(column: str, environment: str) -> Known:
        return results.of_seeds(PICTURES, arm, column, np.mean, environment=environment)

    yield Phrase(
        "**Breakout** ends at {}, from {} untrained.",
        decimal(ends(results, PICTURES, arm, "Breakout-MinAtar")),
        Style(1, bare=True).value(of("untrained_return", "Breakout-MinAtar")),
    )
    asterix = "Asterix-MinAtar"
    yield Phrase(
        "(greedy {}; untrained {}; published",
        share.comma(ends(results, PICTURES, arm, asterix)),
        share.value(of("untrained_return", asterix)),
    )
    late, early = (results.seeds(PICTURES, arm, name, environment=asterix) for name in ("final_return", "early_return"))
    rise = results.over_seeds(PICTURES, late - early, np.mean)
    yield Phrase(
        "rise from {} early to {} late in the training ({})",
        share.value(of("early_return", asterix)),
        share.value(of("final_return", asterix)),
        ratio_lead.comma(rise),
    )


def tuning(results: Results) -> Iterator[Phrase]:
    """What tuning seeds had shown of the memories."""
    arms = (f"{BANK}, rate 0.003", f"{GRU}, rate 0.003", f"{CELL}, rate 0.003")
    found = [_briefly(_tuned(results, TUNED_MEMORIES, arm, LONG)) for arm in arms]
    yield Phrase("integrators {}, GRU {}, driven cell {})", *found)


def ends(results: Results, folder: str, arm: str, environment: str) -> Known:
    """The mean greedy return at the end, as the page's tables have it."""
    return results.over_seeds(folder, _ends(results, folder, arm, environment), np.mean)


def lead(results: Results, folder: str, arm: str, rival: str, environment: str) -> Known:
    """The mean difference of two arms at the end, paired by seed, as the page's tables have it."""
    x, y = (_ends(results, folder, one, environment) for one in (arm, rival))
    return results.over_seeds(folder, x - y, np.mean)


def _ends(results: Results, folder: str, arm: str, environment: str) -> Seeds:
    return at_the_end(results.scores(folder).filter(environment=environment, arm=arm))


def _tuned(results: Results, file: str, arm: str, environment: str) -> Known:
    """An arm's mean return over training on tuning seeds."""
    rows = csv.DictReader(StringIO((results.root / file).read_text()))
    (found,) = [float(row[environment]) for row in rows if row["arm"] == arm]
    return Known(found, found, found, file)


def _briefly(known: Known) -> Shown:
    """Two digits without the zero before the point, of 0 too."""
    return Shown(exactly.value(known).text.replace("0.", ".", 1), known.file)


def _count(number: float, folder: str = CONTINUOUS) -> Shown:
    return Shown(f"{number:.0f}", f"{folder}/scores.parquet")
