"""The numbers of docs/field.md."""

import math
from collections.abc import Iterator, Sequence

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, gain, share, two_digits, whole

STUDY, SWEEP, SPEED, EARLIER = "field/study", "field/sweep.json", "field/speed.json", "field/speed_earlier.json"
SMALLEST = "field/speed_16.json"
CARTPOLE, HIDDEN = "CartPole-v1", "StatelessCartPole-v1"
LENGTHS = (64.0, 32.0)
"""Of the squares, as the table has them."""
rate = Style(6, bare=True)
strength = Style(5, bare=True)
plain = Style(2)
seconds = Style(2, bare=True)
briefly = Style(significant=2, bare=True)
error = Style(2, unit="%", bare=True)
error_to_reach = Style(2, unit="%")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield patterns(results)
    yield from ends(results)
    yield from speed(results)
    yield from smallest(results)
    yield from earlier(results)
    yield learning(results)
    yield from findings(results)


def patterns(results: Results) -> Table:
    """What theory says of the presets, and what was measured."""

    def row(preset: str) -> list[Shown]:
        def of(when: str, name: str) -> Known:
            return results.at(f"field/{preset}.json", when, name)

        rates = [rate.value(of(when, "growth_rate")) for when in ("predicted", "measured")]
        lengths = [plain.value(of(when, "wavelength")) for when in ("predicted", "measured")]
        return [*rates, *lengths, plain.value(of("measured", "spots_per_square_wavelength"))]

    rows = {"spots, 2-D": row("spots"), "stripes, 2-D": row("stripes")}
    return Table("| | growth rate, predicted |", rows)


def ends(results: Results) -> Iterator[Phrase]:
    """Where patterns end."""
    ended = [
        results.at(f"field/{preset}.json", "predicted", "strength_that_ends_the_pattern")
        for preset in ("spots", "stripes")
    ]
    yield Phrase("at γ = {} for the spots and γ = {} for the stripes", *map(strength.value, ended))
    rows = results.json(SWEEP)["boundary"]
    (chosen,) = [i for i, row in enumerate(rows) if round(row["ratio"], 1) == 39.7]
    simulated, theory = (results.at(SWEEP, "boundary", chosen, name) for name in ("simulated", "theory"))
    ratio = results.at(SWEEP, "boundary", chosen, "ratio")
    yield Phrase(
        "At D_h/D_a = {} the simulated pattern ends at γ = {}, theory says {} ({} apart",
        Style(1).value(ratio),
        *map(strength.value, (simulated, theory)),
        _percent(1 - simulated.value / theory.value, SWEEP),
    )
    below = [1 - row["simulated"] / row["theory"] for row in rows if row["theory"] > 0.0005]
    yield Phrase("throughout, by {} to {} where that", *(_percent(choose(below), SWEEP) for choose in (min, max)))


