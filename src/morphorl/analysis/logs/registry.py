"""The registry of formats: each file of `formats` says which files it reads."""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from morphorl.analysis.logs import formats
from morphorl.analysis.logs.log import Asked, Log
from morphorl.config.errors import SettingError, did_you_mean


class Format(NamedTuple):
    """What a file of `formats` offers."""

    key: str
    """The file's name, by which `--format` names it."""
    name: str
    what: str
    rank: int
    claims: Callable[[Path, bytes], bool]
    read: Callable[[list[Path], Asked], Iterable[Log]]


@functools.cache
def known() -> tuple[Format, ...]:
    """All formats, those that know their files best first."""
    files = pkgutil.iter_modules(formats.__path__)
    modules = {file.name: importlib.import_module(f"{formats.__name__}.{file.name}") for file in files}
    found = [
        Format(key, module.NAME, module.WHAT, module.RANK, module.claims, module.read)
        for key, module in modules.items()
        if hasattr(module, "RANK")
    ]
    return tuple(sorted(found, key=lambda one: (one.rank, one.key)))


def named(key: str) -> Format:
    """The format of a name.

    Raises:
        SettingError: if there is none.
    """
    found = {one.key: one for one in known()}
    if key not in found:
        raise SettingError(f"format = {key!r}: must be one of {', '.join(found)}.{did_you_mean(key, list(found))}")
    return found[key]


def of(path: Path, head: bytes) -> Format | None:
    """The format that reads a file; None if none does."""
    return next((one for one in known() if one.claims(path, head)), None)


def in_words() -> list[str]:
    """Every format in a line."""
    return [f"{one.key}: {one.what}" for one in known()]
