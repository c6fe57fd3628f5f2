"""The numbers of docs/speed.md."""

import math
from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, decimal, percent, ratio, share, whole

EPYC, WIDE, TASKS = "speed/speed.json", "speed/avx512.json", "speed/tasks.json"
SCALING, ACCELERATOR = "scaling/scaling.json", "scaling/h200.json"
PLAIN, CELL, STATELESS = "morphorl, plain PPO", "morphorl, cell", "morphorl, cell, Stateless"
REJAX, PUREJAXRL = "rejax", "PureJaxRL's way"
LABELS = {
    "morphorl, fused, plain PPO": f"{PLAIN}, fused",
    "morphorl, fused, the post's system": f"{CELL}, fused",
    "morphorl, xla, plain PPO": PLAIN,
    "morphorl, xla, the post's system": CELL,
    "rejax": REJAX,
    "rejax, one device per core (our doing)": f"{REJAX}, one device per core",
    "PureJaxRL's way": PUREJAXRL,
    "PureJaxRL's way, one device per core (our doing)": f"{PUREJAXRL}, one device per core",
}
ROWS = (
    ("morphorl, fused, plain PPO", 1),
    ("morphorl, fused, plain PPO", 16),
    ("morphorl, fused, the post's system", 16),
    ("morphorl, fused, plain PPO", 64),
    ("morphorl, xla, plain PPO", 1),
    ("morphorl, xla, plain PPO", 16),
    ("morphorl, xla, the post's system", 16),
    ("rejax", 1),
    ("rejax", 16),
    ("rejax, one device per core (our doing)", 16),
    ("PureJaxRL's way", 1),
    ("PureJaxRL's way", 16),
    ("PureJaxRL's way, one device per core (our doing)", 16),
)
two_digits = Style(2)
percent_finely = Style(1, unit="%")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield from rates(results)
    yield from ratios(results)
    yield from wide(results)
    yield from costs(results)
    yield from tasks(results)
    yield from scaling(results)
    yield from accelerator(results)


def rates(results: Results) -> Iterator[Phrase]:
    """The table of rates, and the machine's limits; labels stand in it more than once, so its rows are phrases."""
    peak, products = (
        whole.value(results.at(EPYC, name).times(1e-9)) for name in ("peak_flop_per_second", "ceiling_flop_per_second")
    )
    yield Phrase("({} GFLOP/s; XLA's products reach {})", peak, products)
    for label, agents in ROWS:
        of = rate(results, EPYC, LABELS[label], agents)
        shares = [percent.value(one) for one in _shares(results, LABELS[label], agents)]
        yield Phrase(f"| {label} | {agents} | {{}} | {{}} | {{}} | {{}} |", _k(of), _range(of), *shares)
    process = rate(results, EPYC, "Stable-Baselines3 PPO", 1)
    limit, peak_share = _shares(results, "Stable-Baselines3 PPO", 1)
    yield Phrase(
        "| Stable-Baselines3 PPO | one process | {} | {} | {} | {} |",
        *(_k(process), _range(process), percent_finely.value(limit), percent.value(peak_share)),
    )
    recurrent = rate(results, EPYC, "RecurrentPPO, Stateless", 1)
    yield Phrase("| RecurrentPPO, StatelessCartPole | one process | {} | {} |", _k(recurrent), _range(recurrent))


def ratios(results: Results) -> Iterator[Phrase]:
    """The sentences below the table."""

    def of(name: str) -> Known:
        return results.at(EPYC, "ratios", name)

    kernel = [ratio.value(of(f"{agents} agents: fused / xla")) for agents in (16, 1)]
    yield Phrase("trains {} times as fast as XLA's operators with 16 agents, {} times with one", *kernel)
    own = [decimal.value(of(f"16 agents: morphorl, fused / {peer} (its own way)")) for peer in (REJAX, PUREJAXRL)]
    divided = {
        decimal.value(of(f"16 agents: morphorl, fused / {peer} (its faster way)")) for peer in (REJAX, PUREJAXRL)
    }
    (either,) = divided  # the page has one number for both
    yield Phrase(
        "16 agents, fused: {} times rejax and {} times PureJaxRL's way as they are (we aimed at 2.6), {} times either",
        *(*own, either),
    )
    process = over(rate(results, EPYC, f"{PLAIN}, fused", 16), rate(results, EPYC, "Stable-Baselines3 PPO", 1))
    yield Phrase("{} times one process of Stable-Baselines3", whole.value(process))
    one = [decimal.value(of(f"1 agents: morphorl, fused / {peer} (its own way)")) for peer in (REJAX, PUREJAXRL)]
    without = [ratio.value(of(f"1 agents: morphorl / {peer} (its own way)")) for peer in (REJAX, PUREJAXRL)]
    yield Phrase(
        "One agent, fused: {} times rejax, {} times PureJaxRL's way (we aimed at 1.45 of the faster one). "
        "Without the kernel: {} and {}.",
        *(*one, *without),
    )
    limit, _ = _shares(results, f"{PLAIN}, fused", 16)
    yield Phrase("- {} of the arithmetic limit with 16 agents", percent.value(limit))


