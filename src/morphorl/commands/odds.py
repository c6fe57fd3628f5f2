"""`morphorl odds`."""

import dataclasses

from rich.table import Table

from morphorl.analysis import coverage, family_odds
from morphorl.analysis.family_odds import Family, Odds
from morphorl.analysis.interpretations import option_words
from morphorl.analysis.plot_odds import SIZES
from morphorl.analysis.scores import load_scores
from morphorl.commands.shared import PositionalFolder, console
from morphorl.config.errors import SettingError
from morphorl.config.files import finite_or_none, write_json
from morphorl.report import tables


@dataclasses.dataclass
class OddsCommand:
    """How likely would a study of few seeds have seen the post's plots?

    Studies of 1, 3, 5 and 10 seeds are drawn from the seeds of a finished study. The first plot (CartPole-v1): the
    strongest γ learns faster at first than the baseline, by 20% of what plain PPO learns, and early return rises with
    γ. The second (StatelessCartPole-v1): low γ within ±20% of the baseline's mean return, and the strongest unstable.
    Each against plain PPO and against γ = 0, with 95% intervals over the seeds. Writes odds.json.
    """

    dir: PositionalFolder
    """A folder that `morphorl run` (or `reproduce`) wrote, or one of docs/results with scores.parquet."""

    def __call__(self) -> None:
        study, table = load_scores(self.dir)
        rows: list[dict[str, object]] = []
        families = {preset: family_odds.families(study.expand(preset)) for preset in study.presets}
        if not any(families.values()):
            raise SettingError("arms: must be at least two that differ in guidance.strength alone, one of them with 0.")
        for preset, family in ((preset, one) for preset, many in families.items() for one in many):
            with console.status("drawing small studies"):
                told = family_odds.odds(table.filter(preset=preset), family)
            rows += family_odds.to_plain(preset, family, told)
            console.print(_table(preset, family, told))
            for sentence in dict.fromkeys(f"{one.environment}: {one.unknown}" for one in told if one.unknown):
                console.print(sentence, soft_wrap=True)
        path = self.dir / "odds.json"
        missing = coverage.shortfalls(study, table)
        write_json(path, finite_or_none({"odds": rows} | coverage.to_plain(missing)))
        tables.say(console, coverage.sentences(missing))
        console.print(f"Results: {path}", soft_wrap=True)


def _table(preset: str, family: Family, told: list[Odds]) -> Table:
    family_words = ", ".join(filter(None, (preset, option_words(family.options))))
    title = f"{family_words}: share of studies of n seeds that see the plot"
    table = tables.table(title)
    table.add_column("plot", overflow="fold")
    table.add_column("baseline", overflow="fold")
    for n in SIZES:
        table.add_column(f"n = {n}", justify="right", no_wrap=True)
    for one in told:
        cells = [
            tables.with_interval(f"{p.value:.0%}", f"{100 * p.low:.0f}–{100 * p.high:.0f}")
            for p in one.probabilities.values()
        ]
        table.add_row(one.plot, one.baseline, *(cells or ["unknown"]))
    return table
