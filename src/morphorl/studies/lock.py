"""One writer for each folder: a lock of the operating system, which ends with its owner however that ends."""

import fcntl
import json
import os
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from morphorl.config.errors import StoreError

PATIENCE = 0.5
"""Seconds to wait for a lock: `owner` holds one for an instant."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only writer in a folder while in this context.

    Raises:
        StoreError: if another process is; the message names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        if not _acquire(descriptor, fcntl.LOCK_EX, time.monotonic() + PATIENCE):
            raise StoreError(
                f"out = {str(folder)!r}: {describe(_read(folder))} is writing there. "
                "Wait until it has ended, or choose another folder."
            )
        me = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "command": f"morphorl {shlex.join(sys.argv[1:])}",
            "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(me).encode(), 0)
        yield
    finally:
        os.close(descriptor)  # which ends the lock


def owner(folder: Path) -> dict[str, Any] | None:
    """Who is writing in a folder now; None for nobody."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return None if _acquire(descriptor, fcntl.LOCK_SH, time.monotonic()) else _read(folder)
    finally:
        os.close(descriptor)


def describe(owner: dict[str, Any]) -> str:
    """An owner in words."""
    if not owner:
        return "another process"
    return "process {pid} on {host} ({command}, since {since})".format(**owner)


def _acquire(descriptor: int, kind: int, until: float) -> bool:
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.02)


def _read(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "lock").read_text())
        return found if {"pid", "host", "command", "since"} <= set(found) else {}
    except (OSError, ValueError, TypeError):
        return {}
