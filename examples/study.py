"""A study in Python: does guidance change how fast CartPole is learned? With intervals, and resumable.

Usage: uv run examples/study.py [--seeds 16] [--steps 50000] [--out runs/example]
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from morphorl.config.devices import use_all_cores

use_all_cores()  # before anything else of JAX

from rich.console import Console  # noqa: E402

from morphorl.analysis import learning_curves  # noqa: E402
from morphorl.studies.runner import run  # noqa: E402
from morphorl.studies.store import Store  # noqa: E402
from morphorl.studies.study import Study  # noqa: E402


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
    store = Store(options.out)
    run(study, store, Console())
    for arm, rows in learning_curves.by_arm(store.curves(study)).items():
        early = learning_curves.early(learning_curves.curve(rows).seeds)
        print(f"{arm:10} early return {early.value:.0f} ({early.low:.0f} to {early.high:.0f})")


if __name__ == "__main__":
    main(tyro.cli(Options))
