"""What several commands share."""

import argparse
import importlib.util
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


def early(arguments: list[str], option: str) -> str | None:
    """The value of an option, read before all others since it decides their defaults."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument(option, dest="value")
    return parser.parse_known_args(arguments)[0].value


def trust_study(study: str, changes: tuple[str, ...]) -> None:
    """Let the modules be imported that a study names which the user has asked to run, and say where they are.

    Raises:
        SettingError: if there is no such module; or for what is no study file.
    """
    from morphorl.config import kinds  # JAX, which commands that only read files do without
    from morphorl.studies import study_file

    for module in study_file.foreign_modules(study, changes):
        kinds.trust(module)
        kinds.find_in_working_folder()
        try:
            found = importlib.util.find_spec(module)
        except ModuleNotFoundError:  # of the package around it
            found = None
        if found is None:
            raise SettingError(
                f"kind: the module {module!r} was not found; it must lie in the folder where the command runs, or be "
                "installed."
            )
        console.print(f"Imports {module} from {found.origin}", markup=False, highlight=False, soft_wrap=True)
