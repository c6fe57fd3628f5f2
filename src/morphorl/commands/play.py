"""`morphorl play`."""

import dataclasses
import webbrowser
from pathlib import Path
from typing import Annotated

import tyro

from morphorl.commands.shared import console
from morphorl.config.files import write_atomically
from morphorl.report.playground import agents as playground_agents
from morphorl.report.playground import playground_page


@dataclasses.dataclass
class Play:
    """Write playground.html and open it: push an agent and its cell, train, stir the field. One file, no network."""

    agents: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="AGENTS")] = None
    """A folder that `morphorl run`, `reproduce` or `train` wrote; the page is written into it. If not given, agents
    that come along are shown, and the page is written here."""
    open: bool = True
    """Open the page in the browser. --no-open does not."""

    def __call__(self) -> None:
        folder = self.agents or Path()
        if self.agents is None:
            shown, told, command = playground_agents.shipped(), "", "morphorl play"
        else:
            with console.status("reading and playing the agents"):
                shown, told = playground_agents.of_folder(self.agents)
            command = f"morphorl play {self.agents}"
        text = playground_page.page(shown, command, told)
        path = folder / "playground.html"
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
        console.print(f"Playground: {path} ({path.stat().st_size / 1e3:.0f} kB)", soft_wrap=True)
        if self.open:
            webbrowser.open(path.resolve().as_uri())
