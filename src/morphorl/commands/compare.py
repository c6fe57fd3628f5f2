"""`morphorl compare`."""

import dataclasses
import math
from typing import Literal

from rich.table import Table
from rich.text import Text

from morphorl.analysis import coverage, finished_study
from morphorl.analysis.bootstrap import Effect, Estimate
from morphorl.analysis.comparisons import Comparison
from morphorl.commands.shared import PositionalFolder, console
from morphorl.config.files import finite_or_none, write_json
from morphorl.report import tables
from morphorl.report.summary import COLUMNS


@dataclasses.dataclass
class Compare:
    """Compare every arm of a study with one of them: differences, probabilities, steps, and what chance would do.

    For a return: the difference of the arms' IQMs (paired by seed) with its 95% interval, and the probability that a
    run of the arm beats one of the other. For the steps to the threshold: the median, its ratio to the other arm's with
    its interval, and the log-rank test. p-values are adjusted for the number of comparisons; fewer than 8 seeds tell
    nothing. Says in which settings two arms differ. Writes comparisons.json.
    """

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`, or `train`) wrote, or one of docs/results with scores.parquet."""
    against: str | None = None
    """The label of the arm that the others are compared with; plain PPO, or the first one, if not given."""
    statistic: Literal[
        "area_under_curve", "early_return", "early_greedy_return", "final_return", "final_greedy_return"
    ] = "area_under_curve"
    """Which return: the mean over the training, its first fifth (sampled, or of greedy evaluations), its last tenth, or
    the last greedy evaluation's."""

    def __call__(self) -> None:
        results = finished_study.load_results(self.dir)
        with console.status("resampling"):
            against, told, differing = finished_study.compare_arms(results, self.against, self.statistic)
        plain = [{name: _plain(value) for name, value in one._asdict().items()} for one in told]
        rows = [row | {"differs_in": differing[str(row["arm"])]} for row in plain]
        missing = coverage.shortfalls(results.study, results.scores)
        content = {"against": against, "statistic": self.statistic, "comparisons": rows} | coverage.to_plain(missing)
        path = self.dir / "comparisons.json"
        write_json(path, finite_or_none(content))
        for preset, environment in dict.fromkeys((one.preset, one.environment) for one in told):
            rows = [one for one in told if (one.preset, one.environment) == (preset, environment)]
            statistic = COLUMNS.get(self.statistic, self.statistic.replace("_", " "))
            console.print(_table(f"{environment}, {preset}: {statistic}, against {against}", rows))
        for sentence in dict.fromkeys(f"{one.arm}: {one.unknown}" for one in told if one.unknown):
            console.print(sentence, soft_wrap=True)
        for arm, settings in differing.items():
            if len(settings) > 1:
                sentence = f"{arm} differs from {against} in more than one thing: {'; '.join(settings)}."
                console.print(sentence, soft_wrap=True)
        tables.say(console, coverage.sentences(missing))
        console.print(f"Results: {path}", soft_wrap=True)


def _plain(value: object) -> object:
    """An estimate by the names of its numbers."""
    return value._asdict() if isinstance(value, Estimate | Effect) else value


def _table(title: str, rows: list[Comparison]) -> Table:
    table = tables.table(title)
    table.add_column("arm", overflow="fold")
    for name in ("difference", "p", "better in", "median steps", "ratio", "log-rank p"):
        longest = max(map(len, name.split()))  # so that no heading is cut within a word
        table.add_column(name, justify="right", overflow="fold", min_width=longest)
    for one in rows:
        table.add_row(one.arm, *_cells(one))
    return table


def _cells(one: Comparison) -> list[str | Text]:
    effect, better, median = one.effect, one.better, one.median
    return [
        "unknown" if effect is None else _effect(effect),
        "" if effect is None else f"{effect.p:.2g}",
        "" if better is None else f"{better.value:.0%}",
        "" if median is None else ("never" if median.value == float("inf") else f"{median.value:,.0f}"),
        "" if one.ratio is None else _ratio(one.ratio),
        "" if one.log_rank is None else f"{one.log_rank:.2g}",
    ]


def _effect(effect: Effect) -> Text:
    return tables.with_interval(f"{effect.value:+.3g}", f"{effect.low:+.3g} to {effect.high:+.3g}")


def _ratio(ratio: Estimate) -> str | Text:
    """A ratio of medians, none where the arm has no median; an open interval has no upper end."""
    if math.isinf(ratio.value):
        return "none"
    high = "∞" if math.isinf(ratio.high) else f"{ratio.high:.2f}"
    return tables.with_interval(f"{ratio.value:.2f}", f"{ratio.low:.2f}–{high}")
