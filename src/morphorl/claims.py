"""The post's claims as rules that were fixed before the run (docs/claims.md), and the verdicts they give.

Two terms carry every rule. Effects are in units of what plain PPO learns, its score less that of its untrained network.
An effect is *much* if it is at least MARGIN and its p-value, adjusted for the number of comparisons, at most LEVEL. It
is *not much* if its 95% interval ends below MARGIN.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from morphorl import spread, stats
from morphorl.evidence import Arm, Evidence, gather
from morphorl.intervals import Effect, EvidenceError, Resampled, benjamini_hochberg, combine, resample

MARGIN, LEVEL = 0.2, 0.05
LEAST_GAIN = 0.5
"""Plain PPO must add this share of its untrained return, or there is no learning to measure effects by."""

Answer = Literal["supported", "contradicted", "undecided"]


class Verdict(NamedTuple):
    """What a claim's rule says about the data; the effect is the one that decided, with its 95% interval.

    `n` counts the seeds, common to all arms of the comparison. Without an answer to give, the numbers are NaN, the
    verdict is undecided, and the reason says why.
    """

    claim: str
    metric: str
    effect: float
    low: float
    high: float
    n: int
    verdict: Answer
    reason: str


class Arms(NamedTuple):
    """The labels of the arms that the rules compare: plain PPO, the scale-matched zero readout, and γ by label."""

    plain: str
    zero: str
    guided: dict[str, float]


class Named(NamedTuple):
    """An effect and the words for what is compared."""

    words: str
    effect: Effect


def judge(curves: pl.DataFrame, arms: Arms) -> list[Verdict]:
    """The verdict on each claim, from the curves of one preset (as `Store.curves` returns them)."""
    return [
        _answer("C1", "early return", lambda: faster_at_first(gather(curves, "CartPole-v1", _labels(arms)), arms)),
        _answer(
            "C2a", "mean return", lambda: similar_rate(gather(curves, "StatelessCartPole-v1", _labels(arms)), arms)
        ),
        _answer("C2b", "instability", lambda: unstable(gather(curves, "StatelessCartPole-v1", _labels(arms)), arms)),
    ]


def faster_at_first(evidence: Evidence, arms: Arms) -> Verdict:
    """C1: on CartPole-v1, higher γ learns much faster at first than the baseline.

    For each γ > 0, its lead is the smallest of those over plain PPO, over γ = 0 and over the zero readout: who has to
    beat all three must beat the nearest. Supported if some γ leads by much and the trend over γ is upwards;
    contradicted if no γ leads by much, or if the trend is downwards.

    Raises:
        EvidenceError: as `gather`, and if plain PPO learns nothing early.
    """
    strengths = _guided(arms)
    scores = {label: resample(stats.early(arm.returns)) for label, arm in evidence.arms.items()}
    gain = _gain(evidence.arms[arms.plain], stats.early, arms.plain)
    rivals = [arms.plain, arms.zero, _unguided(arms)]
    leads = [
        _nearest([Named(f"{label} against {rival}", _lead(scores[label], scores[rival], gain)) for rival in rivals])
        for label in strengths
    ]
    trend = _trend([scores[label] for label in (_unguided(arms), *strengths)], gain)
    much = _much([lead.effect for lead in leads])
    best = _best(leads, much)
    direction = f"from the weakest to the strongest γ: {_percent(trend)}"
    if any(much) and trend.low > 0:
        answer = "supported"
    elif all(lead.effect.high < MARGIN for lead in leads) or trend.high < 0:
        answer = "contradicted"
    else:
        answer = "undecided"
    return _verdict("C1", "early return", best, answer, f"trend {direction}", evidence)


def similar_rate(evidence: Evidence, arms: Arms) -> Verdict:
    """C2a: on StatelessCartPole-v1, the baseline and low γ learn at a similar rate.

    Low are the weaker half of all γ > 0. Supported if each of their intervals lies within ±MARGIN (a test of
    equivalence); contradicted if one of them is much better or much worse than plain PPO.

    Raises:
        EvidenceError: as `faster_at_first`.
    """
    low = _guided(arms)[: max(1, len(_guided(arms)) // 2)]
    plain = evidence.arms[arms.plain]
    gain = _gain(plain, _whole, arms.plain)
    reference = resample(_whole(plain.returns))
    leads = [
        Named(f"{label} against {arms.plain}", _lead(resample(_whole(evidence.arms[label].returns)), reference, gain))
        for label in low
    ]
    much = _much([lead.effect for lead in leads], both_sides=True)
    if all(lead.effect.low > -MARGIN and lead.effect.high < MARGIN for lead in leads):
        answer = "supported"
    else:
        answer = "contradicted" if any(much) else "undecided"
    furthest = max(leads, key=lambda lead: abs(lead.effect.value))
    return _verdict("C2a", "mean return", furthest, answer, f"similar is within ±{MARGIN:.0%}", evidence)


def unstable(evidence: Evidence, arms: Arms) -> Verdict:
    """C2b: on StatelessCartPole-v1, strong guidance is unstable.

    Strong are the stronger half of all γ > 0, each against γ = 0, which shares all but the guidance. Instability has
    two measures: how far apart the seeds' final returns lie, and how far a seed falls from its best tenth to the end.
    Supported if one of them is larger by much for one of the γs; contradicted if none is.

    Raises:
        EvidenceError: as `faster_at_first`.
    """
    strong = _guided(arms)[len(_guided(arms)) // 2 :]
    calm = evidence.arms[_unguided(arms)]
    # The scale is a constant here: its own uncertainty is small beside that of a spread.
    gain = _gain(evidence.arms[arms.plain], stats.final, arms.plain).value
    measures: dict[str, Callable[[Arm], spread.LeftOut]] = {
        "spread across seeds": lambda arm: spread.mean_distance(stats.final(arm.returns) / gain),
        "fall from the best to the end": lambda arm: spread.mean(
            (stats.peak(arm.returns) - stats.final(arm.returns)) / gain
        ),
    }
    excesses = [
        Named(
            f"{name}, {label} against {_unguided(arms)}",
            spread.paired_difference(measure(evidence.arms[label]), measure(calm)),
        )
        for name, measure in measures.items()
        for label in strong
    ]
    much = _much([excess.effect for excess in excesses])
    if any(much):
        answer = "supported"
    else:
        answer = "contradicted" if all(excess.effect.high < MARGIN for excess in excesses) else "undecided"
    return _verdict("C2b", "instability", _best(excesses, much), answer, "", evidence)


def shares(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    """For a multiverse: the share of readings under each verdict, for each claim."""
    answers = ("supported", "contradicted", "undecided")
    claims = dict.fromkeys(verdict.claim for verdict in verdicts)
    counts = {claim: Counter(v.verdict for v in verdicts if v.claim == claim) for claim in claims}
    return {claim: {a: count[a] / count.total() for a in answers} for claim, count in counts.items()}


def to_plain(verdicts: Sequence[Verdict]) -> dict:
    """What `verdicts.json` holds: the rules' constants and the verdicts, null for what is not a finite number."""
    rows = [verdict._asdict() for verdict in verdicts]
    finite = [{k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()} for row in rows]
    return {"rules": "docs/claims.md", "margin": MARGIN, "level": LEVEL, "verdicts": finite}


