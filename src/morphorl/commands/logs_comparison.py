"""`morphorl compare` for runs of another program: scores, every arm beside one, and how far to trust so few seeds."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from morphorl.analysis.logs import verdicts
from morphorl.analysis.logs.reading import is_lonely
from morphorl.analysis.logs.runs import Runs
from morphorl.analysis.logs.verdicts import Judged
from morphorl.commands.shared import console, following
from morphorl.config.files import finite_or_none, write_json
from morphorl.report import comparison_tables, log_tables, tables


def show(
    runs: Runs, against: str | None, statistic: str, paths: Sequence[Path], *, power: bool, out: Path | None
) -> None:
    """Compute and print; write comparisons.json into `out` if there is one."""
    with following() as follow:
        judged = verdicts.judge(runs, against, statistic, power=power, follow=follow)
    words = tables.COLUMNS.get(statistic, statistic.replace("_", " "))
    for environment in runs.environments:
        console.print(log_tables.scores(runs, environment))
        here = [one for one in judged.comparisons if one.environment == environment]
        if any(one.effect or one.median for one in here):
            console.print(comparison_tables.table(f"{environment}: {words}, against {judged.against}", here))
        found = [one for one in judged.luck if one.environment == environment]
        if found:
            console.print(log_tables.luck(f"{environment}: how often would so few seeds mislead?", found))
    tables.say(console, judged.sentences)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        path = out / "comparisons.json"
        write_json(path, finite_or_none(verdicts.to_plain(judged)))
        console.print(f"Results: {path}", soft_wrap=True)
    for line in _next(runs, judged, shlex.join(map(str, paths)), power=power):
        console.print(line, soft_wrap=True)


def _next(runs: Runs, judged: Judged, given: str, *, power: bool) -> list[str]:
    """What to type next."""
    if is_lonely(runs.reading.runs):
        pattern = runs.reading.suggested or "{arm}_{seed}"
        why = "" if runs.reading.suggested else "    (if that is how seeds are named; {} is anything)"
        return [f"Next: morphorl compare {given} --pattern {shlex.quote(pattern)}{why}"]
    lines = [f"Next: morphorl report {given}    (charts and figures, with the same options)"]
    if judged.luck and not power:
        lines.append(f"      morphorl compare {given} --power    (how many seeds would be needed)")
    return lines
