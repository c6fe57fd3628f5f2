"""`morphorl compare` for a study of ours."""

from pathlib import Path

from morphorl.analysis import coverage, finished_study
from morphorl.commands.shared import console
from morphorl.config.files import finite_or_none, write_json
from morphorl.report import comparison_tables, tables


def show(folder: Path, against: str | None, statistic: str) -> None:
    """Compare the arms of a finished study, print the tables, and write comparisons.json."""
    results = finished_study.load_results(folder)
    with console.status("resampling"):
        against, told, differing = finished_study.compare_arms(results, against, statistic)
    rows = [comparison_tables.plain(one) | {"differs_in": differing[one.arm]} for one in told]
    missing = coverage.shortfalls(results.study, results.scores)
    content = {"against": against, "statistic": statistic, "comparisons": rows} | coverage.to_plain(missing)
    path = folder / "comparisons.json"
    write_json(path, finite_or_none(content))
    for preset, environment in dict.fromkeys((one.preset, one.environment) for one in told):
        here = [one for one in told if (one.preset, one.environment) == (preset, environment)]
        words = tables.COLUMNS.get(statistic, statistic.replace("_", " "))
        console.print(comparison_tables.table(f"{environment}, {preset}: {words}, against {against}", here))
    for sentence in dict.fromkeys(f"{one.arm}: {one.unknown}" for one in told if one.unknown):
        console.print(sentence, soft_wrap=True)
    for arm, settings in differing.items():
        if len(settings) > 1:
            sentence = f"{arm} differs from {against} in more than one thing: {'; '.join(settings)}."
            console.print(sentence, soft_wrap=True)
    tables.say(console, coverage.sentences(missing))
    console.print(f"Results: {path}", soft_wrap=True)
