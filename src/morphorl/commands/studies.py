"""`morphorl studies`."""

import dataclasses
import re
from pathlib import Path
from typing import Annotated

import tyro
from rich.table import Table

from morphorl.commands.shared import console
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.studies.library import introduction, shipped


@dataclasses.dataclass
class Studies:
    """List the studies that come with morphorl, a line each; or say all about one."""

    study: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")] = None
    """The study to say all about: what it asks, and where its file is."""

    def __call__(self) -> None:
        if self.study is None:
            console.print(_overview(shipped()))
            console.print("All about one: morphorl studies NAME. How large it is: morphorl plan NAME.", style="dim")
            return
        if (path := shipped().get(self.study)) is None:
            near = did_you_mean(self.study, list(shipped()))
            raise SettingError(f"study = {self.study!r}: no study of that name comes along.{near}")
        console.print(f"{introduction(path)}\n\n{path}")


def _overview(studies: dict[str, Path]) -> Table:
    """A line for each: its name, and the first sentence of what it asks, as far as the screen is wide."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True, min_width=max(map(len, studies)))
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for name, path in studies.items():
        table.add_row(name, re.split(r"(?<=[.?!])\s", introduction(path), maxsplit=1)[0])
    return table
