"""How often the rules of docs/claims.md are wrong: simulated studies with an effect that is known.

    uv run python benchmarks/verdicts.py                  # 10,000 studies each, some ten minutes on two cores
    uv run python benchmarks/verdicts.py --studies 500

A study has eight arms on common seeds, as `blind_dynamics` has. In units of what plain PPO learns, scores scatter by
`--deviation` over seeds, half of the variance shared by all arms of a seed. The effect grows evenly with the rank of γ
and ends at 0, at the margin (20%), or at twice as much. C2a looks at the two weaker γs of four, whose effects are a
quarter and a half of that: for it, an effect of the margin is in the rows of twice the margin.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

from morphorl.analysis import bootstrap, claims, paired_arms
from morphorl.analysis.bootstrap import Resampled
from morphorl.analysis.claims import Arms
from morphorl.analysis.paired_arms import Arm, Evidence

UNTRAINED, GAIN = 22.0, 84.0
"""Returns of the untrained network, and what plain PPO learns early under `standard`."""
RESAMPLES = 2_000
"""Of each bootstrap here; verdicts take five times as many, which moves an end by a fiftieth of the width."""
STRENGTHS = (0.0, 0.01, 0.05, 0.1, 0.3)
EFFECTS = {"none": 0.0, "the margin": claims.MARGIN, "twice the margin": 2 * claims.MARGIN}
SHAPES = {
    "normal": lambda generator, size: generator.standard_normal(size),
    "lopsided": lambda generator, size: generator.exponential(size=size) - 1,
}

CONTROL = "positive control"
ARMS = Arms("plain PPO", "zero readout", {f"γ = {strength}": strength for strength in STRENGTHS}, CONTROL)


def main() -> None:
    """Simulate, and print the rates as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, default=64)
    parser.add_argument("--deviation", type=float, default=0.25)
    parser.add_argument("--shape", choices=list(SHAPES), default="normal")
    options = parser.parse_args()
    print(f"{options.studies} studies of {options.seeds} seeds, {options.shape} scores, deviation {options.deviation}")
    print("| claim | effect | supported | contradicted | undecided | not testable |\n|---|---|---|---|---|---|")
    for name, effect in EFFECTS.items():
        rates = simulate(options.studies, options.seeds, options.deviation, options.shape, effect)
        for claim, counts in rates.items():
            shares = " | ".join(f"{100 * counts[answer] / options.studies:.2f}%" for answer in claims.ANSWERS)
            print(f"| {claim} | {name} | {shares} |", flush=True)


def simulate(studies: int, seeds: int, deviation: float, shape: str, effect: float) -> dict[str, Counter]:
    """The number of studies under each verdict, for each claim."""
    told: dict[str, Counter] = {}
    with ProcessPoolExecutor() as pool:
        judged = pool.map(partial(one, seeds, deviation, shape, effect), range(studies), chunksize=50)
        for answers in judged:
            for claim, answer in answers.items():
                told.setdefault(claim, Counter())[answer] += 1
    return told


def one(seeds: int, deviation: float, shape: str, effect: float, number: int) -> dict[str, str]:
    """The verdicts on one simulated study."""
    bootstrap.COMPARISON_RESAMPLES = RESAMPLES
    claims.resample = paired_arms.resample = _once(bootstrap.resample)
    evidence = study(np.random.default_rng([number, round(1000 * effect)]), seeds, deviation, shape, effect)
    judged = {
        f"C1 ({name})": claims.faster_at_first(evidence, ARMS, rival, f"C1 ({name})")
        for name, rival in (("plain PPO", ARMS.plain), ("γ = 0", "γ = 0.0"), ("zero readout", ARMS.zero))
    }
    judged |= {"C2a": claims.similar_rate(evidence, ARMS), "C2b": claims.unstable(evidence, ARMS)}
    return {claim: verdict.verdict for claim, verdict in judged.items()}


def _once(resample: Callable[[np.ndarray], Resampled]) -> Callable[[np.ndarray], Resampled]:
    """`resample` that resamples each of a study's scores once, however many rules ask for it."""
    kept: dict[int, tuple[np.ndarray, Resampled]] = {}

    def ask(scores: np.ndarray) -> Resampled:
        if id(scores) not in kept:
            kept[id(scores)] = scores, resample(scores)  # alive as long as its id is a key
        return kept[id(scores)][1]

    return ask


def study(generator: np.random.Generator, seeds: int, deviation: float, shape: str, effect: float) -> Evidence:
    """Scores of all arms. The effect raises the returns for C1 and C2a, and the scatter of final returns for C2b."""
    draw = partial(SHAPES[shape], generator)
    shared = draw(seeds)
    ranks = {label: i / (len(STRENGTHS) - 1) for i, label in enumerate(ARMS.guided)}
    arms = {}
    for label in (ARMS.plain, ARMS.zero, *ARMS.guided, CONTROL):
        share = 2.0 if label == CONTROL else effect * ranks.get(label, 0.0)
        level = np.sqrt(0.5) * shared + np.sqrt(0.5) * draw(seeds)
        early = UNTRAINED + GAIN * (1 + share + deviation * level)
        # Gini's mean difference of a normal score is 2/√π of its deviation: the spread grows by `share` of the gain.
        wider = deviation + share * np.sqrt(np.pi) / 2
        final = UNTRAINED + GAIN * (1 + wider * level)
        untrained = UNTRAINED + 4 * generator.standard_normal(seeds)
        arms[label] = Arm(early, early, final, final + GAIN * 0.1 * abs(draw(seeds)), untrained, early)
    return Evidence(arms, seeds, ())


if __name__ == "__main__":
    main()
