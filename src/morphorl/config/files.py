"""Files that are there whole or not at all, and that can tell whether they still are what was written."""

import hashlib
import io
import json
import math
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import overload

import polars as pl

from morphorl.config.errors import StoreError


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, flush it to the disk, and only then give it its name."""
    _write_and_name(path.parent, path.name, write, lambda temporary: path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the operating system name this file where it names none, as that of a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def write_json(path: Path, content: object) -> None:
    """Write JSON as `write_atomically` does, indented, in UTF-8.

    Numbers that are not finite stay as Python writes them (`Infinity`), since settings may be infinite. Results, which
    others read as well, go through `finite_or_none` first.
    """
    text = json.dumps(content, indent=2, ensure_ascii=False)
    # What UTF-8 cannot hold, half of a surrogate pair, becomes the escape by which JSON writes it.
    write_atomically(path, lambda temporary: temporary.write_bytes(text.encode(errors="backslashreplace")))


@overload
def finite_or_none(content: float) -> float | None: ...
@overload
def finite_or_none(content: object) -> object: ...
def finite_or_none(content: object) -> object:
    """A value for JSON, which knows no NaN and no infinity: None for these, inside dictionaries and lists too."""
    if isinstance(content, dict):
        return {name: finite_or_none(value) for name, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite_or_none(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def write_by_content(folder: Path, suffix: str, write: Callable[[Path], object]) -> Path:
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


def _write_and_name(
    folder: Path, name: str, write: Callable[[Path], object], final_name: Callable[[Path], Path]
) -> Path:
    temporary = folder / f".{name}.{uuid.uuid4().hex}"
    try:
        with naming(folder / name):
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
