"""`morphorl studies`."""

import dataclasses

from rich.table import Table

from morphorl.commands.shared import console
from morphorl.studies.library import introduction, shipped


@dataclasses.dataclass
class Studies:
    """List the studies that come with morphorl."""

    def __call__(self) -> None:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        for name, path in shipped().items():
            table.add_row(name, introduction(path))
        console.print(table)
