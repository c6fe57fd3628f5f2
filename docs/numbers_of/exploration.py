"""The numbers of docs/exploration.md."""

from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, ratio, share, steps, two_digits, whole

SPARSE, DEEP, HIDDEN = "SparseMountainCar-v0", "DeepSea-bsuite", "StatelessSparseMountainCar-v0"
FACTORIAL, BEST, FIRST = "exploration/factorial", "exploration/best", "exploration"
lead_style = Style(2, sign=True, bare=True)
plain = Style(2)
"""The lead of the first table has its zeros."""


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield factorial(results)
    yield from shapes(results)
    yield from best(results)
    yield first(results)
    yield from elsewhere(results)


def factorial(results: Results) -> Table:
    """Envelopes and sizes: how many of 16 seeds are there, and the mean return."""
    arms = list(results.json(f"{FACTORIAL}/summary.json")[SPARSE])

    def row(kind: str, redraw: str) -> list[Shown]:
        chosen = [arm for arm in arms if arm.startswith(f"{kind},") and arm.endswith(f"redraw {redraw}")]
        return [cell(arm) for arm in chosen]

    def cell(arm: str) -> Shown:
        mean = Style(2, bare=True).value(results.summary(FACTORIAL, SPARSE, arm, "area_under_curve"))
        return mean.within(f"{_there(arm, results).text}, {{}}")

    kinds = ("static", "growing", "decaying", "guided")
    rows = {kind: row(kind, "0") for kind in kinds}
    return Table("| size | .25 |", rows | {f"{kind}, redrawn every 25 steps": row(kind, "0.04") for kind in kinds})


def shapes(results: Results) -> Iterator[Phrase | Table]:
    """The sentences below the factorial."""

    def mean(arm: str) -> Known:
        return results.summary(FACTORIAL, SPARSE, arm, "area_under_curve")

    chosen = ("static, σ = 0.35, redraw 0", "decaying, σ = 1.52, redraw 0")
    yield Phrase("the best of eight each: static {}, decaying {}, growing", *(share(mean(arm)) for arm in chosen))
    rest = ("growing, σ = 0.0751, redraw 0", "guided, γ = 0.00216, redraw 0")
    yield Phrase("growing {}, guided {}.", *(share.value(mean(arm)) for arm in rest))
    alone = {
        "the cell, γ = .1": "γ = 0.1",
        "the cell, γ = .2": "γ = 0.2",
        "the cell, γ = .4": "γ = 0.4",
        "state-dependent exploration": "state-dependent, σ = 2, redraw 0",
        "coloured noise": "coloured noise, β = 1, σ = 1",
        "sticky actions": "sticky actions, 0.75",
        "plain PPO": "plain PPO, rate 0.0003, entropy 0.01",
    }
    yield Table(
        "| | there, of 16 | mean return |",
        {label: [_there(arm, results), share(mean(arm))] for label, arm in alone.items()},
    )


def _there(arm: str, results: Results) -> Shown:
    """How many of 16 seeds are there."""
    return whole.value(results.summary(FACTORIAL, SPARSE, arm, "reached_threshold").times(16))


def best(results: Results) -> Iterator[Phrase | Table]:
    """The best of each on fresh seeds."""
    against = "static, σ = 0.5"
    arms = {
        "static, σ = .5": against,
        "growing, σ = .15": "growing, σ = 0.15",
        "decaying, σ = 1.52": "decaying, σ = 1.52",
        "guided alone, γ = .00431": "guided, γ = 0.00431",
        "the cell's own kinetics, γ = .2": "own kinetics, γ = 0.2",
        "state-dependent exploration, σ = 2": "state-dependent, σ = 2",
        "plain PPO, rate .0003, entropy .01": "plain PPO, rate 0.0003, entropy 0.01",
        "coloured noise, β = 1, σ = 1": "coloured noise, β = 1, σ = 1",
        "sticky actions, .75": "sticky actions, 0.75",
    }
    file = f"{BEST}/comparisons.json"
    place = {one["arm"]: i for i, one in enumerate(results.json(file)["comparisons"])}
    median = two_digits("60k")

    def row(arm: str) -> list[Shown | None]:
        def of(name: str) -> Known:
            return results.summary(BEST, SPARSE, arm, name)

        start = [share(of("reached_threshold")), share(of("area_under_curve"))]
        if arm == against:
            return [*start, None, median(of("steps_to_threshold")), None]
        path = ("comparisons", place[arm])
        lead = lead_style(results.at(file, *path, "effect"))
        p = results.json(file)["comparisons"][place[arm]]["effect"]["p"]
        times = results.at(file, *path, "ratio")
        told = None if times.value == float("inf") else ratio(times)
        return [*start, lead.within(f"{{}}, p = {_p_value(p)}"), median(of("steps_to_threshold")), told]

    yield Table(
        "| | share there | mean return | against the static pattern |", {label: row(arm) for label, arm in arms.items()}
    )
    decaying = results.at(file, "comparisons", place["decaying, σ = 1.52"], "effect")
    yield Phrase("than a static one** ({}). It is later", lead_style.comma(decaying))
    yield Phrase(
        "their 64 seeds get there ({}), later",
        share.interval(results.summary(BEST, SPARSE, "own kinetics, γ = 0.2", "reached_threshold")),
    )


def _p_value(p: float) -> str:
    """Two digits, one below .001."""
    return f"{p:.1g}".removeprefix("0") if p < 0.001 else f"{p:.2g}".removeprefix("0")


def first(results: Results) -> Table:
    """The table that was published first."""
    median = steps("100k")

    def row(arm: str) -> list[Shown]:
        def of(name: str) -> Known:
            return results.summary(FIRST, SPARSE, arm, name)

        return [
            share(of("reached_threshold")),
            plain(of("early_return")),
            median.value(of("steps_to_threshold")),
            plain(of("final_greedy_return")),
        ]

    arms = results.json(f"{FIRST}/summary.json")[SPARSE]
    return Table("| | share there | early return | median steps |", {arm: row(arm) for arm in arms})


def elsewhere(results: Results) -> Iterator[Phrase]:
    """What the first table says, and two other tasks."""

    def early(arm: str) -> Shown:
        return share(results.summary(FIRST, SPARSE, arm, "early_return"))

    yield Phrase("has an early return of {}. The static", early("γ = 0.2"))
    yield Phrase("of σ = 1 (98%) has one of {}.", early("static pattern, σ = 1"))

    def there(arm: str) -> Shown:
        return share(results.summary("exploration/deepsea", DEEP, arm, "reached_threshold"))

    yield Phrase(
        "Plain PPO gets there in {} of seeds. With patterns it is {} at γ = 0.4, and {} with a static one of σ = 2",
        *map(there, ("plain PPO, rate 0.001, entropy 0", "γ = 0.4", "static pattern, σ = 2")),
    )
    hidden = results.summary("exploration/hidden", HIDDEN, "γ = 0.2", "reached_threshold")
    yield Phrase("got there in any seed ({} of 64 each)", share.interval(hidden))
