"""The numbers of docs/readings.md."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import numpy as np
from places import Phrase, Table
from result_files import Results
from styles import Known, Shown, Style, gain, percent, whole

from morphorl.analysis.multiverse.design import correlations
from morphorl.analysis.multiverse.readings import AXES, COUNTS

STANDARD, TUNED = "readings/standard/verdicts.json", "readings/tuned/verdicts.json"
WIDER, KINETICS = "multiverse/multiverse.json", "kinetics/kinetics.json"
CLAIMS = ("C1", "C2a", "C2b")
MUCH = 0.2
EFFECTS = {
    "strongest γ against γ = 0": ("strongest", "unguided"),
    "strongest γ against plain PPO": ("strongest", "plain"),
    "strongest γ against zeros blended alike": ("strongest", "zero"),
    "best γ against plain PPO": ("best", "plain"),
    "best γ against zeros blended alike": ("best", "zero"),
}
gain_finely = Style(1, unit="%", sign=True)
p_value = Style(2, bare=True)
p_finely = Style(3, bare=True)
entry = Style(2, bare=True)
entry_briefly = Style(significant=2, bare=True)


class Judged(NamedTuple):
    """A claim's verdict under one reading."""

    reading: Mapping[str, str]
    effect: float
    high: float
    verdict: str


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield from shares(results)
    yield from findings(results)
    yield from alike(results)
    yield from wider(results)
    yield from leads(results)
    yield from axes(results)
    yield from kinetics(results)


def shares(results: Results) -> Iterator[Phrase | Table]:
    """The shares of the 48 readings."""

    def of(file: str, claim: str) -> list[Shown]:
        found = [results.at(file, "shares", claim, answer) for answer in ("supported", "contradicted", "undecided")]
        return [percent.value(one) for one in found]

    yield Phrase("higher γ learns much faster at first | {} | {} | {} |", *of(STANDARD, "C1"))
    yield Phrase("low γ learn at a similar rate | {} | {} | {} |", *of(STANDARD, "C2a"))
    yield Phrase("strong guidance is unstable there | {} | {} | {} |", *of(STANDARD, "C2b"))
    yield Phrase("| **tuned** | C1 | {} | {} | {} |", *of(TUNED, "C1"))
    yield from (Phrase(f"| | {claim} | {{}} | {{}} | {{}} |", *of(TUNED, claim)) for claim in ("C2a", "C2b"))


def findings(results: Results) -> Iterator[Phrase]:
    """The sentences below the shares."""
    first = judged(results, STANDARD, "C1")
    left, tuned_left = (
        [one for one in judged(results, file, "C1") if one.verdict == "undecided"] for file in (STANDARD, TUNED)
    )
    ends = [_shown(gain, choose(one.high for one in tuned_left), TUNED) for choose in (min, max)]
    open_share = percent.value(results.at(TUNED, "shares", "C1", "undecided"))
    yield Phrase("it stays open for {} of them**, with upper ends between {} and {}.", open_share, *ends)
    most = _shown(gain, max(one.high for one in left), STANDARD)
    yield Phrase("Under `standard` C1 stays open for {} of 48 (up to {})", _count(len(left), STANDARD), most)
    worst, best = (_shown(percent, abs(choose(one.effect for one in first)), STANDARD) for choose in (min, max))
    yield Phrase("between {} behind and {} ahead of its nearest rival", worst, best)
    costs = _costs([one for one in first if one.reading["blend.kind"] == "average"])
    yield Phrase("which shrinks the logits, costs {}. Adding", costs)
    low = judged(results, STANDARD, "C2a")
    yield Phrase("(low γ is {} behind)", _costs([one for one in low if one.reading["blend.kind"] == "average"]))
    adding = [one.verdict for one in low if one.reading["blend.kind"] == "add"]
    holds = _count(adding.count("supported"), STANDARD)
    yield Phrase("It holds for {} of {} adding ones", holds, _count(len(adding), STANDARD))
    unstable = [one.effect for one in judged(results, STANDARD, "C2b") if one.verdict == "supported"]
    least, largest = (_shown(whole, 100 * choose(unstable), STANDARD).text for choose in (min, max))
    yield Phrase("their seeds end further apart (by {})", Shown(f"{least} to {largest}%", STANDARD))


