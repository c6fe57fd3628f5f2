"""Does a change of the code leave every bit of what is computed as it was?

Trains a few updates under settings that between them use every system, rule, memory and network, and keeps the bits of
curves, agents and evaluations. Record them in a checkout of the commit before, and again after the change, on the same
machine: bits differ between machines and versions of JAX.

Usage: uv run benchmarks/golden.py record FILE.npz [--only NAME …]
       uv run benchmarks/golden.py compare BEFORE.npz AFTER.npz
"""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

STEPS, EVERY = 768, 256

SHORT = {"ppo": {"num_envs": 4, "rollout_steps": 64, "minibatches": 2, "epochs": 2, "hidden": [16, 16]}}
AGENT = ("actor", "critic", "core", "log_deviation", "statistics", "performance", "learned", "pattern", "constants")
GRU = {"ppo": {"network": "gru", "hidden": [16, 16], "minibatches": 2}}
REDRAW = {"dynamics": {"reset": "redraw"}}
REWARD = {"guidance": {"strength": 0.05}}
FROZEN = {"dynamics": {"dt": 0.0, "initial_scale": 1.0}}

SETTINGS: dict[str, tuple[dict[str, Any], ...]] = {
    "plain": ({"blend": {"kind": "none"}},),
    "cell": ({},),
    "blind": (REWARD, {"dynamics": {"coupling": "lattice", "readout": "difference", "initial": "positive"}}),
    "added": (REWARD, {"blend": {"kind": "add", "weight": 1.0, "distil": 0.3, "handover": 0.8}}),
    "driven": (REWARD, {"dynamics": {"drive": 0.1, "gate": "rows", "emphasis": "softmax", "coupling": "partner"}}),
    "redraw": (REWARD, REDRAW, {"dynamics": {"redraw": 0.05, "normalise": True, "coupling": "ring"}}),
    "never": (REWARD, {"dynamics": {"reset": "never", "emphasis": "winner", "population": 0.1}}),
    "frozen": (FROZEN, REDRAW),
    "forgetful": (REWARD, {"blend": {"update": "network"}}),
    "modulated": (REWARD, {"guidance": {"kind": "modulated"}}),
    "stabilise": (REWARD, {"guidance": {"kind": "stabilise", "signal": "shuffled"}}),
    "win_stay": (REWARD, REDRAW, {"guidance": {"kind": "win_stay", "selection": "fittest"}}),
    "three_factor": (
        REWARD,
        {
            "guidance": {"kind": "three_factor", "exchange": "returns"},
            "dynamics": {"population": 0.1, "reset": "never"},
        },
    ),
    "adaptive": (REWARD, {"guidance": {"kind": "adaptive", "sensitivity": -1.0}}),
    "field": (REWARD, {"dynamics": {"kind": "gierer_meinhardt", "drive": 0.1, "sites": 16}}),
    "field_redraw": (REDRAW, {"dynamics": {"kind": "gierer_meinhardt", "readout": "difference", "sites": 16}}),
    "sign": (FROZEN, {"dynamics": {"kind": "sign_flipped"}}),
    "noise": (REDRAW, {"dynamics": {"kind": "correlated_noise"}}),
    "coloured": (REDRAW, {"dynamics": {"kind": "coloured_noise"}}),
    "state_dependent": (REDRAW, {"dynamics": {"kind": "state_dependent_noise"}}),
    "echo_state": ({"dynamics": {"kind": "echo_state"}},),
    "sticky": (REWARD, {"task": {"sticky": True}}),
    "leaky": (REWARD, {"blend": {"kind": "none"}, "memory": {"kind": "leaky_integrators", "production": 0.01}}),
    "previous": ({"blend": {"kind": "none"}, "memory": {"kind": "previous_observation"}},),
    "memory_echo": (
        {
            "blend": {"kind": "none"},
            "memory": {"kind": "echo_state", "wiring": "cycle", "spectral_radius": 0.6, "input_scale": 0.3},
        },
    ),
    "memory_and_cell": (REWARD, {"memory": {"kind": "leaky_integrators", "columns": 3, "first_diffusion": 0.1}}),
    "gru": (REWARD, GRU),
    "skip": (REWARD, {"ppo": {"skip": True, "activation": "relu", "normalise_observations": True}}),
    "learned": (
        REWARD,
        {
            "learned": {
                "parameters": ["dynamics.drive", "dynamics.activator_decay", "guidance.strength", "blend.weight"]
            }
        },
    ),
    "learned_redraw": (REDRAW, {"learned": {"parameters": ["dynamics.dt"], "span": 8}}),
}
"""What is trained: the changes to `SHORT`, in order."""

