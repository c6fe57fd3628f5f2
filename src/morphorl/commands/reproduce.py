"""`morphorl reproduce`."""

import dataclasses
import sys
from pathlib import Path
from typing import Literal

from morphorl.commands.shared import Folder, console
from morphorl.report import summary
from morphorl.studies import study_file
from morphorl.studies.kernel_choice import KernelOption, with_kernel
from morphorl.studies.runner import run_study
from morphorl.studies.store import Store


@dataclasses.dataclass
class Reproduce:
    """Run the post's whole experiment and show what comes out, with a verdict on each of its claims.

    Plain PPO, a scale-matched zero readout, blind guidance of five strengths, and a positive control that is unstable
    by construction, on CartPole-v1 and StatelessCartPole-v1, with common seeds, under both presets of PPO: the study
    `blind_dynamics`. Writes curves.parquet, scores.parquet and study.json into OUT, and figures/, summary.json and
    verdicts.json into a folder for each preset.
    """

    seeds: int = 8
    """Runs per arm and environment; verdicts ask for 8, and deserve more."""
    steps: int = 100_000
    """Environment steps of each run."""
    preset: Literal["both", "standard", "tuned"] = "both"
    """PPO's settings: `standard` are widely published ones, `tuned` those that we found on other seeds."""
    out: Folder = Path("runs/reproduce")
    """Where everything is written. A folder that holds the same study goes on where it stopped."""
    kernel: KernelOption = "auto"
    """What computes the learning phase: `xla` anywhere, `fused` faster on processors with AVX2 (extra `fast`). `auto`
    keeps the one that OUT was begun with; in a new OUT it is `fused` from three million environment steps on."""
    resume: bool = True
    """Keep the finished runs that OUT holds; with --no-resume they are done again."""

    def __call__(self) -> None:
        presets = ("standard", "tuned") if self.preset == "both" else (self.preset,)
        study = dataclasses.replace(
            study_file.load("blind_dynamics"), seeds=self.seeds, steps=self.steps, presets=presets
        )
        study = with_kernel(study, self.out, self.kernel)
        failed = run_study(study, self.out, resume=self.resume)
        summary.write(study, Store(self.out), console)
        if failed:
            sys.exit(1)
