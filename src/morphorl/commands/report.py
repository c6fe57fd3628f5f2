"""`morphorl report`."""

import dataclasses

from rich.text import Text

from morphorl.analysis import coverage, scores
from morphorl.commands.shared import PositionalFolder, console
from morphorl.report import html, html_data, replay, tables
from morphorl.studies import results, shards, stored_agents
from morphorl.studies.store import Store


@dataclasses.dataclass
class Report:
    """Write DIR/report.html: verdicts, interactive charts and replays in one file that opens without a network."""

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote."""
    replay: bool = True
    """Show what early, middle and final agents do: those that the run kept of the first seed of each arm. Nothing is
    trained. --no-replay leaves them out."""

    def __call__(self) -> None:
        found, curves = results.curves(self.dir)
        runs = html_data.shown_runs(found.study) if self.replay else []
        agents = stored_agents.staged_agents(Store(self.dir), runs)
        if runs and not agents:
            console.print(
                f"No replays: {self.dir} keeps no agents for them. The first seed of no arm is finished yet, or an "
                "earlier version of morphorl ran the study; run it in another folder to have them.",
                soft_wrap=True,
            )
        with console.status("playing episodes") as status:
            replays = list(replay.replays(runs, agents))
            status.update(Text("computing intervals and writing the page"))
            path = html.write(self.dir, found, curves, replays)
        told = coverage.sentences(coverage.shortfalls(found.study, scores.table(curves)))
        tables.say(console, [*told, *shards.damaged_failures(self.dir)])
        size = path.stat().st_size / 1e6
        console.print(f"Report: {path} ({size:.1f} MB)", soft_wrap=True)