HOST = {"host": ("gym:CartPole-v1", (REWARD,)), "host_continuous": ("gym:Pendulum-v1", (REWARD, REDRAW))}


@dataclasses.dataclass
class Record:
    """Record the bits of this checkout."""

    file: Annotated[Path, tyro.conf.Positional]
    """Where they go."""
    only: tuple[str, ...] = ()
    """Names of settings; all if not given."""

    def __call__(self) -> None:
        from morphorl.config.devices import use_all_cores

        use_all_cores()
        kept: dict[str, np.ndarray] = {}
        for name in self.only or (*SETTINGS, *HOST):
            print(name, flush=True)
            kept |= {f"{name}/{key}": value for key, value in bits(name).items()}
        np.savez(self.file, **kept)  # pyright: ignore[reportArgumentType]


@dataclasses.dataclass
class Compare:
    """Compare two recordings, and exit with 1 if any bit differs."""

    before: Annotated[Path, tyro.conf.Positional]
    after: Annotated[Path, tyro.conf.Positional]

    def __call__(self) -> None:
        before, after = dict(np.load(self.before)), dict(np.load(self.after))
        different = [key for key in before if key not in after or before[key].tobytes() != after[key].tobytes()]
        for key in different:
            found = after.get(key)
            same_shape = found is not None and found.shape == before[key].shape
            gap = float(np.nanmax(np.abs(found - before[key]))) if same_shape else "not there, or of another shape"
            print(f"{key}: differs ({gap})")
        print(f"{len(before) - len(different)} of {len(before)} arrays are the same to the last bit.")
        sys.exit(bool(different))


def bits(name: str) -> dict[str, np.ndarray]:
    """Curves, agents and evaluations of two runs under the settings of that name."""
    from morphorl.config.plain import from_dict
    from morphorl.ppo.evaluation import evaluate_agents
    from morphorl.ppo.settings import Settings
    from morphorl.studies.batch_training import train_batch
    from morphorl.studies.run import Run

    environment, changes = HOST[name] if name in HOST else ("CartPole-v1", SETTINGS[name])
    values: dict[str, Any] = {"environment": environment, "steps": STEPS, "evaluate_every": EVERY}
    for change in (SHORT, *changes):
        values = merged(values, change)
    settings = from_dict(Settings, values)
    runs = [Run(name, settings, seed, seed + 100) for seed in range(2)]
    result = train_batch(runs, len(runs))
    kept = {f"curve/{i}": leaf for i, leaf in enumerate(leaves(result.curve))}
    kept |= {"diverged_at": result.diverged_at, "untrained_return": result.untrained_return}
    for part in AGENT:
        found = leaves(getattr(result.agents, part, None))
        kept |= {f"{part}/{i}": leaf for i, leaf in enumerate(found)}
    for greedy in (True, False):
        played = evaluate_agents([settings] * 2, result.agents, 3, greedy=greedy)
        kept[f"evaluation/{'greedy' if greedy else 'sampled'}"] = played
    return kept


def leaves(tree: Any) -> list[np.ndarray]:
    """The arrays of a pytree."""
    import jax

    return [np.asarray(leaf) for leaf in jax.tree.leaves(tree)]


def merged(values: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`values` with a nested change applied."""
    tables = {key: merged(values.get(key, {}), value) for key, value in change.items() if isinstance(value, dict)}
    return values | change | tables


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"record": Record, "compare": Compare}, description=__doc__)()
