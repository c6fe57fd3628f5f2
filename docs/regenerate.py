"""Makes a result of docs/results again, by the commands that docs/results/index.toml keeps for it.

Usage: uv run docs/regenerate.py --list
       uv run docs/regenerate.py claims --dry-run

What it makes lies in runs/, beside nothing that is published: compare, and copy by hand what should replace a result.
"""

import dataclasses
import datetime
import difflib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated

import tyro

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
INDEX = RESULTS / "index.toml"


@dataclasses.dataclass(frozen=True)
class Entry:
    """What a file or folder of docs/results is."""

    what: str
    """A sentence."""
    commands: list[str]
    """What makes it again; empty where that is gone."""
    commit: str
    """The last one that changed it."""
    date: datetime.date
    """Of that commit."""
    pages: list[str]
    """Those that quote it: README.md, or names below docs."""
    seeds: str = ""
    time: str = ""
    """What the commands took, where a page says it."""


def index() -> dict[str, Entry]:
    """All entries by the path below docs/results that they cover."""
    return {path: Entry(**fields) for path, fields in tomllib.loads(INDEX.read_text()).items()}


def owner(path: str, entries: dict[str, Entry]) -> str | None:
    """The entry that covers a file: the longest of those that are the file or a folder above it."""
    above = [entry for entry in entries if path == entry or path.startswith(f"{entry}/")]
    return max(above, key=len, default=None)


@dataclasses.dataclass
class Regenerate:
    """Print and run the commands that make a result again."""

    result: tyro.conf.Positional[str] = ""
    """Its path below docs/results, such as memory/noisy."""
    dry_run: bool = False
    """Print the commands and run none."""
    all: Annotated[bool, tyro.conf.arg(name="list")] = False
    """Print what there is."""

    def __call__(self) -> int:
        entries = index()
        if self.all:
            print(*(f"{path}: {entry.what}" for path, entry in entries.items()), sep="\n")
            return 0
        if self.result not in entries:
            return _refused(self.result, list(entries))
        entry = entries[self.result]
        if not entry.commands:
            print(f"{self.result}: {entry.what}", file=sys.stderr)
            return 1
        return _run(entry.commands, self.dry_run)


def _refused(result: str, known: list[str]) -> int:
    near = difflib.get_close_matches(result, known, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    print(f"{result!r} is no result in docs/results/index.toml.{hint} --list prints all.", file=sys.stderr)
    return 2


def _run(commands: list[str], dry: bool) -> int:
    """Run commands in a shell, in the clone's root, until one fails; the exit status of that one, or 0."""
    for command in commands:
        print(command, flush=True)
        status = 0 if dry else subprocess.run(command, shell=True, cwd=ROOT, check=False).returncode
        if status:
            print(f"This command ended with {status}; those after it were not run.", file=sys.stderr)
            return status
    return 0


if __name__ == "__main__":
    sys.exit(tyro.cli(Regenerate)())
