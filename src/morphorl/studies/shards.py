"""What lies in a study's folder, read without JAX: finished runs from the shards, failures, and how far a run is.

study.json            the study, and the versions it was last run with, sealed (`sealed.py`)
runs.parquet          its runs: id, preset, environment, arm, seed, cell seed; sealed
shards/CHECKSUM.parquet       the curves of one finished batch; the file's name is its content's checksum
shards/CHECKSUM.safetensors   the agents of the batch, if they are kept; or those of its runs that are replayed, at each
                      stage of training (`stages.py`)
shards/damaged/       shards that no longer are what was written
failed/               one file for each batch that could not be trained, with the message; sealed
progress.json         what the writing process is doing, renewed every other second
lock                  locked while a process writes here
"""

import io
import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from morphorl.config.errors import StoreError
from morphorl.config.files import checksum, digest, read
from morphorl.config.sealed import read_sealed_json, read_sealed_table

DETAILS = "morphorl"
"""A key of a shard's Parquet metadata: the ids of its runs, of those that diverged, and the files of its agents."""


class Shard(NamedTuple):
    """A shard that is what was written."""

    path: Path
    runs: list[str]
    diverged: list[str]
    agents: str | None
    stages: str | None = None
    """The file of the agents kept for replays."""
    staged: tuple[str, ...] = ()
    """The ids of the runs in that file."""


def read_all(root: Path) -> tuple[list[Shard], list[Path]]:
    """All shards in a study's folder: the good ones, and the paths of the damaged ones."""
    found = {path: examine(path) for path in sorted((root / "shards").glob("*.parquet"))}
    return [shard for shard in found.values() if shard], [path for path, shard in found.items() if not shard]


def examine(path: Path) -> Shard | None:
    """A shard whose bytes, and those of its agents, still have the checksum that they are named after; else None."""
    try:
        content = read(path)
        if digest(content) != path.stem:
            return None
        shard = Shard(path, **json.loads(pl.read_parquet_metadata(io.BytesIO(content))[DETAILS]))
        for beside in filter(None, (shard.agents, shard.stages)):
            if checksum(path.with_name(beside)) != Path(beside).stem:
                return None
    except (FileNotFoundError, StoreError, KeyError, ValueError, TypeError, pl.exceptions.PolarsError):
        return None
    return shard


def failures(root: Path) -> list[dict[str, Any]]:
    """The batches that failed: `runs` (ids), `message`, `at`. A damaged note tells of none: its runs are tried."""
    return [noted for path in _notes(root) if (noted := _failure(path))]


def damaged_failures(root: Path) -> list[str]:
    """What to say of damaged notes: a sentence, or nothing where there are none."""
    damaged = len(_notes(root)) - len(failures(root))
    told = f"Damaged notes of failed batches: {damaged}; the next run tries those runs again."
    return [told] if damaged else []


def forget_failures(root: Path) -> tuple[int, int]:
    """Remove the notes of failed batches, damaged ones too; gives the number of their runs, and of damaged notes."""
    paths = _notes(root)
    known = [noted for path in paths if (noted := _failure(path))]
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    return sum(len(noted["runs"]) for noted in known), len(paths) - len(known)


def _notes(root: Path) -> list[Path]:
    return sorted((root / "failed").glob("*.json"))


def _failure(path: Path) -> dict[str, Any] | None:
    """What a note says; None if it is damaged."""
    try:
        noted = read_sealed_json(path)
    except (StoreError, FileNotFoundError):
        return None
    if not isinstance(runs := noted.get("runs"), list):
        return None
    return noted if all(isinstance(text, str) for text in (*runs, noted.get("message"), noted.get("at"))) else None


def planned(root: Path) -> pl.DataFrame:
    """The study's runs: columns run, preset, environment, arm, seed, cell_seed.

    Raises:
        StoreError: if the folder holds no study, or the list is damaged.
    """
    try:
        return read_sealed_table(root / "runs.parquet")
    except OSError as error:
        raise StoreError(f"{root}: holds no study; must be a folder that `morphorl run --out` wrote.") from error


def progress(root: Path) -> dict[str, Any]:
    """What the writing process said last, or nothing."""
    try:
        said = json.loads(read(root / "progress.json"))
        return said if isinstance(said, dict) else {}
    except (OSError, StoreError, ValueError, RecursionError):
        return {}
