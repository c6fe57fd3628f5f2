"""Files that are there whole or not at all."""

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_atomically(path: Path, write: Callable[[Path], Any]) -> None:
    """Write a file under a temporary name, flush it to the disk, and only then give it its name."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        write(temporary)
        for flushed in (temporary, path.parent):
            descriptor = os.open(flushed, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
