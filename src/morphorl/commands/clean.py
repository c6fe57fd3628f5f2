"""`morphorl clean`."""

import dataclasses

from morphorl.commands.shared import PositionalFolder, console
from morphorl.config.errors import SettingError
from morphorl.studies import shards
from morphorl.studies.lock import locked


@dataclasses.dataclass
class Clean:
    """Forget the failures of a study, so that the next `morphorl run` tries those runs again."""

    dir: PositionalFolder
    """A folder that `morphorl run` wrote."""
    failed: bool = False
    """Forget failed runs. Finished ones are never removed."""

    def __call__(self) -> None:
        if not self.failed:
            raise SettingError("clean: nothing to do; say what to remove with --failed.")
        shards.planned(self.dir)
        with locked(self.dir):
            runs, damaged = shards.forget_failures(self.dir)
        if damaged:
            notes = "1 damaged note of a failure is" if damaged == 1 else f"{damaged} damaged notes of failures are"
            console.print(f"{notes} removed too, whose runs nobody knows.", soft_wrap=True)
        console.print(f"{runs} failed runs will be tried again.")
