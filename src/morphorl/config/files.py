"""Files that are there whole or not at all, and that can tell whether they still are what was written."""

import hashlib
import io
import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from morphorl.config.errors import StoreError


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a temporary name, flush it to the disk, and only then give it its name."""
    _write_and_name(path.parent, path.name, write, lambda temporary: path)


def write_by_content(folder: Path, suffix: str, write: Callable[[Path], Any]) -> Path:
    """Write a file as `write_atomically` does, and name it after its own checksum."""
    return _write_and_name(folder, suffix, write, lambda temporary: folder / (checksum(temporary) + suffix))


def write_table(table: pl.DataFrame, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a table as Parquet. It is put together in memory, for Polars calls a full disk a damaged file."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, metadata=metadata)
    path.write_bytes(buffer.getvalue())


def checksum(path: Path) -> str:
    """The first 32 hexadecimal digits of a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def refuse_links_out(root: Path) -> None:
    """Raise `StoreError` if a link in the folder, or in a folder of it, leads out: what is written must stay inside."""
    home = root.resolve()
    for folder in (root, *(entry for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink())):
        for entry in os.scandir(folder):
            if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(home):
                raise StoreError(
                    f"{entry.path}: is a link that leads out of {str(root)!r}; must be a file or folder in it. "
                    "Nothing was touched."
                )


def _write_and_name(folder: Path, name: str, write: Callable[[Path], Any], final_name: Callable[[Path], Path]) -> Path:
    temporary = folder / f".{name}.{uuid.uuid4().hex}"
    try:
        write(temporary)
        _flush(temporary)
        path = final_name(temporary)
        temporary.replace(path)
        _flush(folder)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
