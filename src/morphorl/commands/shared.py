"""What several commands share."""

import argparse
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console

from morphorl.config.errors import SettingError

Preset = Literal["standard", "tuned", "sb3"]
Folder = Annotated[Path, tyro.conf.arg(metavar="DIR")]
PositionalFolder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
StudyName = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY")]
Changes = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE")]

console = Console()


def folder_of(name: str) -> Path:
    """Where a study's results go if nobody says otherwise: `runs/NAME`.

    Raises:
        SettingError: if that leads out of `runs`, by a link.
    """
    folder = Path("runs") / name
    if folder.is_symlink() and not folder.resolve().is_relative_to(Path("runs").resolve()):
        raise SettingError(f"out = {str(folder)!r}: is a link that leads out of 'runs'; name its target with --out.")
    return folder


def early_preset() -> str | None:
    """The `--preset` on the command line, read before all other options: it decides their defaults."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    early.add_argument("--preset")
    return early.parse_known_args(sys.argv[2:])[0].preset
