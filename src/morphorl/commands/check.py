"""`morphorl check`."""

import dataclasses
import inspect
import sys
from typing import Annotated

import tyro
from rich.table import Table
from rich.text import Text

from morphorl.commands.shared import console, trust_module
from morphorl.config import kinds, trust
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.config.kinds import Kind
from morphorl.dynamics.base import Dynamics, Shape
from morphorl.dynamics.conformance.findings import Finding
from morphorl.dynamics.conformance.rules import guidance_findings
from morphorl.dynamics.conformance.systems import dynamics_findings
from morphorl.dynamics.guidance.base import Guidance
from morphorl.environments import registry
from morphorl.environments.base import is_host, module_of
from morphorl.environments.conformance import environment_findings


@dataclasses.dataclass
class Check:
    """Test a dynamical system, a rule of guidance or an environment against its contract, and say what to change.

    Without a name: list those that come along.
    """

    name: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")] = None
    """MODULE:NAME for one of your own, found in this folder or installed; or one of ours."""
    shape: tuple[int, int] = (4, 2)
    """Observation features and actions to test a system with."""

    def __call__(self) -> None:
        if self.name is None:
            _list("dynamics.kind and memory.kind", Dynamics)
            _list("guidance.kind", Guidance)
            return
        findings = _findings(self.name, self.shape)
        _show(self.name, findings)
        if any(finding.problem for finding in findings):
            sys.exit(1)


def _findings(name: str, shape: Shape) -> list[Finding]:
    """What the checks say of whatever has that name. To type a module's name is to trust it."""
    module = module_of(name)
    if module is not None:
        trust_module(module)
    if is_host(name):
        raise SettingError(f"name = {name!r}: must be one in JAX; gymnasium.utils.env_checker tests Gymnasium's.")
    if module is not None and _is_environment(name):
        return environment_findings(name)
    if module is not None:
        cls = kinds.resolve(Kind, name)
        if issubclass(cls, Dynamics):
            return dynamics_findings(cls, shape)
        return guidance_findings(kinds.resolve(Guidance, name))
    if name in kinds.names(Dynamics):
        return dynamics_findings(kinds.resolve(Dynamics, name), shape)
    if name in kinds.names(Guidance):
        return guidance_findings(kinds.resolve(Guidance, name))
    if name in registry.names():
        return environment_findings(name)
    every = [*kinds.names(Dynamics), *kinds.names(Guidance), *registry.names()]
    raise SettingError(
        f"name = {name!r}: must be MODULE:NAME, a system, a rule or an environment (`morphorl check` lists the first "
        f"two).{did_you_mean(name, every)}"
    )


def _is_environment(name: str) -> bool:
    """Whether a name leads to an environment; what is neither that nor a class of settings is refused as both."""
    module, _, attribute = name.partition(":")
    found = getattr(trust.imported(module, f"name = {name!r}"), attribute, None)
    return not (inspect.isclass(found) and issubclass(found, Kind))


def _show(name: str, findings: list[Finding]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, title=name.rpartition(":")[2], title_justify="left")
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
