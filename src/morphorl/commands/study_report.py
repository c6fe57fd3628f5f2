"""`morphorl report` for a study of ours."""

from pathlib import Path

from rich.text import Text

from morphorl.analysis import coverage, scores
from morphorl.commands.shared import console
from morphorl.report import html, html_data, replay, tables
from morphorl.studies import results, shards, stored_agents
from morphorl.studies.store import Store


def write(folder: Path, *, with_replays: bool) -> None:
    """Write report.html into the folder of a study, with replays of the agents that it keeps."""
    found, curves = results.curves(folder)
    runs = html_data.shown_runs(found.study) if with_replays else []
    agents = stored_agents.staged_agents(Store(folder), runs)
    if runs and not agents:
        console.print(
            f"No replays: {folder} keeps no agents for them. The first seed of no arm is finished yet, or an "
            "earlier version of morphorl ran the study; run it in another folder to have them.",
            soft_wrap=True,
        )
    with console.status("playing episodes") as status:
        replays = list(replay.replays(runs, agents))
        status.update(Text("computing intervals and writing the page"))
        path = html.write(folder, found, curves, replays)
    told = coverage.sentences(coverage.shortfalls(found.study, scores.table(curves)))
    tables.say(console, [*told, *shards.damaged_failures(folder)])
    size = path.stat().st_size / 1e6
    console.print(f"Report: {path} ({size:.1f} MB)", soft_wrap=True)
