"""Results on disk: one immutable shard per finished batch, written whole or not at all; the index is the shards."""

import importlib.metadata
import json
import platform
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
import polars as pl

from morphorl.config.errors import StoreError, shortened
from morphorl.config.files import refuse_links_out, write_by_content
from morphorl.config.sealed import read_sealed_json, table_bytes, write_sealed_json, write_sealed_table
from morphorl.ppo import checkpoints, kernels
from morphorl.ppo.agent import Agent
from morphorl.studies import run as run_
from morphorl.studies import shards
from morphorl.studies.batch_training import BatchResult
from morphorl.studies.run import Run
from morphorl.studies.study import Study

VERSIONED = ("morphorl", "jax", "jaxlib", "equinox", "gymnax", "numpy", "optax")
MAY_GROW = ("seeds", "first_seed", "cell_seeds", "environments", "presets")
"""What may change in a study without making it another one; arms may come and go as well."""
MAY_GROW_WITH_AGENTS = ("seeds", "first_seed")
"""The same for a folder whose trained agents are kept: agents of another environment would take their place."""

RUNS_SCHEMA = ("run", "preset", "environment", "arm", "seed", "cell_seed")


class Store:
    """The folder of one study; `shards.py` says what lies in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shards = root / "shards"
        self._known: dict[Path, shards.Shard] = {}  # shards never change: each is examined once

    def check(self, study: Study, *, with_agents: bool = False) -> None:
        """Refuse a folder that holds something else; nothing in it is touched.

        The same study may have other seeds, environments, presets, and more or fewer arms than it had, as long as each
        run that both have is the same.

        Raises:
            StoreError: if the folder cannot take the study.
        """
        try:
            self._check(study, MAY_GROW_WITH_AGENTS if with_agents else MAY_GROW)
        except OSError as error:  # a name too long, a folder that may not be read
            raise StoreError(f"out = {shortened(str(self.root))!r}: cannot be used ({error.strerror}).") from error

    def _check(self, study: Study, may_grow: tuple[str, ...]) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(
                f"out = {str(self.root)!r}: is a file; must be a new or empty folder, or one of this study."
            )
        if not self.root.exists():
            return
        refuse_links_out(self.root)
        if (self.root / "study.json").exists():
            self._refuse_another(study, may_grow)
        elif not all(_is_from_opening(path.name) for path in self.root.iterdir()):
            raise StoreError(
                f"out = {str(self.root)!r}: holds other files and no study.json; must be a new or empty folder. "
                "Nothing in it was touched."
            )

    def open(self, study: Study, *, resume: bool, with_agents: bool = False) -> list[Path]:
        """Make the folder ready for a study, or refuse it before anything in it is touched.

        With `resume`, finished runs of the same study stay; without, its shards are removed first. Damaged shards are
        moved to `shards/damaged`, so that their runs are done again.

        Args:
            with_agents: whether trained agents are kept, which are all of one environment and one preset.

        Returns:
            Where the damaged shards are now.

        Raises:
            StoreError: if the folder holds something else.
        """
        self.check(study, with_agents=with_agents)
        content = {"algorithm": run_.ALGORITHM_VERSION, "versions": versions() | kernels.versions(study.kernel)}
        content |= study.describe()
        with _writing(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            write_sealed_table(self.root / "runs.parquet", _list_runs(study))
            write_sealed_json(self.root / "study.json", content)
            for folder in (self.shards, self.root / "failed"):
                folder.mkdir(exist_ok=True)
        if not resume:
            self._known.clear()
            for path in [*self.shards.glob("*.*"), *(self.root / "failed").iterdir()]:
                path.unlink()
        for leftover in self.shards.glob(".*"):  # of writers that were killed: there is no other writer
            leftover.unlink()
        return self._set_aside()

    def _refuse_another(self, study: Study, may_grow: tuple[str, ...]) -> None:
        try:
            held = {"kernel": "xla"} | read_sealed_json(self.root / "study.json")
        except StoreError:
            if self._has_runs_of(study):  # they are whole, and tell whose folder it is
                return
            raise
        settled = ("name", "kernel", *(name for name in MAY_GROW if name not in may_grow))
        said = json.loads(json.dumps(study.describe()))
        same_kind = held.get("algorithm") == run_.ALGORITHM_VERSION
        same_kind = same_kind and all(held.get(name) == said[name] for name in settled)
        if same_kind and not self._has_other_runs(study):
            return
        ours = {name: value for name, value in said.items() if name not in may_grow}
        common = {arm: value for arm, value in ours["arms"].items() if arm in held.get("arms", {})}
        ours["arms"] = common or ours["arms"]
        raise StoreError(
            f"out = {str(self.root)!r}: holds another study ({first_difference(ours, held)}); must be a new or empty "
            "folder, or one of this study. Nothing in it was touched: choose another --out, or move it away."
        )

    def _has_runs_of(self, study: Study) -> bool:
        """Whether shards hold runs of the study, and no other ones."""
        finished = self.finished()
        return bool(finished) and finished <= {run.id for run in study.iterate()}

    def _has_other_runs(self, study: Study) -> bool:
        """Whether the folder holds a run of the same labels and seed as one of the study's, and yet another run."""
        try:
            planned = shards.planned(self.root)
            labels = [name for name in RUNS_SCHEMA if name != "run" and name in planned.columns]
            both = _list_runs(study).join(planned, on=labels)
        except StoreError:  # the list is damaged, and the ids in the shards are not: nothing can be mixed up
            return False
        return not both.filter(pl.col("run") != pl.col("run_right")).is_empty()

    def _set_aside(self) -> list[Path]:
        damaged = [path for path in self._paths() if not self._examine(path)]
        if damaged:
            (self.shards / "damaged").mkdir(exist_ok=True)
        return [path.rename(self.shards / "damaged" / path.name) for path in damaged]

    def finished(self) -> set[str]:
        """The ids of all runs that lie in an undamaged shard."""
        return {run for shard in self.undamaged() for run in shard.runs}

    def failed(self) -> set[str]:
        """The ids of all runs whose batch could not be trained."""
        return {run for failure in shards.failures(self.root) for run in failure["runs"]}

    def fail(self, runs: list[Run], error: Exception) -> None:
        """Note that a batch could not be trained, and why, so that it is not tried again before `morphorl clean`."""
        content = {
            "runs": [run.id for run in runs],
            "message": f"{type(error).__name__}: {error}",
            "traceback": "".join(traceback.format_exception(error)),
            "at": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        with _writing(self.root):
            write_sealed_json(self.root / "failed" / f"{runs[0].id}.json", content)

    def add(self, runs: list[Run], result: BatchResult, *, with_agents: bool) -> None:
        """Write the shard of a finished batch (after its agents, so that a shard is never without them).

        Raises:
            StoreError: if it cannot be written, on a full disk for instance; nothing of it is left then.
        """
        ids = [run.id for run in runs]
        diverged = [id for id, step in zip(ids, result.diverged_at, strict=True) if step >= 0]
        details: dict[str, Any] = {"runs": ids, "diverged": diverged, "agents": None}
        with _writing(self.root):
            if with_agents:
                details["agents"] = self._add_agents(result.agents)
            if result.staged is not None:
                details |= {"stages": self._add_agents(result.staged.agents), "staged": result.staged.runs}
            table = tabulate(runs, result)
            shard = table_bytes(table, {shards.DETAILS: json.dumps(details)})
            write_by_content(self.shards, ".parquet", lambda path: path.write_bytes(shard))

    def _add_agents(self, arrays: Agent) -> str:
        """Write agents beside the shards; gives the file's name."""
        path = write_by_content(self.shards, ".safetensors", lambda path: checkpoints.write_arrays(arrays, path))
        return path.name

    def curves(self, study: Study) -> pl.DataFrame:
        """All updates of all finished runs of the study, in the study's order, labelled with its arms.

        Raises:
            StoreError: if no run is finished, or the source of foreign dynamics has changed since.
        """
        good = self.undamaged()
        if not good:
            raise StoreError(f"{self.root}: holds no finished run.")
        order = _list_runs(study).drop("seed", "cell_seed").with_row_index("order")
        curves = pl.concat(
            [pl.read_parquet(shard.path) for shard in good], how="diagonal"
        )  # arms learn different parameters
        if sum(len(shard.runs) for shard in good) > len(self.finished()):  # two writers, where locks do not work
            curves = curves.unique(["run", "env_steps"], keep="first")
        # Two arms may share one run, such as "γ = 0" and an unguided control: the join gives each its own rows.
        labelled = order.join(curves, on="run").sort("order", "env_steps").drop("order")
        if labelled.is_empty() and self._has_other_runs(study):
            raise StoreError(
                f"{self.root}: holds no run of its study as the code has it now; the source of its dynamics or "
                "guidance has been changed since. Bring that source back, or run the study again in another folder."
            )
        if labelled.is_empty():
            raise StoreError(
                f"{self.root}: holds no finished run of its study as it was started last, with seeds from "
                f"{study.first_seed}; give the same `morphorl run` again to go on."
            )
        return labelled

    def _paths(self) -> list[Path]:
        return sorted(self.shards.glob("*.parquet"))

    def undamaged(self) -> list[shards.Shard]:
        """The shards that are what was written."""
        return [shard for path in self._paths() if (shard := self._examine(path))]

    def _examine(self, path: Path) -> shards.Shard | None:
        if path not in self._known and (shard := shards.examine(path)):
            self._known[path] = shard
        return self._known.get(path)


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"out = {str(root)!r}: cannot be written ({error.strerror or error}). Finished batches are kept; mend that "
            "and give the same command again to go on."
        ) from error


