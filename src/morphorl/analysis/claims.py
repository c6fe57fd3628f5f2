"""The post's claims as rules that were fixed before the run (docs/claims.md), and the verdicts they give.

Two terms carry every rule. Effects are in units of what plain PPO learns, its score less that of its untrained network.
An effect is *much* if it is at least MARGIN and surely above 0: its one-sided p-value, adjusted for the number of
comparisons by Holm's method, is at most LEVEL. It is *not much* if the upper end of its 95% interval lies below MARGIN.

Each rule gives a wrong "supported" (where there is no effect) and a wrong "contradicted" (where there is one of MARGIN
or more) in at most LEVEL of all studies; `benchmarks/verdicts.py` simulates how often they really do.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from morphorl.analysis import dispersion
from morphorl.analysis.bootstrap import Effect, EvidenceError, Resampled, combine, holm, resample
from morphorl.analysis.paired_arms import Arm, Evidence, gather, learned
from morphorl.config.files import finite_or_none

MARGIN, LEVEL = 0.2, 0.025
FULL, PARTIAL = "CartPole-v1", "StatelessCartPole-v1"

CLAIMS = {
    "C1 (plain PPO)": ("Higher γ learns much faster at first than plain PPO.", FULL),
    "C1 (γ = 0)": ("Higher γ learns much faster at first than the same system without guidance.", FULL),
    "C1 (zero readout)": ("Higher γ learns much faster at first than a readout of zeros.", FULL),
    "C2a": ("The baseline and low γ learn at a similar rate.", PARTIAL),
    "C2b": ("Strong guidance is unstable.", PARTIAL),
    "C2b (CartPole)": ("Strong guidance is unstable, with everything observed too.", FULL),
}
"""Each claim in a sentence, and the environment that it is judged in."""

Answer = Literal["supported", "contradicted", "undecided", "not testable"]
ANSWERS: tuple[Answer, ...] = ("supported", "contradicted", "undecided", "not testable")


class Verdict(NamedTuple):
    """What a claim's rule says about the data; the effect is the one that decided, with its 95% interval.

    `n` counts the seeds, common to all arms of the comparison. Without an answer to give, the numbers are NaN, the
    verdict is undecided, and the reason says why.
    """

    claim: str
    """One of `CLAIMS`."""
    metric: str
    effect: float
    low: float
    high: float
    n: int
    verdict: Answer
    reason: str


class Arms(NamedTuple):
    """The labels of the arms that the rules compare."""

    plain: str
    """Plain PPO."""
    zero: str
    """A readout of zeros, blended as the system's is: it shares the scaling of the logits and nothing else."""
    guided: dict[str, float]
    """γ by label, of arms that differ in γ alone; γ = 0 is among them."""
    control: str | None = None
    """The positive control: an arm that is unstable by construction."""


class Named(NamedTuple):
    """An effect and the words for what is compared."""

    words: str
    effect: Effect


def judge(scores: pl.DataFrame, arms: Arms) -> list[Verdict]:
    """The verdict on each claim, from the scores of one preset (`scores.table`)."""
    rivals = {"C1 (plain PPO)": arms.plain, "C1 (γ = 0)": _first_unguided(arms), "C1 (zero readout)": arms.zero}
    if arms.zero == arms.plain:  # zeros that are added change nothing
        del rivals["C1 (zero readout)"]
    rules: dict[str, tuple[str, Callable[[Evidence], Verdict]]] = {
        claim: ("early return", partial(faster_at_first, arms=arms, rival=rival, claim=claim))
        for claim, rival in rivals.items()
    }
    rules["C2a"] = ("mean return", partial(similar_rate, arms=arms))
    rules |= {claim: ("instability", partial(unstable, arms=arms, claim=claim)) for claim in ("C2b", "C2b (CartPole)")}
    return [_answer(claim, metric, rule, scores, arms) for claim, (metric, rule) in rules.items()]


