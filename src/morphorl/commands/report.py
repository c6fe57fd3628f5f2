"""`morphorl report`."""

import dataclasses

from rich.text import Text

from morphorl.analysis import coverage, scores
from morphorl.commands.shared import PositionalFolder, console
from morphorl.ppo import kernels
from morphorl.report import html, html_data, replay, tables
from morphorl.studies import results, shards


@dataclasses.dataclass
class Report:
    """Write DIR/report.html: verdicts, interactive charts and replays in one file that opens without a network."""

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote."""
    replay: bool = True
    """Train one seed of every arm again, to show what early, middle and final agents do. The command says beforehand
    how much that is; --no-replay leaves it out."""

    def __call__(self) -> None:
        found, curves = results.curves(self.dir)
        reason = kernels.unavailable() if self.replay and found.study.kernel == "fused" else None
        if reason:
            console.print(f"No replays: the agents were trained by the fused kernel, and {reason}.", soft_wrap=True)
        runs = html_data.shown_runs(found.study) if self.replay and not reason else []
        if told := replay.announcement(runs):
            console.print(told, soft_wrap=True)
        with console.status("reading the results") as status:
            replays = list(replay.replays(runs, lambda text: status.update(Text(text))))
            status.update(Text("computing intervals and writing the page"))
            path = html.write(self.dir, found, curves, replays)
        told = coverage.sentences(coverage.shortfalls(found.study, scores.table(curves)))
        tables.say(console, [*told, *shards.damaged_failures(self.dir)])
        size = path.stat().st_size / 1e6
        console.print(f"Report: {path} ({size:.1f} MB)", soft_wrap=True)
