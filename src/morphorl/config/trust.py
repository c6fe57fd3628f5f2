"""Trust: which modules may be imported because a name in settings leads to them.

`my_lab.rules:Chemotaxis` names a class of dynamics or guidance, `gym:my_lab:Maze-v0` an environment, and both a
module. To import a module is to run its code. So one that is not yet imported must be trusted first, which a command
does for what its user has typed or asked to run, and never for what merely stands in a stored file.
"""

import importlib
import os
import sys
from types import ModuleType

from morphorl.config.errors import SettingError

TRUSTED: set[str] = set()
"""Modules that names may lead to, and with each those inside it."""


class UntrustedError(SettingError):
    """A name leads to a module that nobody has said may be imported."""


def trust(*modules: str) -> None:
    """Let names lead to these modules (and to those inside them), for the rest of this process."""
    TRUSTED.update(modules)


def find_in_working_folder() -> None:
    """Let modules be found in the folder where the command runs, after all that is installed."""
    if (folder := os.getcwd()) not in sys.path:
        sys.path.append(folder)


def imported(module: str, setting: str) -> ModuleType:
    """The module that a setting leads to: the one place where a name in settings imports anything.

    Args:
        setting: name and value of the setting, as messages begin: `kind = 'my_lab:Leaky'`.

    Raises:
        UntrustedError: if it is neither imported nor trusted. Nothing was imported.
        SettingError: if there is no such module.
    """
    if module in sys.modules:
        return sys.modules[module]
    if not any(module == known or module.startswith(f"{known}.") for known in TRUSTED):
        raise UntrustedError(
            f"{setting}: leads to the module {module!r}, whose code would run. If you trust it, "
            f"import it first in Python; on the command line, say --trust {module}."
        )
    find_in_working_folder()
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise SettingError(
            f"{setting}: the module {module!r} cannot be imported ({error}); it must lie in the "
            "folder where the command runs, or be installed."
        ) from error
