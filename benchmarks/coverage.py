"""How often the 95% intervals hold the truth, in simulated studies: `uv run python benchmarks/coverage.py`.

Prints the table of docs/method.md. Scores are normal, exponential or log-normal (σ = 0.5); each number is the share of
1,000 studies whose interval holds the value that the population has. Takes some minutes. With `luck` it prints the
table of crossed seeds alone, from 250 studies, in some five minutes; with `power` that of the share of studies that
find a difference (`morphorl compare --power`), from 400.
"""

import sys
from collections.abc import Callable

import numpy as np

from morphorl.analysis import bootstrap, dispersion, power, survival
from morphorl.analysis.luck import crossed, seed_luck

STUDIES = 1_000
SEEDS = (4, 8, 16, 32, 128)
SCORES: dict[str, Callable] = {
    "normal": lambda generator, size: generator.normal(size=size),
    "exponential": lambda generator, size: generator.exponential(size=size),
    "log-normal": lambda generator, size: generator.lognormal(0.0, 0.5, size=size),
}
BUDGET = 1.5
"""Steps at which runs are censored, in units in which an exponential run takes 1 on average: 22% do not get there."""

CROSSED_STUDIES, CROSSED, FEW = 250, (48, 12), 10
"""Simulated crossed studies, their patterns and learners, and the seeds of the small comparisons."""
MIXTURES = (((0.4, 0.15, 0.45), (0.0, 0.4, 0.6), 0.0), ((0.9, 0.02, 0.08), (0.05, 0.3, 0.65), -0.3))
"""Variance of pattern, learner and both together in the guided arm and in the other, and the difference of means."""


def main() -> None:
    """Print one row per interval and kind of scores, one column per number of seeds."""
    print("| interval of | scores | " + " | ".join(f"n = {n}" for n in SEEDS) + " |")
    print("|---|---|" + "---|" * len(SEEDS))
    for name, covered in {
        "IQM": lambda draw, n: _of_statistic(bootstrap.iqm, draw, n),
        "mean": lambda draw, n: _of_statistic(np.mean, draw, n),
        "difference of IQMs, common seeds": _of_difference,
        "probability of improvement": _of_improvement,
        "spread across seeds": _of_spread,
        "difference of spreads": _of_spread_difference,
    }.items():
        for kind, draw in SCORES.items():
            print(f"| {name} | {kind} | " + " | ".join(_percent(covered, draw, n) for n in SEEDS) + " |", flush=True)
    row = [_percent(_of_median, SCORES["exponential"], n) for n in SEEDS]
    print("| Kaplan-Meier median, 22% censored | exponential | " + " | ".join(row) + " |")
    print("\n| variance split | pattern | learner | interaction |\n|---|---|---|---|")
    for rows, columns in ((8, 8), (16, 16), (8, 32)):
        for shares in ((0.8, 0.1, 0.1), (0.3, 0.5, 0.2), (0.0, 0.5, 0.5)):
            held = _of_split(rows, columns, np.array(shares))
            cells = " | ".join(f"{share:.0%}: {value:.0%}" for share, value in zip(shares, held, strict=True))
            print(f"| {rows} × {columns} | {cells} |", flush=True)


def of_luck() -> None:
    """Print how often the intervals of `morphorl luck` hold the truth, one row for each mixture."""
    shares = [f"{what}, {kind}" for kind in ("fresh", "one pattern") for what in ("higher mean", "p ≤ 0.05")]
    print(f"| {' | '.join(('difference of means', *shares))} |")
    print("|---|---|---|---|---|")
    for guided, calm, difference in MIXTURES:
        held = _of_crossed(guided, calm, difference)
        print("| " + " | ".join(f"{100 * share:.0f}%" for share in held) + " |", flush=True)


def of_power() -> None:
    """Print how often the interval of the power of studies of 16 seeds holds the truth, and how far the value is off.

    Both arms have normal scores of variance 1; the truth is counted in 200,000 studies.
    """
    generator, n, studies = np.random.default_rng(0), 16, 400
    print(
        "| difference | true power | "
        + " | ".join(f"{m} seeds seen" for m in (8, 16, 32))
        + " |\n|---|---|---|---|---|"
    )
    for effect in (0.5, 1.0, 1.5):
        drawn = (generator.normal(effect, size=(200_000, n)), generator.normal(size=(200_000, n)))
        true = seed_luck.leads(*drawn)[1].mean()
        cells = []
        for m in (8, 16, 32):
            pairs = [(generator.normal(effect, size=m), generator.normal(size=m)) for _ in range(studies)]
            found = [power.found(x, y, n) for x, y in pairs]
            held = np.mean([one.low <= true <= one.high for one in found])
            cells.append(f"{held:.1%} (mean {np.mean([one.value for one in found]):.0%})")
        print(f"| {effect:g} | {true:.0%} | {' | '.join(cells)} |", flush=True)