def _list_runs(study: Study) -> pl.DataFrame:
    rows = [(run.id, run.preset, run.settings.environment, run.arm, run.seed, run.cell_seed) for run in study.iterate()]
    columns = dict(zip(RUNS_SCHEMA, zip(*rows, strict=True), strict=True))
    return pl.DataFrame({name: pl.Series(name, values) for name, values in columns.items()})


def _is_from_opening(name: str) -> bool:
    """Whether a file may be what an opening left that was killed."""
    return name in ("lock", "runs.parquet") or name.startswith((".study.json.", ".runs.parquet."))


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
    columns["untrained_return"] = pl.Series(np.asarray(result.untrained_return)).repeat_by(updates).explode()
    columns["env_steps"] = pl.Series(np.tile(np.arange(1, updates + 1) * batch, len(runs)))
    measured = result.curve._asdict()
    learned = measured.pop("learned") or {}
    measured |= {f"learned {name}": values for name, values in learned.items()}
    curve = {name: pl.Series(np.asarray(array).reshape(-1)) for name, array in measured.items()}
    return pl.DataFrame(columns | curve).with_columns(pl.col(pl.Float32).fill_nan(None))


def versions() -> dict[str, str]:
    """What a result was made with: versions of Python and libraries, and the devices (bits depend on both)."""
    found = {name: importlib.metadata.version(name) for name in VERSIONED}
    devices = jax.devices()
    return {"python": platform.python_version(), **found, "devices": f"{len(devices)} × {devices[0].device_kind}"}


def first_difference(ours: Any, theirs: Any, name: str = "") -> str:
    """Name the first value in which two nested dictionaries differ."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict):
        return f"{name} is {theirs!r} there and {ours!r} here"
    for key in ours:
        if json.dumps(ours[key]) != json.dumps(theirs.get(key)):
            return first_difference(ours[key], theirs.get(key), f"{name}.{key}" if name else key)
    return "made by another version of the algorithm, or with another source of dynamics or guidance"
