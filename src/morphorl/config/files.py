"""Files that are there whole or not at all, and that can tell whether they still are what was written."""

import hashlib
import json
import math
import os
import stat
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, overload

from morphorl.config.errors import StoreError

MARKS = ("study.json", "runs.parquet", "scores.parquet", "search.json", "agents.json")
"""Files of which each folder has one that holds a study, its scores, a search, or agents."""


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
def finite_or_none(content: dict[str, Any]) -> dict[str, Any]: ...
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


def checksum(path: Path) -> str:
    """The first 32 hexadecimal digits of a file's SHA-256."""
    return digest(read(path))


def digest(content: bytes) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()[:32]


def read(path: Path) -> bytes:
    """All bytes of a file.

    Raises:
        StoreError: for what is no file, such as a folder, a pipe or a device (which may never end), or cannot be read.
        FileNotFoundError: if there is none.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreError(f"{path}: must be a file, and is something else.")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}).") from error


def refuse_links_out(root: Path) -> None:
    """Refuse a folder with a link in it that leads out: what is written there must stay inside, and what is read too.

    A folder of ours, which holds one of `MARKS`, is looked through to its depths. Of any other its own entries are
    looked at: nothing is written deeper, and what lies there is not ours to refuse.

    Args:
        root: the folder, which may be a link itself; nothing is refused if there is none.

    Raises:
        StoreError: for the first such link.
    """
    home = os.path.realpath(root)
    deep = any(os.path.exists(root / mark) for mark in MARKS)
    for folder, folders, names in os.walk(root):
        for path in (Path(folder, name) for name in (*folders, *names)):
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(home):
                raise StoreError(
                    f"{path}: is a link that leads out of {str(root)!r}; must be a file or folder in it. "
                    "Nothing was touched."
                )
        if not deep:
            return


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