def _answer(claim: str, metric: str, rule: Callable[[], Verdict]) -> Verdict:
    try:
        return rule()
    except EvidenceError as error:
        unknown = float("nan")
        return Verdict(claim, metric, unknown, unknown, unknown, 0, "undecided", f"No verdict: {error}")


def _much(effects: list[Effect], *, both_sides: bool = False) -> list[bool]:
    """Which effects are at least MARGIN (or at most −MARGIN) and remain significant among all of them."""
    adjusted = benjamini_hochberg(np.array([effect.p for effect in effects]))
    sizes = [abs(effect.value) if both_sides else effect.value for effect in effects]
    return [bool(size >= MARGIN and p <= LEVEL) for size, p in zip(sizes, adjusted, strict=True)]


def _nearest(leads: list[Named]) -> Named:
    """The lead over the nearest rival, with what holds for the leads over all of them.

    To be above 0 against every rival asks for the largest p-value and no correction (Berger, 1982), and to fall short
    against any needs one upper end below the margin. A lead that is behind has no evidence for being ahead.
    """
    nearest = min(leads, key=lambda lead: lead.effect.value)
    effects = [lead.effect for lead in leads]
    p = max(effect.p if effect.value > 0 else 1.0 for effect in effects)
    low, high = min(effect.low for effect in effects), min(effect.high for effect in effects)
    return Named(nearest.words, nearest.effect._replace(low=low, high=high, p=p))


