"""A model card: what an agent is, how well it plays, and how to load it, as a README with Hugging Face metadata."""

import json
import math

import numpy as np

from morphorl.analysis import curve_statistics
from morphorl.config.kinds import foreign_modules
from morphorl.config.plain import unusual
from morphorl.environments.base import module_of
from morphorl.ppo.checkpoints import Agents
from morphorl.ppo.settings import Settings, foreign_sources
from morphorl.studies.arms import SHARED, flatten, shown

GRAPH = """
`agent.onnx` is the same agent as a graph: inputs `observation` and the state, outputs `logits`, `action` and the new
state (`…_next`). Every episode starts from `initial_state` in the file's metadata. Its logits were compared with JAX
over 1,000 steps; the largest difference was {difference}.

```python
import json, numpy as np, onnxruntime
session = onnxruntime.InferenceSession("agent.onnx")
initial = json.loads(session.get_modelmeta().custom_metadata_map["initial_state"])
names = [one.name for one in session.get_inputs()]
state = [np.array(initial[name], np.float32) for name in names[1:]]
logits, action, *state = session.run(None, dict(zip(names, [observation, *state])))
```
"""


def card(batch: Agents, returns: np.ndarray, files: list[str], difference: float | None) -> str:
    """The text of `README.md`.

    Args:
        batch: all agents of the training, of which the card tells how many there are and how they do.
        returns: greedy episode returns, (agents, episodes).
        files: what lies beside the card.
        difference: the largest difference between the logits of the ONNX graph and JAX, if there is a graph.
    """
    environment, means = batch.settings[0].environment, returns.mean(axis=1)
    value, low, high = map(float, curve_statistics.bootstrap(curve_statistics.iqm, means))
    interval = "one agent, no interval" if math.isnan(low) else f"95% interval {low:.1f} to {high:.1f}"
    told = f"{value:.1f} ({interval})"
    episodes = returns.shape[1]
    metadata = [
        "---",
        "library_name: morphorl",
        "tags:",
        "- reinforcement-learning",
        f"- {quoted(environment)}",
        "- ppo",
        "model-index:",
        f"- name: {quoted(f'morphorl PPO on {environment}')}",
        "  results:",
        "  - task:",
        "      type: reinforcement-learning",
        "      name: reinforcement-learning",
        "    dataset:",
        f"      name: {quoted(environment)}",
        f"      type: {quoted(environment)}",
        "    metrics:",
        "    - type: mean_reward",
        f"      value: {quoted(told)}",
        f"      name: {quoted(f'IQM over {len(means)} agents, greedy, {episodes} episodes each')}",
        "---",
    ]
    graph = "" if difference is None else GRAPH.format(difference=f"{difference:.1g}")
    rows = "\n".join(f"| `{name}` | {value} |" for name, value in _told(batch.settings[0]).items())
    modules = foreign_modules(batch.settings[0])
    if (own := module_of(environment)) is not None:
        modules.append(own)
    own_file = "the dynamics', guidance's or environment's own file, which is not here"
    imports = "".join(f"import {module}  # {own_file}\n" for module in modules)
    listed = ", ".join(f"`{name}`" for name in files)
    but = f" but that of {', '.join(modules)}, which you import yourself" if modules else ""
    return f"""{chr(10).join(metadata)}

# A PPO agent for {environment}, trained with morphorl

| | |
|---|---|
| environment | {environment} |
| agents trained | {len(means)} (seeds {", ".join(map(str, batch.seeds))}) |
| greedy return | IQM {told}, {episodes} episodes each |
| trained for | {batch.settings[0].steps:,} environment steps each, by the kernel `{batch.settings[0].kernel}` |

Settings that differ from morphorl's defaults:

| setting | value |
|---|---|
{rows or "| (none) | |"}

## Load it

```python
{imports}from morphorl import evaluate, load_agents
print(evaluate(load_agents("."), episodes=10))
```
{graph}
Files: {listed}. Arrays are safetensors and the rest is JSON: loading runs no code{but}.
"""


def quoted(text: str) -> str:
    """Text that YAML cannot mistake for anything else (JSON strings are YAML)."""
    return json.dumps(text, ensure_ascii=False)


def _told(settings: Settings) -> dict[str, str]:
    """The settings of an agent that differ from the defaults, a system's or rule's from those of its own class."""
    told = {name: value for name, value in unusual(settings, Settings()).items() if name not in SHARED}
    hashes = foreign_sources(settings).values()
    return {name: shown(value) for name, value in flatten(told).items() if value not in hashes}
