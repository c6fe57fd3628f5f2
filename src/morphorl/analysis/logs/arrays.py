"""Arrays of others, in NPZ files: looked at before they are loaded, and never unpickled."""

import ast
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from morphorl.analysis.logs.finding import MOST_BYTES, refuse_large
from morphorl.config.errors import StoreError, shortened


def names(path: Path) -> list[str]:
    """The names of the arrays in an NPZ file, whose types and sizes are fit to be loaded.

    Raises:
        StoreError: for what is no NPZ file, holds pickled objects, or would take more than `MOST_BYTES` of memory.
    """
    refuse_large(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > MOST_BYTES:
                raise StoreError(f"{path}: unpacks to {size / 1e9:.1f} GB; must be at most {MOST_BYTES / 1e9:.0f} GB.")
            for member in members:
                with archive.open(member) as file:
                    _check(path, member.filename, member.file_size, file)
            return [member.filename.removesuffix(".npy") for member in members]
    except (zipfile.BadZipFile, OSError, ValueError, SyntaxError, EOFError, NotImplementedError, RuntimeError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path}: is no NPZ file, or a damaged one ({shortened(str(error))}).") from error


def read(path: Path, wanted: Sequence[str], optional: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """Some arrays of an NPZ file.

    Raises:
        StoreError: as `names`, and if an array of `wanted` is not there.
    """
    there = names(path)
    missing = [name for name in wanted if name not in there]
    if missing:
        raise StoreError(f"{path}: has no array {', '.join(missing)}; it has {', '.join(there[:12]) or 'none'}.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in (*wanted, *optional) if name in there}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise StoreError(f"{path}: is a damaged NPZ file ({shortened(str(error))}).") from error


def _check(path: Path, name: str, size: int, file: IO[bytes] | zipfile.ZipExtFile) -> None:
    """Look at an array's header: no pickled objects, and as many bytes as its shape calls for."""
    version = np.lib.format.read_magic(file)
    length = 2 if version == (1, 0) else 4
    header = file.read(int.from_bytes(file.read(length), "little"))
    described = ast.literal_eval(header.decode("latin1"))
    kind = np.dtype(described["descr"])
    if kind.hasobject:
        raise StoreError(
            f"{path}: {name.removesuffix('.npy')} holds pickled Python objects, which can run any code when they are "
            "loaded; must hold numbers and text. Nothing was loaded."
        )
    if int(np.prod(described["shape"], dtype=object)) * kind.itemsize > size:
        raise StoreError(f"{path}: {name.removesuffix('.npy')} claims more numbers than the file has.")
