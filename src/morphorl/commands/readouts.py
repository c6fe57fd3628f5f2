"""`morphorl readouts`."""

import dataclasses

from rich.table import Table

from morphorl.analysis import readout_noise
from morphorl.commands.shared import Changes, StudyName, console, trust_study
from morphorl.studies import study_file


@dataclasses.dataclass
class ReadoutsCommand:
    """Measure the readouts of a study's arms: how large they are, and how long they persist.

    The two numbers are what `dynamics.deviation` and `dynamics.autocorrelation` must be for noise that matches an arm.
    They are taken over whole trainings, which this command runs and does not keep: a few seeds do.
    """

    study: StudyName
    """A study file (….toml), or the name of a study that `morphorl studies` lists."""
    set: Changes = ()
    """Change a value of the study, in TOML's syntax: --set seeds=4 --set settings.ppo.epochs=2. May be repeated."""

    def __call__(self) -> None:
        trust_study(self.study, self.set)
        study = study_file.load(self.study, self.set)
        with console.status(f"training {study.size:,} runs and measuring their readouts"):
            measured = readout_noise.measure(study)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for name in ("preset", "environment", "arm"):
            table.add_column(name)
        for name in ("deviation", "autocorrelation"):
            table.add_column(name, justify="right")
        for label, readouts in measured.items():
            table.add_row(*label, f"{readouts.deviation:.3g}", f"{readouts.autocorrelation:.4f}")
        console.print(table)
