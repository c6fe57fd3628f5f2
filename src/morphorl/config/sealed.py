"""Sealed files: they carry a checksum of themselves, so that a change by anybody or anything else is noticed.

JSON has it as a last key, `checksum`: of the content, however it is indented. A Parquet table has it in its metadata:
of all its bytes, but for the digits of the checksum itself.
"""

import io
import json
import re
from pathlib import Path
from typing import Any

import polars as pl

from morphorl.config.errors import StoreError
from morphorl.config.files import digest, read, write_atomically, write_json

KEY = "checksum"
SEAL = re.compile(rb"morphorl checksum \(([0-9a-f]{32})\)")
"""A table's checksum among its bytes, where Parquet keeps metadata. It is found without a reader of Parquet, which a
damaged table may bring down."""
BLANK = b"morphorl checksum (00000000000000000000000000000000)"
"""What stands in its place when it is computed."""


def write_sealed_json(path: Path, content: dict[str, Any]) -> None:
    """Write a dictionary with its checksum, as `write_json` does."""
    write_json(path, content | {KEY: _of_json(content)})


def read_sealed_json(path: Path) -> dict[str, Any]:
    """What `write_sealed_json` wrote.

    Raises:
        StoreError: if the file is no longer that.
        FileNotFoundError: if there is none.
    """
    try:
        content = json.loads(read(path).decode())
        if not isinstance(content, dict):
            raise ValueError("is no table of values")
        sealed = content.pop(KEY, None)
        same = sealed == _of_json(content)
    except (ValueError, RecursionError) as error:  # no UTF-8 and no JSON are ValueErrors
        raise StoreError(f"{path}: is damaged ({error}).") from error
    if not same:
        raise StoreError(f"{path}: is damaged, or was edited (its checksum is not that of its content).")
    return content


def write_sealed_table(path: Path, table: pl.DataFrame) -> None:
    """Write a table with its checksum, atomically."""
    blank = table_bytes(table, {KEY: BLANK.decode()})
    sealed = blank.replace(BLANK, b"morphorl checksum (%s)" % digest(blank).encode())
    write_atomically(path, lambda temporary: temporary.write_bytes(sealed))


def read_sealed_table(path: Path) -> pl.DataFrame:
    """What `write_sealed_table` wrote.

    Raises:
        StoreError: if the file is no longer that.
        FileNotFoundError: if there is none.
    """
    content = read(path)
    seal = SEAL.search(content)
    if seal is None or digest(SEAL.sub(BLANK, content)).encode() != seal[1]:
        raise StoreError(f"{path}: is damaged, or was edited (its checksum is not that of its content).")
    return pl.read_parquet(io.BytesIO(content))


def table_bytes(table: pl.DataFrame, metadata: dict[str, str]) -> bytes:
    """A table as Parquet. It is put together in memory, for Polars calls a full disk a damaged file."""
    buffer = io.BytesIO()
    table.write_parquet(buffer, metadata=metadata)
    return buffer.getvalue()


def _of_json(content: dict[str, Any]) -> str:
    return digest(json.dumps(content).encode())
