"""The numbers of docs/scale.md."""

from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, decimal, percent, whole

SIMULATED, PARTS, SPEED = "scaling/simulated.json", "scaling/parts.json", "speed/speed.json"
LIMITS = {"start of workers": "start"}
"""What the sweep's table calls some of what limits."""


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield from measured(results)
    yield from clusters(results)
    yield sweep(results)
    yield from limits(results)


def measured(results: Results) -> Iterator[Phrase]:
    """What the simulation rests on."""
    rows = {one["name"]: i for i, one in enumerate(results.json(SPEED)["rows"])}
    starts = [1 / results.at(SPEED, "rows", rows[f"first result, {how}"], "rate").value for how in ("cold", "warm")]
    yield Phrase(
        "with an empty cache of programs ({} s) and a filled one ({} s)",
        *(decimal.value(Known(seconds, seconds, seconds, SPEED)) for seconds in starts),
    )

    def of(name: str, unit: float) -> Known:
        return results.at(PARTS, "batches", 0, name).times(unit)

    yield Phrase(
        "for a batch of 32, {} MB on the network, {} kB on disk",
        *(decimal.value(one) for one in (of("result_bytes", 1e-6), of("shard_bytes", 1e-3))),
    )
    yield Phrase(
        "{} ms of the driver's processor to write a shard, {} ms of the clock for its two flushes, {} ms to unpickle",
        *(whole.value(of(name, 1e3)) for name in ("store_seconds", "flush_seconds", "receive_seconds")),
    )


def clusters(results: Results) -> Iterator[Phrase]:
    """The table of clusters; labels stand in it more than once, so its rows are phrases."""
    for i, one in enumerate(results.json(SIMULATED)["rows"]):
        outcome, memory = one["outcome"], one["memory"]
        label = "{machines} × {cores}, {engine}, {size} | {kernel}".format_map(one["cluster"])
        names = ("training", "starting", "waiting", "nothing_left", "driver")
        shares = [percent.value(results.at(SIMULATED, "rows", i, "outcome", name)) for name in names]
        sizes = [
            Shown(f"{memory[name] / 1e9:.2g}", SIMULATED)
            for name in ("workers_of_a_machine", "driver", "table_at_the_end", "store")
        ]
        wall = Shown(f"{outcome['wall']:,.0f}", SIMULATED)
        rate = Shown(f"{one['steps_per_second'] / 1e6:.3g}M", SIMULATED)
        yield Phrase(
            f"| {label} | {{}} s | {{}} |{' {} |' * 5}{' {} |' * 4} {one['limit']} |", wall, rate, *shares, *sizes
        )


def sweep(results: Results) -> Table:
    """Wall time, and what limits, of more machines."""
    rows: dict[str, list[Shown | None]] = {}
    for one in sorted(results.json(SIMULATED)["sweep"], key=lambda one: (one["agents"], one["cluster"]["size"])):
        told = f"{one['outcome']['wall']:,.0f} s, {LIMITS.get(one['limit'], one['limit'])}"
        rows.setdefault(f"{one['cluster']['machines']:,}", []).append(Shown(told, SIMULATED))
    shown = ("1", "10", "20", "50", "100", "200", "500", "1,000")
    return Table("| machines | 10⁵ agents, batches of 32 |", {machines: rows[machines] for machines in shown})


def limits(results: Results) -> Iterator[Phrase]:
    """From where on the driver limits, and what was compared with a measurement."""
    found = results.json(SIMULATED)["driver_limits"]
    numbers = [
        whole.value(results.at(SIMULATED, "driver_limits", i, name)) for i in range(len(found)) for name in NAMES
    ]
    parts = [f"{{}} machines on with batches of {one['runs']} ({{}} a second)" for one in found]
    yield Phrase(f"one driver is the limit from {', '.join(parts)}", *numbers)
    simulated, took = (
        whole.value(results.at(SIMULATED, "checks", f"1,024 agents, seconds{of}")) for of in ("", " measured")
    )
    yield Phrase("{} s simulated, [{} s measured]", simulated, took)
    here, there = (results.at(SIMULATED, "checks", f"448 agents, driver seconds{of}") for of in ("", " measured"))
    two = [Shown(f"{one.value:.2f}", SIMULATED) for one in (here, there)]
    yield Phrase("take it {} s here; {} s were measured", *two)


NAMES = ("machines", "batches_per_second")
"""What is told of a driver's limit."""