def alike(results: Results) -> Iterator[Phrase]:
    """How different the 48 are."""
    first = judged(results, STANDARD, "C1")
    pairs: dict[tuple[str, ...], list[Judged]] = {}
    for one in first:
        pairs.setdefault(tuple(value for name, value in one.reading.items() if name != "dynamics.bound"), []).append(
            one
        )
    apart = [abs(one.effect - other.effect) for one, other in pairs.values()]
    counts = [apart.count(0), len(pairs), sum(distance < 0.01 for distance in apart)]
    same = sum(one.verdict == other.verdict for one, other in pairs.values())
    yield Phrase(
        "{} of the {} pairs that differ in it alone have the very same effect. {} differ by less than 1%, and all {}",
        *(_count(count, STANDARD) for count in (*counts, same)),
    )
    explained = {
        axis: _shown(Style(1, unit="%"), _explained(first, axis), STANDARD)
        for axis in ("dynamics.bound", "dynamics.coupling", "dynamics.initial")
    }
    yield Phrase("It explains {} of the variance of the effect over readings", explained["dynamics.bound"])
    yield Phrase("**Coupling** explains {}.", explained["dynamics.coupling"])
    yield Phrase("**Initial state.** It explains {}.", explained["dynamics.initial"])
    yield Phrase("**Blend** explains {}.", _shown(percent, _explained(first, "blend.kind"), STANDARD))
    positive = [one for one in first if one.reading["dynamics.initial"] == "positive"]
    average, add = (
        [one.effect for one in positive if one.reading["blend.kind"] == blend] for blend in ("average", "add")
    )

    def ends(effects: Sequence[float]) -> list[Shown]:
        return [_shown(gain_finely, choose(effects), STANDARD) for choose in (min, max)]

    spans = [_shown(percent, max(effects) - min(effects), STANDARD) for effects in (average, add)]
    yield Phrase("The {} positive readings start", _count(len(positive), STANDARD))
    yield Phrase(
        "averaging their effects span {} of what plain PPO learns ({} to {}). With adding they span {} ({} to {})",
        *(spans[0], *ends(average), spans[1], *ends(add)),
    )


def wider(results: Results) -> Iterator[Phrase | Table]:
    """Every reading's effects in the wider multiverse."""
    yield Phrase("between contrasts of two axes is {}.", _shown(entry, _correlation(results), WIDER))
    scores = results.scores("multiverse")
    assert scores["diverged_at"].null_count() == len(scores), "the page says that none diverged"
    yield Phrase("{} runs, none diverged. Effects", Shown(f"{len(scores):,}", "multiverse/scores.parquet"))

    def row(choice: str, rival: str) -> list[Shown]:
        def of(name: str) -> Known:
            return results.at(WIDER, "summaries", choice, rival, name)

        effects = effects_of(results, choice, rival)
        range_ = Shown(f"{gain.value(of('lowest')).text} to {gain.value(of('highest')).text}", WIDER)
        much = sum(one["value"] >= MUCH and one["low"] > 0 for one in effects)
        excluded = sum(one["high"] < MUCH for one in effects)
        return [
            gain.value(of("median")),
            range_,
            whole.value(of("above_0")),
            whole.value(of("below_0")),
            _count(much, WIDER),
            _count(excluded, WIDER),
        ]

    yield Table("| effect, in each of 48 readings |", {label: row(*of) for label, of in EFFECTS.items()})


def leads(results: Results) -> Iterator[Phrase]:
    """What the wider multiverse says of leads."""
    best = effects_of(results, "best", "plain")
    excluded = _count(sum(one["high"] < MUCH for one in best), WIDER)
    yield Phrase("In {} of 48 a lead of 20% is excluded", excluded)
    (left,) = [Known(one["value"], one["low"], one["high"], WIDER) for one in best if one["high"] >= MUCH]
    yield Phrase("left open is under `tuned`: {}.", gain(left))
    own, plain = (effects_of(results, "strongest", rival) for rival in ("unguided", "plain"))
    chosen = [i for i, one in enumerate(own) if one["value"] >= MUCH and one["low"] > 0]
    ends = [_shown(gain, choose(own[i]["value"] for i in chosen), WIDER) for choose in (min, max)]
    yield Phrase("in {} readings by {} to {}. In each", _count(len(chosen), WIDER), *ends)
    behind = [own[i]["value"] - plain[i]["value"] for i in chosen]
    yield Phrase(
        "is behind plain PPO by {} to {}. Guidance",
        *(_shown(percent, choose(behind), WIDER) for choose in (min, max)),
    )
    rates = results.at(WIDER, "regressions", "strongest", "unguided", "axes", "rates", "levels", "Turing")
    yield Phrase("lower the lead over γ = 0, {} from the mean", gain(rates))