def _of_crossed(guided: tuple, calm: tuple, difference: float) -> np.ndarray:
    truth = [difference, *_true_shares(guided, calm, difference, False), *_true_shares(guided, calm, difference, True)]
    generator = np.random.default_rng(5)
    held = []
    for _ in range(CROSSED_STUDIES):
        x, y = (_crossed(generator, variances) for variances in (guided, calm))
        x += difference
        fresh, shared = (crossed.shares(x, y, FEW, one_pattern=one) for one in (False, True))
        told = [crossed.mean_difference(x, y), fresh.better, fresh.significant, shared.better, shared.significant]
        held.append([e.low <= value <= e.high for e, value in zip(told, truth, strict=True)])
    return np.mean(held, axis=0)


def _crossed(generator: np.random.Generator, variances: tuple) -> np.ndarray:
    shapes = ((CROSSED[0], 1), (1, CROSSED[1]), CROSSED)
    pattern, learner, both = (np.sqrt(v) * generator.normal(size=s) for v, s in zip(variances, shapes, strict=True))
    return pattern + learner + both


def _true_shares(guided: tuple, calm: tuple, difference: float, one_pattern: bool) -> list[float]:
    """What fresh patterns and learners without end would give."""
    generator, comparisons = np.random.default_rng(1), 400_000
    drawn = []
    for (pattern, *rest), mean in ((guided, difference), (calm, 0.0)):
        patterns = np.sqrt(pattern) * generator.normal(size=(comparisons, 1 if one_pattern else FEW))
        drawn.append(mean + patterns + np.sqrt(sum(rest)) * generator.normal(size=(comparisons, FEW)))
    return [float(flags.mean()) for flags in seed_luck.leads(*drawn)]


def _percent(covered: Callable, draw: Callable, n: int) -> str:
    return f"{100 * np.mean(covered(draw, n)):.1f}%"


def _truth(statistic: Callable, draw: Callable) -> float:
    return float(statistic(draw(np.random.default_rng(0), 4_000_000), axis=0))


def _of_statistic(statistic: Callable, draw: Callable, n: int) -> np.ndarray:
    truth = _truth(statistic, draw)
    _, low, high = bootstrap.bootstrap(statistic, draw(np.random.default_rng(n), (n, STUDIES)))
    return (low <= truth) & (truth <= high)


def _two_arms(draw: Callable, n: int):
    """Studies of two arms that share half of each score through their common seed, and do not differ."""
    generator = np.random.default_rng(n)
    for _ in range(STUDIES):
        common, x, y = draw(generator, (3, n))
        yield common + x, common + y


def _of_difference(draw: Callable, n: int) -> list[bool]:
    effects = [bootstrap.difference(x, y, paired=True) for x, y in _two_arms(draw, n)]
    return [effect.low <= 0 <= effect.high for effect in effects]


def _of_improvement(draw: Callable, n: int) -> list[bool]:
    estimates = [bootstrap.probability_of_improvement(x, y, paired=True) for x, y in _two_arms(draw, n)]
    return [estimate.low <= 0.5 <= estimate.high for estimate in estimates]


def _of_spread(draw: Callable, n: int) -> list[bool]:
    population = np.random.default_rng(0)
    truth = np.abs(draw(population, 4_000_000) - draw(population, 4_000_000)).mean()
    generator = np.random.default_rng(n)
    estimates = [dispersion.spread(draw(generator, n)) for _ in range(STUDIES)]
    return [estimate.low <= truth <= estimate.high for estimate in estimates]


def _of_spread_difference(draw: Callable, n: int) -> list[bool]:
    pairs = [(dispersion.mean_distance(x), dispersion.mean_distance(y)) for x, y in _two_arms(draw, n)]
    effects = [dispersion.paired_difference(x, y) for x, y in pairs]
    return [effect.low <= 0 <= effect.high for effect in effects]


def _of_median(draw: Callable, n: int) -> list[bool]:
    generator = np.random.default_rng(n)
    steps = [draw(generator, n) for _ in range(STUDIES)]
    medians = [survival.kaplan_meier(np.minimum(s, BUDGET), s <= BUDGET).median for s in steps]
    return [median.low <= np.log(2) <= median.high for median in medians]


def _of_split(rows: int, columns: int, shares: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(rows * columns)
    held = []
    for _ in range(STUDIES):
        pattern, learner, both = (generator.normal(size=size) for size in ((rows, 1), (1, columns), (rows, columns)))
        scale = np.sqrt(shares)
        split = seed_luck.variance_split(scale[0] * pattern + scale[1] * learner + scale[2] * both)[:3]
        held.append([e.low <= share <= e.high for e, share in zip(split, shares, strict=True)])
    return np.mean(held, axis=0)


if __name__ == "__main__":
    modes = {"luck": of_luck, "power": of_power}
    next((modes[word] for word in sys.argv[1:] if word in modes), main)()
