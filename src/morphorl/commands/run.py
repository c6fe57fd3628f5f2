"""`morphorl run`."""

import dataclasses
import sys
from typing import Annotated, Literal

import tyro

from morphorl.commands.shared import Changes, Folder, StudyName, console, folder_of, following, trust_study
from morphorl.integrations import trackers
from morphorl.integrations.trackers import Tracker
from morphorl.report import summary
from morphorl.studies import study_file
from morphorl.studies.kernel_choice import KernelOption, with_kernel
from morphorl.studies.runner import run_study
from morphorl.studies.store import Store


@dataclasses.dataclass
class RunStudy:
    """Run a study: train all of its agents, in as few compiled programs as possible, and write what comes out.

    It may be stopped or killed at any moment: the same command goes on where it was.
    """

    study: StudyName
    """A study file (….toml), or the name of a study that `morphorl studies` lists."""
    out: Folder | None = None
    """Where everything is written; runs/NAME if not given. A folder that holds the same study goes on."""
    engine: Literal["local", "ray"] = "local"
    """Train on this machine, or on a Ray cluster."""
    address: str | None = None
    """The cluster's address, such as 192.168.0.1:6379 (with --engine ray); without, a cluster is started here."""
    set: Changes = ()
    """Change a value of the study, in TOML's syntax: --set seeds=4 --set settings.ppo.epochs=2. May be repeated."""
    kernel: KernelOption = "auto"
    """What computes the learning phase: `xla` anywhere, `fused` faster on processors with AVX2 (extra `fast`). `auto`
    keeps the one that OUT was begun with; in a new OUT it is `fused` from three million environment steps on."""
    agents: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Keep the trained agents too, so that `morphorl eval OUT` can play them, also elsewhere."""
    resume: bool = True
    """Keep the finished runs that OUT holds; with --no-resume they are done again."""

    track: Tracker = "none"
    """Also send the curves to a tracker when they are written (extras of these names)."""

    def __call__(self) -> None:
        trackers.check(self.track)
        trust_study(self.study, self.set)
        with following() as follow:
            study, table = study_file.load_with_tables(self.study, self.set, follow)
            out = folder_of(study.name) if self.out is None else self.out
            study = with_kernel(study, out, table.get("kernel", "auto") if self.kernel == "auto" else self.kernel)
        failed = run_study(
            study, out, resume=self.resume, with_agents=self.agents, engine=self.engine, address=self.address
        )
        store = Store(out)
        summary.write(study, store, console)
        trackers.send(self.track, study, store.curves(study), store.root)
        if failed:
            sys.exit(1)
