"""A study in Python: does guidance change how fast CartPole is learned? With intervals, and resumable.

Usage: uv run examples/study.py [--seeds 16] [--steps 50000] [--out runs/example]
"""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import tyro

from morphorl import Study, compare, load_results, run_study


@dataclass
class Options:
    """Plain PPO and three strengths of guidance on CartPole-v1."""

    seeds: int = 16
    """Agents of each arm."""
    steps: int = 50_000
    """Environment steps of each agent's training."""
    out: Path = Path("runs/example")
    """Where everything is written; the same command goes on where it stopped."""


def main(options: Options) -> None:
    arms = {
        "plain PPO": {"blend": {"weight": 0.0}},
        "γ = {guidance.strength}": {"guidance": {"strength": [0.0, 0.1, 0.3]}},
    }
    study = Study("example", ("CartPole-v1",), arms, options.seeds, steps=options.steps)
    run_study(study, options.out)
    results = load_results(options.out)
    print(results.scores.group_by("arm", maintain_order=True).agg(early_return=pl.col("early_return").mean()))
    columns = ("arm", "difference", "difference_low", "difference_high", "p", "unknown")
    print(compare(results, statistic="early_return").select(columns))


if __name__ == "__main__":
    main(tyro.cli(Options))