def wide(results: Results) -> Iterator[Phrase]:
    """A machine with AVX-512."""

    def of(name: str) -> Known:
        return results.at(WIDE, "ratios", name)

    fused, xla = (rate(results, WIDE, name, 16) for name in (f"{PLAIN}, fused", PLAIN))
    limits = [percent.value(_shares(results, name, 16, WIDE)[0]) for name in (f"{PLAIN}, fused", PLAIN)]
    yield Phrase(
        "16 agents {} ({}) fused and {} ({}) by XLA, {} and {} of the arithmetic limit",
        *(_k(fused), _range(fused), _k(xla), _range(xla), *limits),
    )
    (either,) = {
        ratio.value(of(f"16 agents: morphorl, fused / {peer} (its faster way)")) for peer in (REJAX, PUREJAXRL)
    }
    own = [ratio.value(of(f"16 agents: morphorl, fused / {peer} (its own way)")) for peer in (REJAX, PUREJAXRL)]
    faster = min(
        (of(f"1 agents: morphorl, fused / {peer} (its own way)") for peer in (REJAX, PUREJAXRL)),
        key=lambda one: one.value,
    )
    yield Phrase(
        "That is {} times either peer divided by hand, {} and {} times rejax and PureJaxRL's way as they are, and with "
        "one agent {} times the faster of them.",
        *(either, *own, ratio.value(faster)),
    )
    sixty_four = over(rate(results, WIDE, f"{PLAIN}, fused", 64), rate(results, WIDE, PLAIN, 64))
    kernel = (of("16 agents: fused / xla"), sixty_four, of("1 agents: fused / xla"))
    yield Phrase(
        "{} times as fast as XLA's operators with 16 agents, {} with 64, {} with one", *map(ratio.value, kernel)
    )


def costs(results: Results) -> Iterator[Phrase]:
    """What the system, more agents and a fresh process cost."""

    def of(name: str) -> Known:
        return results.at(EPYC, "ratios", name)

    system = sorted(of(f"16 agents: time with the cell / time without{kernel}").value - 1 for kernel in ("", ", fused"))
    yield Phrase("adds {} to the time", Shown(f"{100 * system[0]:.0f} to {100 * system[1]:.0f}%", EPYC))
    fused = over(rate(results, EPYC, f"{PLAIN}, fused", 16), rate(results, EPYC, f"{PLAIN}, fused", 64)).times(4)
    yield Phrase(
        "64 agents cost {} times 16 by XLA, {} fused",
        *map(decimal.value, (of("time of 64 agents / time of 16"), fused)),
    )
    ours = [row["peak_bytes"] / 2**30 for row in results.json(EPYC)["rows"] if row["name"].startswith("morphorl")]
    yield Phrase("peak memory {} GiB", Shown(f"{min(ours):.1f} to {max(ours):.1f}", EPYC))
    recurrent = [
        whole.value(of(f"Stateless: morphorl with the cell / RecurrentPPO, {how}"))
        for how in ("one process", "one per core")
    ]
    yield Phrase("by XLA: {} times RecurrentPPO in one process, {} times one process per core", *recurrent)

    def first(file: str) -> list[Shown]:
        names = ("first result, cold", "first result, warm")
        return [decimal.value(over(Known(1, 1, 1, file), rate(results, file, name, 16))) for name in names]

    yield Phrase(
        "in a fresh process: {} s with an empty cache of compiled programs, {} s with a filled one", *first(EPYC)
    )
    yield Phrase("since then {} s and {} s on the Zen 4 machine", *first(WIDE))