def faster_at_first(evidence: Evidence, arms: Arms, rival: str, claim: str) -> Verdict:
    """C1: on CartPole-v1, higher γ learns much faster at first than one baseline.

    Supported if some γ > 0 leads the baseline by much and early return rises with γ; contradicted if no γ leads by
    much.

    Args:
        rival: the baseline's label.
        claim: the claim's name, which says against what.

    Raises:
        EvidenceError: as `gather`, and if plain PPO learns nothing early.
    """
    strengths = _guided(arms)
    scores = {label: resample(arm.early) for label, arm in evidence.arms.items()}
    gain = learned(evidence.arms[arms.plain], "early", arms.plain)
    leads = [Named(f"{label} against {rival}", _lead(scores[label], scores[rival], gain)) for label in strengths]
    trend = _trend([scores[label] for label in (_unguided(arms), *strengths)], gain)
    much = clearly_large([lead.effect for lead in leads])
    best = _best(leads, much)
    label = strengths[[lead.words for lead in leads].index(best.words)]
    more = f"trend from γ = 0 to the strongest: {_percent(trend)}; {_greedily(evidence, label, rival)}"
    if any(much) and trend.low > 0:
        answer = "supported"
    else:
        answer = "contradicted" if all(lead.effect.high < MARGIN for lead in leads) else "undecided"
    return _verdict(claim, "early return", best, answer, more, evidence)