def speed(results: Results) -> Iterator[Phrase | Table]:
    """The solver beside py-pde."""
    spectral = ("py-pde, numba, spectral, 50 × 50", "py-pde, numba, spectral, 32 × 32")
    orders = {order: [f"morphorl, order {order}, {size} × {size}" for size in (50, 32)] for order in (2, 4)}
    fixed = {
        "py-pde, numba, 128 × 128": ["py-pde, numba, differences, 128 × 128"] * 2,
        "py-pde, jax, 128 × 128": ["py-pde, jax, differences, 128 × 128"] * 2,
        "py-pde, numba, spectral, its coarsest grid (50 × 50, 32 × 32)": spectral,
    }
    adaptive = {
        "py-pde, numba, 128 × 128, adaptive": ["py-pde, numba, differences, 128 × 128, adaptive 0.01"] * 2,
        "the same, adaptive": [f"{way}, adaptive 0.01" for way in spectral],
    }
    ours = {f"morphorl, order {order}, the same grid": names for order, names in orders.items()}

    def of(length: int, name: str, column: str) -> Known:
        return results.at(SPEED, "comparisons", *_row(results, SPEED, LENGTHS[length], name), column)

    def row(names: Sequence[str], style: Style, with_steps: bool = True) -> list[Shown | None]:
        cells: list[Shown | None] = []
        for length, name in enumerate(names):
            time = style.value(of(length, name, "wall_seconds")).within("{} s")
            steps = _commas(of(length, name, "steps")) if with_steps else None
            cells += [steps, error.value(of(length, name, "error")), time]
        return cells

    def lead(clock: str) -> list[Shown | None]:
        found = [whole(_lead(results, length, clock)) for length in LENGTHS]
        return [None, None, found[0], None, None, found[1]]

    reach = [error_to_reach.value(_error(results, length)).within(f"{length:g}, {{}}") for length in LENGTHS]
    rows = {"length of the square, error to reach": [reach[0], None, None, reach[1], None, None]}
    rows |= {label: row(names, seconds) for label, names in fixed.items()}
    rows |= {label: row(names, seconds, with_steps=False) for label, names in adaptive.items()}
    rows |= {label: row(names, briefly) for label, names in ours.items()}
    rows |= {
        "**py-pde's fastest way / morphorl's, median of the repeats' ratios**": lead("wall"),
        "in processor time": lead("processor"),
    }
    yield Table("| length of the square, error to reach |", rows)
    clocks = [whole.value(_of_medians(results, length, clock)) for clock in ("wall", "processor") for length in LENGTHS]
    yield Phrase("the medians in the table are {} and {} ({} and {} in processor time)", *clocks)
    times = [
        of(i, their, "steps").times(1 / of(i, our, "steps").value)
        for i, (their, our) in enumerate(zip(spectral, orders[4], strict=True))
    ]
    yield Phrase("spectral way takes {} and {} times as many steps", *map(whole.value, times))


def smallest(results: Results) -> Iterator[Phrase]:
    """The smallest error, which was measured by itself."""
    comparison = results.json(SMALLEST)["comparisons"][0]
    fastest = {
        whose: min(
            (row for row in comparison["rows"] if row["name"].startswith(whose)), key=lambda row: row["wall_seconds"]
        )
        for whose in ("py-pde", "morphorl")
    }
    ratio = comparison["wall_ratios"][fastest["py-pde"]["name"]]
    lead = Known(ratio["median"], min(ratio["repeats"]), max(ratio["repeats"]), SMALLEST)
    yield Phrase(
        "At length 16, {}, py-pde's fastest way takes {} s, and morphorl's {} s: {} times less.",
        error_to_reach.value(results.at(SMALLEST, "comparisons", 0, "error")),
        Shown(f"{fastest['py-pde']['wall_seconds']:.2f}".removeprefix("0"), SMALLEST),
        Shown(f"{fastest['morphorl']['wall_seconds']:.4f}".removeprefix("0"), SMALLEST),
        whole(lead),
    )


def earlier(results: Results) -> Iterator[Phrase]:
    """An earlier form of the benchmark."""

    def of(name: str, column: str) -> Known:
        return results.at(EARLIER, "comparisons", *_row(results, EARLIER, 16, name), column)

    numba, jax, ours = "py-pde, numba", "py-pde, jax", "morphorl, order 2"
    repeats = [
        min(_repeats(results, "py-pde", i)) / min(_repeats(results, "morphorl", i))
        for i in range(len(results.json(EARLIER)["comparisons"][0]["rows"][0]["repeats"]))
    ]
    lead = Known(results.json(EARLIER)["comparisons"][0]["ratio"], min(repeats), max(repeats), EARLIER)
    yield Phrase(
        "At length 16, {}, py-pde took {} s by numba ({} steps) and {} s by jax. morphorl took {} s ({} steps), "
        "{} times less than py-pde's faster way ({} by repeat)",
        error_to_reach.value(of(numba, "error")),
        Style(1).value(of(numba, "seconds")),
        _commas(of(numba, "steps")),
        Style(1).value(of(jax, "seconds")),
        seconds.value(of(ours, "seconds")),
        _commas(of(ours, "steps")),
        whole.value(lead),
        whole.interval(lead),
    )
    later = [whole.value(results.at(EARLIER, "comparisons", i, "ratio")) for i in (1, 2)]
    yield Phrase("At lengths 32 and 64 it was {} and {} times", *later)


