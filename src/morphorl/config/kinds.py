"""Kinds: which class stands behind a name in a settings table, be it one of ours or one of the user's own.

A table whose classes may vary names one with `kind`. `blind` is the class in our file of that name;
`my_lab.rules:Chemotaxis` is the class `Chemotaxis` of the module `my_lab.rules`, as in Gymnasium's ids, which is
imported only if it is trusted (`trust.py`).
"""

import dataclasses
import functools
import hashlib
import importlib
import inspect
import pkgutil
import sys
import typing
from typing import ClassVar

import equinox as eqx

from morphorl.config import trust
from morphorl.config.errors import SettingError, did_you_mean


class Kind(eqx.Module):
    """A module of settings whose class is chosen by name."""

    package: ClassVar[str] = ""
    """The package whose files hold our kinds, one class a file, named after it."""
    slots: ClassVar[tuple[str, ...]] = ()
    """The tables of `Settings` that hold one."""

    @classmethod
    def base(cls) -> type["Kind"]:
        """The class from which all of its sort derive: `Dynamics` or `Guidance`."""
        return next(one for one in cls.__mro__ if Kind in one.__bases__)

    @property
    def kind(self) -> str:
        """The name by which `resolve` finds this class."""
        return name_of(type(self))


def is_foreign(name: str) -> bool:
    """Whether a name leads out of our own files."""
    return ":" in name


def name_of(cls: type[Kind]) -> str:
    """The name of a class: that of its file if it is one of ours, else `module:Class`."""
    ours = cls.package + "."
    if cls.__module__.startswith(ours):
        return cls.__module__.removeprefix(ours)
    return f"{cls.__module__}:{cls.__qualname__}"


def names(base: type[Kind]) -> list[str]:
    """The names of our own classes of this base."""
    return list(_ours(base))


def resolve[K: Kind](base: type[K], name: str) -> type[K]:
    """The class of that name.

    Raises:
        UntrustedError: for a foreign module that is neither imported nor trusted. Nothing was imported.
        SettingError: if there is no such module or class, or the class is not a `base`.
    """
    if not isinstance(name, str) or not is_foreign(name):
        if name not in _ours(base):
            hint = did_you_mean(name, names(base))
            raise SettingError(
                f"kind = {name!r}: must be one of {', '.join(names(base))}, or MODULE:CLASS for one of your own.{hint}"
            )
        return typing.cast(type[K], _ours(base)[name])
    module_name, _, class_name = name.partition(":")
    cls = _class_of(trust.imported(module_name, f"kind = {name!r}"), class_name, base)
    if not (inspect.isclass(cls) and issubclass(cls, base)):
        raise SettingError(f"kind = {name!r}: {class_name} must be a class derived from {base.__name__}.")
    return cls


def source_hash(cls: type[Kind]) -> str | None:
    """A hash of the files that a foreign class and its foreign bases stand in; None for ours, which have a version.

    It is part of a run's identity, so that runs of edited dynamics are never mixed up with older ones. Whole files,
    since a class does what the functions and numbers beside it say. What these files import is not covered.
    """
    foreign = [one for one in cls.__mro__ if one not in Kind.__mro__ and not one.__module__.startswith("morphorl.")]
    if not foreign:
        return None
    return hash_of([name_of(cls), *dict.fromkeys(source_of(one.__module__, one.__qualname__) for one in foreign)])


def hash_of(texts: list[str]) -> str:
    """Sixteen hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def source_of(module: str, name: str) -> str:
    """The text of an imported module's file; what the name in it is called where Python keeps no text, as for one typed
    at a prompt."""
    try:
        return inspect.getsource(sys.modules[module])
    except (KeyError, OSError, TypeError):
        return f"{module}:{name}"


def foreign_sources(settings: eqx.Module) -> dict[str, str]:
    """The foreign classes among the tables of some settings, by name, and the hash of each one's source."""
    classes = {type(getattr(settings, field.name)) for field in dataclasses.fields(settings)}
    hashes = {name_of(cls): source_hash(cls) for cls in classes if issubclass(cls, Kind)}
    return {name: found for name, found in hashes.items() if found is not None}


def foreign_modules(settings: eqx.Module) -> list[str]:
    """The modules of the foreign classes among the tables of some settings."""
    return sorted({name.partition(":")[0] for name in foreign_sources(settings)})


def refuse_unimportable(settings: eqx.Module) -> None:
    """Raise `SettingError` if a table's class is one that no other process can import by its name.

    Such are classes typed at a prompt or in a notebook, in the script that is running, or inside a function. They may
    be used; but what names them in a file could not be read again.
    """
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        cls = type(value)
        if not isinstance(value, Kind) or (cls.__module__ != "__main__" and _is_where_it_says(cls)):
            continue
        raise SettingError(
            f"{field.name}.kind = {value.kind!r}: must be a class that can be imported by that name, for what is saved "
            f"with it to be read again; put {cls.__name__} at the top level of a file of its own, such as my_lab.py, "
            "and import it from there."
        )


def _is_where_it_says(cls: type) -> bool:
    return getattr(sys.modules.get(cls.__module__), cls.__qualname__, None) is cls


def _class_of(module, class_name: str, base: type[Kind]):
    found = getattr(module, class_name, None)
    if found is None:
        classes = {key: value for key, value in vars(module).items() if inspect.isclass(value)}
        fitting = [key for key, value in classes.items() if issubclass(value, base) and value is not base]
        raise SettingError(
            f"kind = '{module.__name__}:{class_name}': {module.__name__} has no {class_name}; must be one of its "
            f"classes derived from {base.__name__}: {', '.join(fitting) or 'it has none'}."
            f"{did_you_mean(class_name, fitting)}"
        )
    return found


@functools.cache
def _ours(base: type[Kind]) -> dict[str, type[Kind]]:
    """Our classes by name: in each file of the package the one class of this base that is defined there."""
    package = importlib.import_module(base.package)
    found = {}
    for file in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{base.package}.{file.name}")
        for value in vars(module).values():
            here = inspect.isclass(value) and value.__module__ == module.__name__
            if here and issubclass(value, base) and not inspect.isabstract(value) and file.name != "base":
                found[file.name] = value
    return found
