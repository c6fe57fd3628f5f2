"""`morphorl plan`."""

import dataclasses
from collections import defaultdict

from rich.table import Table

from morphorl.commands.shared import Changes, StudyName, console, folder_of, following
from morphorl.config import devices
from morphorl.studies import memory_estimate, study_file, time_estimate
from morphorl.studies.batches import programs
from morphorl.studies.kernel_choice import with_kernel


@dataclasses.dataclass
class Plan:
    """Say how large a study is, which kernel would train it, and about how long that would take here.

    Runs nothing, writes nothing.
    """

    study: StudyName
    """A study file (….toml), or the name of a study that `morphorl studies` lists."""
    set: Changes = ()
    """Change a value of the study, in TOML's syntax: --set seeds=4 --set settings.ppo.epochs=2. May be repeated."""

    def __call__(self) -> None:
        with following() as follow:
            study, said = study_file.load_with_tables(self.study, self.set, follow)
            found = programs(follow(study.iterate(), study.size, "grouping the runs by program"))
            memory = memory_estimate.refuse_too_large(found, devices.batch_sizes()[0])
        kernel = with_kernel(study, folder_of(study.name), said.get("kernel", "auto")).kernel
        settings = [
            (program, dataclasses.replace(next(iter(program.runs.values())).settings, kernel=kernel))
            for program in found
        ]
        table = Table(title=study.name, title_justify="left", box=None, show_header=False, pad_edge=False)
        table.add_column(justify="right")
        runs = sum(len(program.runs) for program in found)
        steps = sum(len(program.runs) * one.updates * one.ppo.batch for program, one in settings)
        arms = len(study.expand(study.presets[0]))
        table.add_row(f"{arms:,}", "arms")
        table.add_row(f"{len(study.environments) * len(study.presets):,}", "environments × presets")
        table.add_row(f"{study.seeds:,}", "seeds")
        if study.cell_seeds:
            table.add_row(f"{study.cell_seeds:,}", "cell seeds with each of them")
        shared = "" if runs == study.size else f" ({study.size:,} labels; some share a run)"
        table.add_row(f"{runs:,}", f"runs{shared}")
        table.add_row(f"{len(found):,}", "compiled programs")
        table.add_row(f"{steps:,}", "environment steps")
        table.add_row(memory_estimate.words(memory), "memory for the runs at once")
        console.print(table, highlight=False)
        console.print(f"The kernel that trains it here is {kernel}, unless --kernel says otherwise.", soft_wrap=True)
        left: dict[str, int] = defaultdict(int)
        for program, one in settings:
            left[time_estimate.kind(one)] += len(program.runs) * time_estimate.work(one)
        speeds = time_estimate.known_speeds()
        known = set(left) <= set(speeds)
        source = "at the speed of earlier studies on this machine" if known else "if this is a typical machine"
        seconds = time_estimate.seconds(left, speeds) + time_estimate.COMPILING * len(found)
        console.print(f"About {time_estimate.duration(seconds)} {source}.", highlight=False, soft_wrap=True)
