"""The files of a folder that somebody else wrote: looked through without following links, and within limits."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from morphorl.config.errors import SettingError, StoreError, quoted

MOST_FILES = 200_000
"""Files that are looked at below the paths of a command."""
MOST_BYTES = 1_000_000_000
"""A larger file is refused: reading it could take more memory than there is."""
HEAD = 4_096
"""Bytes at the start of a file that tell what it is."""


def files(path: Path) -> Iterator[Path]:
    """All regular files at or below a path, in the order of their names.

    Links inside the folder are left out: what they lead to is found by its own name, or else would be counted twice.
    Hidden folders are left out too.

    Raises:
        SettingError: if there is nothing at the path, or more than `MOST_FILES` files.
        StoreError: for a link that leads out of the folder.
    """
    if not path.exists():
        raise SettingError(f"PATH = {quoted(str(path))}: does not exist; must be a file or a folder with logs.")
    if path.is_file():
        yield path
        return
    if not path.is_dir():
        raise SettingError(f"PATH = {quoted(str(path))}: is neither a file nor a folder.")
    home, count = Path(os.path.realpath(path)), 0
    for folder, folders, names in os.walk(path, onerror=_refuse):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and _may_enter(home, folder, name))
        for name in sorted(names):
            here = Path(folder, name)
            if here.is_symlink():
                _refuse_leading_out(home, here)
            elif not name.startswith(".") and stat.S_ISREG(here.lstat().st_mode):
                count += 1
                if count > MOST_FILES:
                    raise SettingError(
                        f"PATH = {quoted(str(path))}: holds more than {MOST_FILES:,} files; name a smaller folder."
                    )
                yield here


def _refuse(error: OSError) -> None:
    raise StoreError(f"{error.filename}: cannot be looked into ({error.strerror}).") from error


def head(path: Path) -> bytes:
    """The first bytes of a file.

    Raises:
        StoreError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}).") from error


def refuse_large(path: Path) -> None:
    """Refuse a file of more than `MOST_BYTES`, whatever they are."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise StoreError(
            f"{path}: has {size / 1e9:.1f} GB; must be at most {MOST_BYTES / 1e9:.0f} GB. Keep only the columns of "
            "step, return and seed."
        )


def _may_enter(home: Path, folder: str, name: str) -> bool:
    here = Path(folder, name)
    if not here.is_symlink():
        return True
    _refuse_leading_out(home, here)
    return False


def _refuse_leading_out(home: Path, link: Path) -> None:
    if not Path(os.path.realpath(link)).is_relative_to(home):
        raise StoreError(
            f"{link}: is a link that leads out of {str(home)!r}; name its target as a PATH of its own, or remove it."
        )
