"""Results on disk: one immutable shard per finished batch, written whole or not at all; the index is the shards."""

import importlib.metadata
import json
import platform
import uuid
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl

from morphorl import agents
from morphorl.engines import BatchResult
from morphorl.files import write_atomically
from morphorl.study import Run, Study

VERSIONED = ("morphorl", "jax", "jaxlib", "equinox", "gymnax", "numpy", "optax")


class StoreError(RuntimeError):
    """A folder cannot take the results; the message says why and what would help."""


class Store:
    """The folder of one study: `study.json`, and `shards/` with a Parquet file per batch (and its agents beside it)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shards = root / "shards"

    def open(self, study: Study, *, resume: bool) -> None:
        """Make the folder ready for a study, or refuse it before anything in it is touched.

        With `resume`, finished runs of the same study stay; without, its shards are removed first.

        Raises:
            StoreError: if the folder holds something else.
        """
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(
                f"out = {str(self.root)!r}: is a file; must be a new or empty folder, or one of this study."
            )
        described = self.root / "study.json"
        if described.exists():
            self._refuse_another(study, described)
        elif self.root.exists() and not all(path.name.startswith(".study.json.") for path in self.root.iterdir()):
            raise StoreError(
                f"out = {str(self.root)!r}: holds other files and no study.json; must be a new or empty folder. "
                "Nothing in it was touched."
            )
        self.root.mkdir(parents=True, exist_ok=True)
        seeds = {"seeds": study.seeds, "first_seed": study.first_seed}
        content = {"id": study.id, **seeds, "versions": versions(), **study.describe()}
        write_atomically(described, lambda path: path.write_text(json.dumps(content, indent=2, allow_nan=True)))
        self.shards.mkdir(exist_ok=True)
        if not resume:
            for shard in self.shards.iterdir():
                shard.unlink()

    def _refuse_another(self, study: Study, described: Path) -> None:
        try:
            held = json.loads(described.read_text())
        except (json.JSONDecodeError, UnicodeDecodeError):
            held = None
        held = held if isinstance(held, dict) else {}
        if held.get("id") == study.id:
            return
        difference = _first_difference(study.describe(), held)
        raise StoreError(
            f"out = {str(self.root)!r}: holds another study ({difference}); must be a new or empty folder, or one of "
            "this study. Nothing in it was touched: choose another --out, or move it away."
        )

    def finished(self) -> set[str]:
        """The ids of all runs that lie in a shard."""
        columns = [pl.scan_parquet(path).select("run").unique() for path in self._paths()]
        return set(pl.concat(columns).collect()["run"]) if columns else set()

    def add(self, runs: list[Run], result: BatchResult, *, with_agents: bool) -> None:
        """Write the shard of a finished batch (after its agents, so that a shard is never without them)."""
        name = uuid.uuid4().hex
        if with_agents:
            batch = agents.Agents([run.settings for run in runs], [run.seed for run in runs], result.agents)
            write_atomically(self.shards / f"{name}.safetensors", lambda path: agents.write_arrays(batch, path))
        table = tabulate(runs, result)
        write_atomically(self.shards / f"{name}.parquet", table.write_parquet)

    def curves(self, study: Study) -> pl.DataFrame:
        """All updates of all finished runs of the study, in the study's order, labelled with its arms."""
        order = pl.DataFrame(
            [(n, run.id, run.settings.environment, run.arm) for n, run in enumerate(study.runs())],
            schema=["order", "run", "environment", "arm"],
            orient="row",
        )
        shards = pl.concat([pl.read_parquet(path) for path in self._paths()])
        # Two arms may share one run, such as "γ = 0" and an unguided control: the join gives each its own rows.
        joined = order.join(shards, on="run").sort("order", "env_steps")
        return joined.drop("order")

    def agents(self, study: Study) -> agents.Agents:
        """The trained agents of the study's runs, in its order."""
        wanted = study.runs()
        found = {}
        for path in self._paths():
            ids = pl.read_parquet(path, columns=["run"])["run"].unique(maintain_order=True)
            arrays = agents.read_arrays(path.with_suffix(".safetensors"))
            found |= {run: {name: array[i] for name, array in arrays.items()} for i, run in enumerate(ids)}
        arrays = {name: np.stack([found[run.id][name] for run in wanted]) for name in found[wanted[0].id]}
        return agents.from_arrays([run.settings for run in wanted], [run.seed for run in wanted], arrays)

    def _paths(self) -> list[Path]:
        return sorted(self.shards.glob("*.parquet"))


def tabulate(runs: list[Run], result: BatchResult) -> pl.DataFrame:
    """One row per run and update."""
    updates = result.curve.episodes.shape[1]
    batch = runs[0].settings.ppo.batch
    repeated: dict[str, list] = {
        "run": [run.id for run in runs],
        "guidance_strength": [run.settings.guidance.strength for run in runs],
        "seed": [run.seed for run in runs],
        "cell_seed": [run.cell_seed for run in runs],
    }
    columns = {name: pl.Series(values).repeat_by(updates).explode() for name, values in repeated.items()}
    diverged = [int(step) if step >= 0 else None for step in result.diverged_at]
    columns["diverged_at"] = pl.Series(diverged, dtype=pl.Int64).repeat_by(updates).explode()
    columns["env_steps"] = pl.Series(np.tile(np.arange(1, updates + 1) * batch, len(runs)))
    curve = {name: pl.Series(np.asarray(array).reshape(-1)) for name, array in result.curve._asdict().items()}
    return pl.DataFrame(columns | curve).with_columns(pl.col(pl.Float32).fill_nan(None))


def versions() -> dict[str, str]:
    """What a result was made with: versions of Python and libraries, and the devices (bits depend on both)."""
    found = {name: importlib.metadata.version(name) for name in VERSIONED}
    devices = jax.devices()
    return {"python": platform.python_version(), **found, "devices": f"{len(devices)} × {devices[0].device_kind}"}


def _first_difference(ours: Any, theirs: Any, name: str = "") -> str:
    """Name the first value in which two nested dictionaries differ."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return f"{name} is {theirs!r} there and {ours!r} here"
    for key in ours:
        if json.dumps(ours[key]) != json.dumps(theirs.get(key)):
            return _first_difference(ours[key], theirs.get(key), f"{name}.{key}" if name else key)
    return "made by another version of the algorithm"
