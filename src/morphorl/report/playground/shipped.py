"""Write the file of agents that come along, from the study that trained them.

    morphorl run playground
    python -m morphorl.report.playground.shipped runs/playground
"""

import json
import sys
from pathlib import Path

from morphorl.report.playground.agents import SHIPPED, plain, staged

CHOSEN = {
    ("CartPole-v1", "cell, γ = 0.1"): "cell, γ = 0.1",
    ("CartPole-v1", "plain PPO"): "plain PPO",
    ("StatelessCartPole-v1", "leaky integrators"): "leaky integrators",
}
"""Environment and arm of the agents that come along, and what the page calls them."""


def write(folder: Path) -> None:
    """Write `agents.json` into the package."""
    found = {}
    for one in staged(folder):
        arm = one.label.partition(" (")[0]
        label = CHOSEN.get((one.settings.environment, arm))
        if label is not None:
            found[label, one.stage] = plain(one._replace(label=label))
    order = sorted(found, key=lambda key: list(CHOSEN.values()).index(key[0]))
    text = json.dumps([found[key] for key in order], ensure_ascii=False, separators=(",", ":"))
    SHIPPED.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