def similar_rate(evidence: Evidence, arms: Arms) -> Verdict:
    """C2a: on StatelessCartPole-v1, the baseline and low γ learn at a similar rate.

    Low are the weaker half of all γ > 0. Supported if each of their intervals lies within ±MARGIN (a test of
    equivalence), and the difference of the positive control is seen; contradicted if one of them is much better
    or much worse than plain PPO.

    Raises:
        EvidenceError: as `faster_at_first`.
    """
    low = _guided(arms)[: max(1, len(_guided(arms)) // 2)]
    plain = evidence.arms[arms.plain]
    gain = learned(plain, "mean", arms.plain)
    reference = resample(plain.mean)

    def against_plain(label: str) -> Named:
        return Named(f"{label} against {arms.plain}", _lead(resample(evidence.arms[label].mean), reference, gain))

    leads = [against_plain(label) for label in low]
    much = clearly_large([lead.effect for lead in leads], both_sides=True)
    known = [against_plain(arms.control)] if arms.control else []
    if all(lead.effect.low > -MARGIN and lead.effect.high < MARGIN for lead in leads):
        seen = any(clearly_large([lead.effect for lead in known], both_sides=True))
        answer: Answer = "supported" if seen else "not testable"
    else:
        answer = "contradicted" if any(much) else "undecided"
    furthest = max(leads, key=lambda lead: abs(lead.effect.value))
    more = f"similar is within ±{MARGIN:.0%}; {_control(known[0] if known else None)}"
    return _verdict("C2a", "mean return", furthest, answer, more, evidence)


def unstable(evidence: Evidence, arms: Arms, claim: str = "C2b") -> Verdict:
    """C2b: strong guidance is unstable.

    Strong are the stronger half of all γ > 0, each against γ = 0, which shares all but the guidance. Instability has
    two measures: how far apart the seeds' final returns lie, and how far a seed falls from its best tenth to the end.
    Supported if one of them is larger by much for one of the γs. Contradicted if none is, and the positive control's
    instability was seen by the same measures; without one that was seen, "none is" says nothing, and the claim is not
    testable here.

    Raises:
        EvidenceError: as `faster_at_first`.
    """
    strong = _guided(arms)[len(_guided(arms)) // 2 :]
    # The scale is a constant here: its own uncertainty is small beside that of a spread.
    gain = learned(evidence.arms[arms.plain], "final", arms.plain).value
    excesses = [one for label in strong for one in _excesses(evidence, label, _unguided(arms), gain)]
    much = clearly_large([excess.effect for excess in excesses])
    known = [] if arms.control is None else _excesses(evidence, arms.control, arms.plain, gain)
    seen = clearly_large([excess.effect for excess in known])
    if any(much):
        answer: Answer = "supported"
    elif all(excess.effect.high < MARGIN for excess in excesses):
        answer = "contradicted" if any(seen) else "not testable"
    else:
        answer = "undecided"
    more = _control(_best(known, seen) if known else None)
    return _verdict(claim, "instability", _best(excesses, much), answer, more, evidence)


def shares(verdicts: Sequence[Verdict]) -> dict[str, dict[str, float]]:
    """For a multiverse: the share of readings under each verdict, for each claim."""
    claims = dict.fromkeys(verdict.claim for verdict in verdicts)
    counts = {claim: Counter(v.verdict for v in verdicts if v.claim == claim) for claim in claims}
    return {claim: {a: count[a] / count.total() for a in ANSWERS} for claim, count in counts.items()}


def to_plain(verdicts: Sequence[Verdict]) -> dict:
    """What `verdicts.json` holds: the rules' constants and the verdicts, null for what is not a finite number."""
    rows = [verdict._asdict() for verdict in verdicts]
    return {"rules": "docs/claims.md", "margin": MARGIN, "level": LEVEL, "verdicts": finite_or_none(rows)}


def _answer(claim: str, metric: str, rule: Callable[[Evidence], Verdict], scores: pl.DataFrame, arms: Arms) -> Verdict:
    """What a rule says of the arms in the claim's environment, or why there is no verdict."""
    control = [] if arms.control is None else [arms.control]
    try:
        labels = [arms.plain, arms.zero, _unguided(arms), *_guided(arms), *control]
        return rule(gather(scores, CLAIMS[claim][1], labels))
    except EvidenceError as error:
        unknown = float("nan")
        return Verdict(claim, metric, unknown, unknown, unknown, 0, "undecided", f"No verdict: {error}")


def _excesses(evidence: Evidence, label: str, calm: str, gain: float) -> list[Named]:
    """By how much an arm is less stable than another, by both measures, in units of what plain PPO learns."""
    measures: dict[str, Callable[[Arm], dispersion.LeftOut]] = {
        "spread across seeds": lambda arm: dispersion.mean_distance(arm.final / gain),
        "fall from the best to the end": lambda arm: dispersion.mean((arm.peak - arm.final) / gain),
    }
    return [
        Named(
            f"{words}, {label} against {calm}",
            dispersion.paired_difference(measure(evidence.arms[label]), measure(evidence.arms[calm])),
        )
        for words, measure in measures.items()
    ]


def _control(seen: Named | None) -> str:
    if seen is None:
        return "no positive control, so that nothing says whether an effect would be seen"
    return f"positive control: {seen.words}: {_percent(seen.effect)}"


def _greedily(evidence: Evidence, label: str, rival: str) -> str:
    """The same lead without the chance of sampling: what a shrinking of the logits does to returns is not in it."""
    arms = [evidence.arms[name].greedy_early for name in (label, rival)]
    if not np.isfinite(np.stack(arms)).all():
        return "greedy early return was not measured"
    effect = combine(lambda a, b: a - b, *map(resample, arms))
    return f"greedily {effect.value:+.1f} of return ({effect.low:+.1f} to {effect.high:+.1f})"


def clearly_large(effects: list[Effect], *, both_sides: bool = False) -> list[bool]:
    """Which effects are at least MARGIN (or at most −MARGIN) and surely on that side of 0, among all of them."""
    sizes = [abs(effect.value) if both_sides else effect.value for effect in effects]
    sides = [effect.p if both_sides else effect.p / 2 if effect.value > 0 else 1.0 for effect in effects]
    return [bool(size >= MARGIN and p <= LEVEL) for size, p in zip(sizes, holm(np.array(sides)), strict=True)]


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


def _guided(arms: Arms) -> list[str]:
    """The labels of γ > 0, from weak to strong."""
    guided = sorted((label for label, strength in arms.guided.items() if strength > 0), key=arms.guided.__getitem__)
    if not guided:
        raise EvidenceError("no arm has γ > 0: there is no guidance to judge.")
    return guided


def _unguided(arms: Arms) -> str:
    label = _first_unguided(arms)
    if not label:
        raise EvidenceError("no arm has γ = 0: guidance has nothing to be compared with.")
    return label


def _first_unguided(arms: Arms) -> str:
    return next((label for label, strength in arms.guided.items() if strength == 0), "")


def _percent(effect: Effect) -> str:
    return f"{effect.value:+.0%} ({effect.low:+.0%} to {effect.high:+.0%})"


def _verdict(claim: str, metric: str, decisive: Named, answer: Answer, more: str, evidence: Evidence) -> Verdict:
    effect = decisive.effect
    sentences = [f"{decisive.words}: {_percent(effect)} of what plain PPO learns", more, *evidence.notes]
    reason = "; ".join(sentence for sentence in sentences if sentence) + "."
    return Verdict(claim, metric, effect.value, effect.low, effect.high, evidence.n, answer, reason)