def tasks(results: Results) -> Iterator[Phrase | Table]:
    """Other tasks."""
    rows = {one["row"]: i for i, one in enumerate(results.json(TASKS)["rows"])}

    def of(name: str, clock: str = "steps_per_second") -> Known:
        return results.at(TASKS, "rows", rows[name], clock)

    def both(task: str) -> list[Shown | None]:
        fused, xla = (_k(of(f"morphorl, {kernel}: {task}")) for kernel in ("fused", "xla"))
        return [None, Shown(f"{fused.text} ({xla.text})", TASKS)]

    host = "morphorl, stepping Gymnasium's: gym:"
    split = "rejax, divided among the cores: Pendulum-v1"
    yield Table(
        "| | agents | env steps/s |\n|---|---|---|\n| CartPole-v1, fused",
        {
            "CartPole-v1, fused (xla)": both("CartPole-v1"),
            "Pendulum-v1, fused (xla)": both("Pendulum-v1"),
            "Pendulum-v1, rejax": [None, _k(of("rejax: Pendulum-v1"))],
            "Pendulum-v1, rejax, one device per core (our doing)": [None, _k(of(split))],
            "Swimmer-v5 in JAX, fused (xla)": both("Swimmer-v5"),
            "gym:Swimmer-v5, MuJoCo on the host": [None, _k(of(f"{host}Swimmer-v5"))],
            "gym:Pendulum-v1, on the host": [None, _k(of(f"{host}Pendulum-v1"))],
            "gym:CartPole-v1, on the host": [None, _k(of(f"{host}CartPole-v1"))],
        },
    )
    pendulum = of("morphorl, fused: Pendulum-v1")
    rivals = [over(pendulum, of(name)) for name in ("morphorl, fused: CartPole-v1", "rejax: Pendulum-v1", split)]
    yield Phrase(
        "trains at {} times CartPole's rate, {} times rejax's and {} times rejax divided",
        *(style.value(one) for style, one in zip((ratio, decimal, decimal), rivals, strict=True)),
    )
    swimmers = [
        whole.value(over(of("morphorl, fused: Swimmer-v5", clock), of(f"{host}Swimmer-v5", clock)))
        for clock in ("steps_per_second", "steps_per_processor_second")
    ]
    yield Phrase(
        "The swimmer in JAX trains at {} times the rate of one host process, which uses one core of two: {} times in",
        *swimmers,
    )


def scaling(results: Results) -> Iterator[Phrase]:
    """How rates grow."""
    place = {(one["axis"], one["value"]): i for i, one in enumerate(results.json(SCALING)["points"])}

    def of(axis: str, value: int) -> Known:
        return results.at(SCALING, "points", place[axis, value], "rate")

    yield Phrase(
        "1,024 agents at once run at {} of the rate of 16", percent.value(over(of("agents", 1024), of("agents", 16)))
    )
    yield Phrase("The second core doubles the rate ({} times)", two_digits.value(over(of("cores", 2), of("cores", 1))))


def accelerator(results: Results) -> Iterator[Phrase | Table]:
    """One accelerator."""
    points = results.json(ACCELERATOR)["points"]
    place = {(one["system"], one["agents"]): i for i, one in enumerate(points)}
    agents = [one["agents"] for one in points if one["system"] == "none"]

    def of(system: str, number: int, name: str = "rate") -> Known | None:
        found = place.get((system, number))
        return None if found is None else results.at(ACCELERATOR, "points", found, name)

    def memory(known: Known) -> Shown:
        return (share if known.value < 1e9 else decimal).value(known.times(1e-9))

    def row(system: str) -> list[Shown | None]:
        return [found and _k(found) for found in (of(system, number) for number in agents)]

    rows: dict[str, list[Shown | None]] = {
        "plain PPO, environment steps/s": row("none"),
        "with the post's system": row("reaction_diffusion"),
        "device memory (GB)": [
            found and memory(found) for found in (of("none", number, "peak_device_bytes") for number in agents)
        ],
    }
    yield Table("| agents at once |", rows)
    calls = [one["first_call_seconds"] for one in points]
    yield Phrase(
        "The first call, compiling included, took {} s", Shown(f"{min(calls):.0f} to {max(calls):.0f}", ACCELERATOR)
    )
    alone = of("none", 1)
    assert alone
    yield Phrase("the Xeon above ({} against", _k(alone))


def rate(results: Results, file: str, name: str, agents: int) -> Known:
    """The median rate of a row, with the slowest and the fastest repeat."""
    (row,) = [one for one in results.json(file)["rows"] if (one["name"], one["agents"]) == (name, agents)]
    return Known(row["rate"], row["slowest"], row["fastest"], file)


def over(one: Known, other: Known) -> Known:
    """The ratio of two numbers, without an interval."""
    return Known(one.value / other.value, math.nan, math.nan, one.file)


def _shares(results: Results, name: str, agents: int, file: str = EPYC) -> tuple[Known, Known]:
    """A row's share of the arithmetic limit, and of the processor's peak."""
    places = [(one["name"], one["agents"]) for one in results.json(file)["rows"]]
    place = places.index((name, agents))
    return results.at(file, "rows", place, "share_of_limit"), results.at(file, "rows", place, "share_of_peak")


def _k(known: Known) -> Shown:
    return Shown(_short(known.value), known.file)


def _range(known: Known) -> Shown:
    return Shown(f"{_short(known.low)}–{_short(known.high)}", known.file)


def _short(number: float) -> str:
    """`57.1M`, `470k`, `8.7k`, `644`."""
    if number >= 1e6:
        return f"{number / 1e6:.1f}M"
    if number >= 1e4:
        return f"{number / 1e3:.0f}k"
    return f"{number / 1e3:.1f}k" if number >= 1e3 else f"{number:.0f}"