def learning(results: Results) -> Table:
    """The field beside the policy."""
    median = two_digits("100k")

    def row(arm: str) -> list[Shown]:
        def of(name: str) -> Known:
            return results.summary(STUDY, CARTPOLE, arm, name)

        returns = [whole(of(name)) for name in ("early_return", "final_return", "final_greedy_return")]
        return [*returns, median.value(of("steps_to_threshold")), share(of("reached_threshold"))]

    arms = results.json(f"{STUDY}/summary.json")[CARTPOLE]
    return Table(
        "| CartPole-v1 | early return |", {"field, γ = 0" if arm == "γ = 0" else arm: row(arm) for arm in arms}
    )


def findings(results: Results) -> Iterator[Phrase]:
    """The sentences below the table."""
    arms = ("γ = 0", "γ = 0.001", "γ = 0.01")
    greedy = [results.summary(STUDY, CARTPOLE, arm, "final_greedy_return").value for arm in arms]
    range_ = Shown(f"{min(greedy):.0f} to {max(greedy):.0f}", f"{STUDY}/summary.json")
    yield Phrase("in every episode**, and greedy agents end at {}.", range_)
    ends = results.json(f"{STUDY}/summary.json")[HIDDEN].values()
    largest = max(arm[name]["value"] for arm in ends for name in ("final_return", "final_greedy_return"))
    yield Phrase(
        "On StatelessCartPole-v1 nothing gets beyond {}, at any γ", Shown(f"{largest:.0f}", f"{STUDY}/summary.json")
    )
    first, low, unstable = (results.verdict(STUDY, claim) for claim in ("C1", "C2a", "C2b"))
    yield Phrase("C1 is contradicted ({}).", gain.comma(first))
    yield Phrase("C2a was *supported* ({}) and C2b *contradicted* ({}) by", gain.value(low), gain.comma(unstable))


def _lead(results: Results, length: float, clock: str) -> Known:
    """py-pde's time over morphorl's, each in its fastest way: the median of the repeats' ratios, and their range."""
    comparison = results.json(SPEED)["comparisons"][_place(results, SPEED, length)]
    theirs = [row for row in comparison["rows"] if row["name"].startswith("py-pde")]
    fastest = min(theirs, key=lambda row: row[f"{clock}_seconds"])["name"]
    found = comparison[f"{clock}_ratios"][fastest]
    return Known(found["median"], min(found["repeats"]), max(found["repeats"]), SPEED)


def _of_medians(results: Results, length: float, clock: str) -> Known:
    """The same ratio of the medians."""
    rows = results.json(SPEED)["comparisons"][_place(results, SPEED, length)]["rows"]
    theirs, ours = (
        min(row[f"{clock}_seconds"] for row in rows if row["name"].startswith(of)) for of in ("py-pde", "morphorl")
    )
    return Known(theirs / ours, math.nan, math.nan, SPEED)


def _repeats(results: Results, whose: str, repeat: int) -> list[float]:
    """Seconds of a repeat by each way of one program, of the earlier form."""
    rows = results.json(EARLIER)["comparisons"][0]["rows"]
    return [row["repeats"][repeat] for row in rows if row["name"].startswith(whose)]


def _error(results: Results, length: float) -> Known:
    return results.at(SPEED, "comparisons", _place(results, SPEED, length), "error")


def _place(results: Results, file: str, length: float) -> int:
    return [one["length"] for one in results.json(file)["comparisons"]].index(length)


def _row(results: Results, file: str, length: float, name: str) -> tuple[int, str, int]:
    """Where the row of a way stands in a file of speeds."""
    place = _place(results, file, length)
    names = [row["name"] for row in results.json(file)["comparisons"][place]["rows"]]
    return place, "rows", names.index(name)


def _commas(known: Known) -> Shown:
    return Shown(f"{known.value:,.0f}", known.file)


def _percent(of_one: float, file: str) -> Shown:
    return Shown(f"{of_one:.0%}", file)