def _best(effects: list[Named], much: list[bool]) -> Named:
    """The largest effect; one that is much before one that is not."""
    return max(zip(effects, much, strict=True), key=lambda pair: (pair[1], pair[0].effect.value))[0]


def _lead(x: Resampled, reference: Resampled, gain: Resampled) -> Effect:
    return combine(lambda a, b, scale: (a - b) / scale, x, reference, gain)


def _trend(scores: list[Resampled], gain: Resampled) -> Effect:
    """The rise from the first arm to the last, along the straight line through all of them by rank."""
    ranks = np.arange(len(scores)) - (len(scores) - 1) / 2
    weights = ranks * (len(scores) - 1) / np.sum(ranks**2)
    return combine(lambda scale, *arms: sum(w * a for w, a in zip(weights, arms, strict=True)) / scale, gain, *scores)


def _gain(plain: Arm, score: Callable, label: str) -> Resampled:
    """What plain PPO learns: its score less its untrained return.

    Raises:
        EvidenceError: if it is less than LEAST_GAIN of the untrained return in more than 2.5% of the resamples. On a
            smaller scale, differences between untrained networks would look like large effects.
    """
    trained, untrained = resample(score(plain.returns)), resample(plain.untrained)
    gain = Resampled(trained.value - untrained.value, trained.replicates - untrained.replicates, trained.n)
    enough = gain.replicates > LEAST_GAIN * np.abs(untrained.replicates)
    if np.mean(enough) < 0.975:
        raise EvidenceError(
            f"{label} learns too little to measure by ({trained.value:.1f} after {untrained.value:.1f} untrained). "
            "Train for more steps."
        )
    return gain


def _whole(returns: np.ndarray) -> np.ndarray:
    """The mean over all steps: the area under the curve."""
    return returns.mean(axis=1)


def _guided(arms: Arms) -> list[str]:
    """The labels of γ > 0, from weak to strong."""
    guided = sorted((label for label, strength in arms.guided.items() if strength > 0), key=arms.guided.__getitem__)
    if not guided:
        raise EvidenceError("no arm has γ > 0: there is no guidance to judge.")
    return guided


def _unguided(arms: Arms) -> str:
    unguided = [label for label, strength in arms.guided.items() if strength == 0]
    if not unguided:
        raise EvidenceError("no arm has γ = 0: guidance has nothing to be compared with.")
    return unguided[0]


def _labels(arms: Arms) -> list[str]:
    return [arms.plain, arms.zero, _unguided(arms), *_guided(arms)]


def _percent(effect: Effect) -> str:
    return f"{effect.value:+.0%} ({effect.low:+.0%} to {effect.high:+.0%})"


def _verdict(claim: str, metric: str, decisive: Named, answer: Answer, more: str, evidence: Evidence) -> Verdict:
    effect = decisive.effect
    sentences = [f"{decisive.words}: {_percent(effect)} of what plain PPO learns", more, *evidence.notes]
    reason = "; ".join(sentence for sentence in sentences if sentence) + "."
    return Verdict(claim, metric, effect.value, effect.low, effect.high, evidence.n, answer, reason)