def axes(results: Results) -> Iterator[Phrase]:
    """Which axes stand out."""

    def at(rival: str, axis: str, *path: str) -> Known:
        return results.at(WIDER, "regressions", "strongest", rival, "axes", axis, *path)

    def told(rival: str, axis: str, style: Style) -> list[Shown]:
        return [percent.value(at(rival, axis, "share")), style.value(at(rival, axis, "p_adjusted"))]

    with_it, without = (at("plain", "drive", "levels", level) for level in ("0.3", "0"))
    yield Phrase(
        "It explains {} of the variance (adjusted p = {}). Readings with it lie {} from the mean, those without it {}.",
        *(*told("plain", "drive", p_value), gain(with_it), gain.value(without)),
    )
    zero = (*told("zero", "blend", p_finely), *told("zero", "drive", p_finely), *told("zero", "initial", p_value))
    yield Phrase("the blend explains {} (p = {}), the drive {} ({}), the initial state {} ({})", *zero)
    yield Phrase("(the largest, drive: {}, p = {})", *told("unguided", "drive", p_value))
    patterns = percent(at("plain", "rates", "levels", "Turing").behind())
    p = p_value.value(at("plain", "rates", "p_adjusted"))
    yield Phrase("at which patterns form lie {} below the mean (p = {})", patterns, p)
    added = percent(at("plain", "blend", "levels", "add 1").behind())
    yield Phrase(
        "Those with β = 1 lie {} below it (all blends together: p = {})",
        added,
        p_value.value(at("plain", "blend", "p_adjusted")),
    )


def kinetics(results: Results) -> Iterator[Phrase | Table]:
    """Where entries end."""
    ends = results.json(KINETICS)["ends"]
    place = {f"{one['strength']:g}": i for i, one in enumerate(ends) if one["steps"] == 200}

    def entries(strength: str, sign: str) -> Known:
        found = ends[place[strength]][sign]
        return Known(found["median"], found["low"], found["high"], KINETICS)

    def row(strength: str) -> list[Shown | None]:
        positive = entry_briefly if strength == "0.3" else entry
        names = ("share_positive", "at_bound", "same_rows")
        rest = [percent.value(results.at(KINETICS, "ends", place[strength], name)) for name in names]
        negative = entries(strength, "negative")
        return [positive(entries(strength, "positive")), _small(negative), *rest]

    yield Table("| γ | positive entries |", {strength: row(strength) for strength in place})
    middle = [entry.value(entries(strength, "positive")) for strength in ("0.01", "0.05", "0.1")]
    yield Phrase("production, decay and guidance balance: {}, {} and {}, as", *middle)
    yield Phrase("not uniform shrink to {} a step", entry.value(results.at(KINETICS, "growth", 0, "fastest")))


def judged(results: Results, file: str, claim: str) -> list[Judged]:
    """The verdicts of one claim under all readings."""
    names = Judged._fields
    found = [one for one in results.json(file)["verdicts"] if one["claim"] == claim]
    return [Judged(*(one[name] for name in names)) for one in found]


def effects_of(results: Results, choice: str, rival: str) -> list[dict[str, float]]:
    """One effect, with its interval, in each reading of the wider multiverse."""
    return [one["effects"][choice][rival] for one in results.json(WIDER)["readings"]]


def _explained(found: Sequence[Judged], axis: str) -> float:
    """The share of the variance of the effect that lies between the levels of an axis."""
    effects = np.array([one.effect for one in found])
    levels = [one.reading[axis] for one in found]
    means = {level: fmean(one.effect for one in found if one.reading[axis] == level) for level in set(levels)}
    return float(np.var([means[level] for level in levels]) / np.var(effects))


def _correlation(results: Results) -> float:
    """The largest correlation between contrasts of two axes of the design that was run."""
    levels = [one["levels"] for one in results.json(WIDER)["readings"]]
    places = np.array([[list(axis.levels).index(one[axis.name]) for axis in AXES] for one in levels])
    found = correlations(places, list(COUNTS))
    return float(found[~np.eye(len(found), dtype=bool)].max())


def _costs(found: Sequence[Judged]) -> Shown:
    """By how much readings lie behind, in whole percent."""
    behind = [-100 * one.effect for one in found]
    return Shown(f"{min(behind):.0f} to {max(behind):.0f}%", STANDARD)


def _small(known: Known) -> Shown:
    """`−.047 (−.056 to −.029)`: three digits below .1, else two."""

    def one(number: float) -> str:
        style = Style(3 if abs(number) < 0.1 else 2, bare=True)
        return _shown(style, number, KINETICS).text

    value, low, high = map(one, known[:3])
    return Shown(value if value == low == high else f"{value} ({low} to {high})", KINETICS)


def _shown(style: Style, number: float, file: str) -> Shown:
    return style.value(Known(number, number, number, file))


def _count(number: int, file: str) -> Shown:
    return Shown(str(number), file)
