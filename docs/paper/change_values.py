"""What the paper says of changing tasks, and of patterns that are kept by their returns."""

import numpy as np
import shift_page
from help_values import Values
from published import published
from shift_page import BEST, PLAIN, TASKS, WITHIN
from words import estimate, proportion

from morphorl.analysis.curve_statistics import share


def changed() -> Values:
    """Returns after a change that nobody announces."""
    rows = shift_page.read("recovery")

    def lead(task: str, arm: str, rival: str, column: str = "after") -> str:
        return estimate(shift_page.lead_of(rows.filter(environment=task), arm, rival, column))

    def mean(arm: str) -> str:
        return f"{shift_page.of(rows.filter(environment=WITHIN), arm, 'after').mean():.0f}"

    found = {"changed.seeds": f"{rows['seed'].n_unique()}"}
    for name, task in zip(("length", "gravity", "pushes"), tuple(TASKS)[:3], strict=True):
        found[f"changed.{name}.own"] = lead(task, BEST, "the same, γ = 0")
        found[f"changed.{name}.stream"] = lead(task, "Stream AC(λ)", PLAIN)
    for name, arm in {"bank": "leaky bank", "stack": "frame stack", "gru": "GRU"}.items():
        found[f"changed.within.{name}"] = mean(arm)
    found["changed.first.stream"] = lead(next(iter(TASKS)), "Stream AC(λ)", PLAIN, "first")
    return found | {"changed.within.lead": lead(WITHIN, "leaky bank", "frame stack")}


def kept() -> Values:
    """The share of seeds that come to the goal of MountainCar."""
    study = published("sparse")
    arms = {"rule": "kept by returns", "plain": PLAIN}
    steps = {name: study.runs(arm, "tuned", "SparseMountainCar-v0") for name, arm in arms.items()}
    shares = {name: share(np.isfinite(runs["steps_to_threshold"])) for name, runs in steps.items()}
    return {f"kept.{name}": proportion(one) for name, one in shares.items()}
