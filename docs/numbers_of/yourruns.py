"""The numbers of docs/yourruns.md that settings of the code give, its own reading of names, and a simulation."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from places import Phrase, Table
from result_files import Results, number_in
from styles import Known, Shown, percent, share, whole

from morphorl.analysis.logs.pattern import labels, match, recognise
from morphorl.analysis.luck.seed_luck import leads

LOGS, LUCK = "src/morphorl/analysis/logs", "src/morphorl/analysis/luck/seed_luck.py"
SEEDS, STUDIES, EFFECTS = 16, 200_000, (0.5, 1.0)
"""Of benchmarks/coverage.py's simulated studies: seeds, how many tell the true power, differences of means."""


class Run(NamedTuple):
    """A row of the table of names."""

    file: str
    name: str
    pattern: str = ""
    """Its own; else the first of the usual ones that fits."""
    environment: str = ""
    """What the page says if the name says none."""


RUNS = (
    Run("logs/ppo/seed_3/monitor.csv", "logs/ppo/seed_3", environment="(the file says it)"),
    Run("logs/ppo/CartPole-v1_2/", "logs/ppo/CartPole-v1_2"),
    Run("runs/CartPole-v1__ppo__1__1699/", "runs/CartPole-v1__ppo__1__1699"),
    Run("sweep/ppo/lr_0.001/4.csv", "sweep/ppo/lr_0.001/4", "{algo}/lr_{lr}/{seed}", "–"),
)


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    yield names()
    yield from rules()
    yield from power()


def names() -> Table:
    """What the names of runs say."""

    def row(run: Run) -> list[Shown]:
        pattern = run.pattern or recognise([run.name]) or ""
        said = labels(match(pattern, run.name) or {})
        arm = f'"{said["arm"]}"' if "," in said["arm"] else said["arm"]
        cells = (f"`{pattern}`", f"{arm}, {said.get('env', run.environment)}, {said['seed']}")
        return [Shown(cell, f"../../{LOGS}/pattern.py") for cell in cells]

    return Table("| run | pattern |", {f"`{run.file}`": row(run) for run in RUNS})


def rules() -> Iterator[Phrase]:
    """What is done with logs."""
    points = number_in("src/morphorl/analysis/curve_statistics.py", r"POINTS = (\d+)")
    yield Phrase("returns are averaged in {} bins", whole.value(points))
    full = number_in(f"{LOGS}/grid.py", r"FULL = ([\d.]+)")
    yield Phrase("a run that ends early, before {} of that", percent.value(full))
    solved = whole.value(number_in("src/morphorl/environments/cartpole.py", r"THRESHOLD = ([\d.]+)"))
    yield Phrase("(`--threshold {}`, or `CartPole-v1={}`;", solved, solved)
    surely = number_in(f"{LOGS}/verdicts.py", r"SURELY = ([\d.]+)")
    yield Phrase("are said if p ≤ {};", share.value(surely))
    few = (number_in(f"{LOGS}/verdicts.py", pattern) for pattern in (r"SMALL = \((\d+)", r"SMALL = \(\d+, (\d+)"))
    yield Phrase("had you run {}, {}, or as many", *map(whole.value, few))
    largest = number_in(f"{LOGS}/finding.py", r"MOST_BYTES = ([\d_]+)")
    yield Phrase("files of more than {} GB", whole.value(largest.times(1e-9)))


def power() -> Iterator[Phrase]:
    """The power that is wanted, and the true one of two simulated differences."""
    wanted = number_in("src/morphorl/analysis/power.py", r"WANTED = ([\d.]+)")
    yield Phrase("find this difference in {} of studies", percent.value(wanted))
    small, large = map(percent.value, map(true_power, EFFECTS))
    yield Phrase("holds the true one: where that is {}, in", small)
    yield Phrase("and where it is {}, in", large)
    yield Phrase("in place of {}, and", small)
    yield Phrase("in place of {}. So", large)


def true_power(effect: float) -> Known:
    """The share of studies of `SEEDS` seeds an arm, scores normal of variance 1, that find a difference of means."""
    generator = np.random.default_rng(0)
    drawn = (generator.normal(mean, size=(STUDIES, SEEDS)) for mean in (effect, 0.0))
    return Known(float(leads(*drawn)[1].mean()), math.nan, math.nan, f"../../{LUCK}")
