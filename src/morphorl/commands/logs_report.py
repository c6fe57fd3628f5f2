"""`morphorl report` for runs of another program: the page, and figures for a paper."""

import shlex
import sys
from pathlib import Path

from morphorl.analysis.logs import verdicts
from morphorl.analysis.logs.runs import Runs
from morphorl.commands.shared import console, following
from morphorl.config.files import refuse_links_out
from morphorl.report import log_page, tables


def write(runs: Runs, against: str | None, statistic: str, folder: Path, *, with_figures: bool) -> None:
    """Write report.html, and figures/ beside it."""
    refuse_links_out(folder)
    with following() as follow:
        judged = verdicts.judge(runs, against, statistic, follow=follow)
    with console.status("computing intervals and writing the page"):
        curves = runs.curves()
        path = log_page.write(folder, runs, curves, judged, shlex.join(["morphorl", *sys.argv[1:]]))
    tables.say(console, judged.sentences)
    console.print(f"Report: {path} ({path.stat().st_size / 1e6:.1f} MB)", soft_wrap=True)
    if not with_figures:
        return
    with console.status("drawing figures"):
        from morphorl.report.figures import log_figures  # imports Matplotlib

        told = log_figures.draw(runs, curves, judged, folder / "figures")
    for name, why in told.items():
        what = str(folder / "figures" / f"{name}.png") if why is None else f"{name}: not drawn: {why}"
        console.print(what, soft_wrap=True)
