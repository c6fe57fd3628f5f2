"""What a check finds, and the checks that systems and rules have in common: those of their settings."""

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Callable, Iterator
from typing import NamedTuple

from jax.extend.core import Jaxpr

from morphorl.config.errors import SettingError
from morphorl.config.kinds import Kind

SETTINGS = "settings: each has a docstring and an allowed default"
"""The first check of any class."""


class ConformanceError(SettingError):
    """A class does not keep the contract; the message has a line for each check that failed."""


class Finding(NamedTuple):
    """One check: what it looks at, and what is wrong; None if all is well."""

    check: str
    problem: str | None


def made_of[K: Kind](cls: type[K]) -> tuple[K | None, str | None]:
    """An instance with all settings as they are by default, or what is wrong."""
    try:
        return cls(), None
    except (TypeError, SettingError) as error:
        return None, f"cannot be made without arguments ({error}); give every field a default by `setting(…)`."


def undocumented(cls: type[Kind]) -> str | None:
    """The settings without a docstring below them."""
    documented = {name for one in cls.__mro__ for name in _documented(one)}
    missing = sorted({field.name for field in dataclasses.fields(cls)} - documented)
    if not missing:
        return None
    return f"{', '.join(missing)}: must have a docstring below, which `--help` and the error messages show."


def _documented(cls: type) -> Iterator[str]:
    """The fields of a class that a string follows."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    except (OSError, TypeError):
        return
    assert isinstance(body, ast.ClassDef)
    for before, after in zip(body.body[:-1], body.body[1:], strict=True):
        if isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name) and isinstance(after, ast.Expr):
            yield before.target.id


def tried[T](check: Callable[[T], str | None], subject: T) -> str | None:
    """What a check says; an exception in the class's own code is a finding as well."""
    try:
        return check(subject)
    except Exception as error:
        return f"raises {type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'without a word'}"


def raise_problems(name: str, findings: list[Finding]) -> None:
    """Raise a `ConformanceError` with every problem found, if there is one."""
    problems = [f"- {finding.problem}" for finding in findings if finding.problem]
    if problems:
        raise ConformanceError("\n".join([f"{name} does not keep the contract:", *problems]))


def calls_outside(program: Jaxpr) -> list[str]:
    """The operations of a program, and of those inside it, that call Python while it runs."""
    names = [str(equation.primitive) for equation in _equations(program)]
    return [name for name in names if "callback" in name or "print" in name]


def _equations(jaxpr) -> Iterator:
    """All equations of a program, those inside others too."""
    for equation in jaxpr.eqns:
        yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                closed = getattr(inner, "jaxpr", inner)
                if hasattr(closed, "eqns"):
                    yield from _equations(closed)
