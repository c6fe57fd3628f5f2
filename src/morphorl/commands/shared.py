"""What several commands share."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from morphorl.config import trust
from morphorl.config.consoles import TextConsole
from morphorl.config.errors import SettingError
from morphorl.config.files import refuse_links_out
from morphorl.config.following import Follow, unseen

Preset = Literal["standard", "tuned", "continuous", "sb3"]
Folder = Annotated[Path, tyro.conf.arg(metavar="DIR")]
PositionalFolder = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DIR")]
StudyName = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="STUDY")]
Changes = Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="KEY=VALUE")]

console = TextConsole()


@contextmanager
def following() -> Iterator[Follow]:
    """A context that shows a bar for each loop that is followed in it, on a terminal, and leaves nothing of them."""
    if not console.is_terminal:
        yield unseen
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True) as progress:

        def follow[T](items: Iterable[T], total: int, doing: str) -> Iterable[T]:
            return progress.track(items, total, description=doing)

        yield follow


def folder_of(name: str) -> Path:
    """Where a study's results go if nobody says otherwise: `runs/NAME`.

    Raises:
        SettingError: if that leads out of `runs`, by a link.
        StoreError: if a link in it leads out of it.
    """
    folder = Path("runs") / name
    if folder.is_symlink() and not folder.resolve().is_relative_to(Path("runs").resolve()):
        raise SettingError(f"out = {str(folder)!r}: is a link that leads out of 'runs'; name its target with --out.")
    refuse_links_out(folder)
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
    from morphorl.studies import study_file  # JAX, which commands that only read files do without

    for module in study_file.foreign_modules(study, changes):
        trust_module(module)


def trust_module(module: str) -> None:
    """Let a module be imported that the user has named, and say where it is before any of it runs.

    Raises:
        SettingError: if there is no such module.
    """
    trust.trust(module)
    trust.find_in_working_folder()
    found = _file_of(module)
    if found is None:
        raise SettingError(
            f"module = {module!r}: was not found; it must lie in the folder where the command runs, or be installed."
        )
    console.print(f"Imports {module} from {found}", soft_wrap=True)


def _file_of(module: str) -> str | None:
    """Where a module's code lies, found without running any: not even that of the packages around it."""
    parts, path, found = module.split("."), None, None
    for i in range(len(parts)):
        found = PathFinder.find_spec(".".join(parts[: i + 1]), path)
        if found is None:
            return None
        path = found.submodule_search_locations or []
    return found and found.origin
