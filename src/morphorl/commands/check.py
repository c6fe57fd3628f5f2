"""`morphorl check`."""

import dataclasses
import sys
from typing import Annotated

import tyro
from rich.table import Table
from rich.text import Text

from morphorl.commands.shared import console, trust_module
from morphorl.config import kinds
from morphorl.config.errors import SettingError
from morphorl.config.kinds import Kind
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.conformance.findings import Finding
from morphorl.dynamics.conformance.rules import guidance_findings
from morphorl.dynamics.conformance.systems import dynamics_findings
from morphorl.dynamics.guidance.base import Guidance


@dataclasses.dataclass
class Check:
    """Test a dynamical system or a rule of guidance against the contract, and say what to change.

    Without a name: list those that come along.
    """

    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")] = None
    """MODULE:CLASS for one of your own, found in this folder or installed; or one of ours."""
    shape: tuple[int, int] = (4, 2)
    """Observation features and actions to test a system with."""

    def __call__(self) -> None:
        if self.name is None:
            _list("dynamics.kind and memory.kind", Dynamics)
            _list("guidance.kind", Guidance)
            return
        cls = _find(self.name)
        findings = dynamics_findings(cls, self.shape) if issubclass(cls, Dynamics) else guidance_findings(cls)
        _show(cls, findings)
        if any(finding.problem for finding in findings):
            sys.exit(1)


def _find(name: str) -> type[Dynamics] | type[Guidance]:
    """The class of that name. To type a module's name is to trust it."""
    if kinds.is_foreign(name):
        trust_module(name.partition(":")[0])
        return kinds.resolve(Kind, name)  # pyright: ignore[reportReturnType]
    for base in (Dynamics, Guidance):
        if name in kinds.names(base):
            return kinds.resolve(base, name)
    every = [*kinds.names(Dynamics), *kinds.names(Guidance)]
    raise SettingError(f"name = {name!r}: must be MODULE:CLASS, or one of {', '.join(every)}.")


def _show(cls: type[Kind], findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, title=cls.__name__, title_justify="left")
    for finding in findings:
        mark = Text("✗", "red") if finding.problem else Text("✓", "green")
        table.add_row(mark, finding.check + (f"\n{finding.problem}" if finding.problem else ""))
    console.print(table)


def _list(where: str, base: type[Kind]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, title=where, title_justify="left")
    for name in kinds.names(base):
        table.add_row(name, str(kinds.resolve(base, name).__doc__).partition("\n")[0])
    console.print(table)
    console.print()
