"""`morphorl play`."""

import dataclasses
import shlex
import webbrowser
from pathlib import Path
from typing import Annotated

import tyro

from morphorl.commands.shared import console
from morphorl.config.files import write_atomically
from morphorl.config.jax_environment import refusing_wrong_variables
from morphorl.report.html_data import Plain


@dataclasses.dataclass
class Play:
    """Write playground.html and open it: push an agent and its cell, train, stir the field. One file, no network."""

    agents: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="AGENTS")] = None
    """A folder that `morphorl run`, `reproduce` or `train` wrote; the page is written into it. If not given, agents
    that come along are shown, and the page is written here."""
    open: bool = True
    """Open the page in the browser. --no-open does not."""

    def __call__(self) -> None:
        with refusing_wrong_variables():  # JAX, whose settings the page takes over
            from morphorl.report.playground import playground_data, playground_page
        if self.agents is None:
            folder, shown, remarks, command = Path(), playground_data.shipped_agents(), "", "morphorl play"
        else:
            folder, command = self.agents, f"morphorl play {shlex.quote(str(self.agents))}"
            shown, remarks = _read(folder)
        text = playground_page.page(shown, command, remarks)
        path = folder / "playground.html"
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        console.print(f"Playground: {path} ({path.stat().st_size / 1e3:.0f} kB)", soft_wrap=True)
        if self.open:
            webbrowser.open(path.resolve().as_uri())


def _read(folder: Path) -> tuple[list[Plain], str]:
    """The agents of a folder, and sentences about them; some play an episode for it."""
    from morphorl.config.devices import start, use_all_cores

    use_all_cores()
    start()  # before gymnax is imported, which computes
    from morphorl.report.playground import agents

    with console.status("reading the agents"):
        return agents.of_folder(folder)
