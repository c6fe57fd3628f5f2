"""What a finished study says: its scores, every arm beside one of them, and verdicts on the post's claims."""

from pathlib import Path
from typing import NamedTuple

import polars as pl

from morphorl.analysis import comparison_table, comparisons, coverage, interpretations, verdicts
from morphorl.analysis.comparisons import RETURNS, Comparison
from morphorl.analysis.coverage import Shortfall
from morphorl.analysis.scores import load_scores
from morphorl.config.errors import SettingError, did_you_mean
from morphorl.studies import results as studies_results
from morphorl.studies.study import Study

VERDICT_SCHEMA = {
    **dict.fromkeys(("preset", "reading", "claim", "metric"), pl.String),
    **dict.fromkeys(("effect", "low", "high"), pl.Float64),
    "n": pl.Int64,
    **dict.fromkeys(("verdict", "reason"), pl.String),
}
"""The columns of what `judge` gives."""


class Results(NamedTuple):
    """A study's results."""

    folder: Path
    study: Study
    scores: pl.DataFrame
    """A row for each run: its labels and seeds, its returns, and the steps that it needed."""

    @property
    def shortfalls(self) -> list[Shortfall]:
        """The environments and presets of which runs are missing: what follows rests on fewer than were planned."""
        return coverage.shortfalls(self.study, self.scores)

    def curves(self) -> pl.DataFrame:
        """A row for each run and update.

        Raises:
            StoreError: if the folder keeps the scores alone, as published studies do.
        """
        return studies_results.curves(self.folder)[1]


class Compared(NamedTuple):
    """Every arm of a study against one of them."""

    against: str
    comparisons: list[Comparison]
    differs_in: dict[str, list[str]]
    """For each arm, the settings in which it differs from that one, in words."""


def load_results(folder: str | Path) -> Results:
    """Read what `run_study` (or a command) wrote into a folder.

    Raises:
        UntrustedError: if the study has dynamics of a module that is not imported yet. Import it first.
        StoreError: if the folder holds no study, or no finished run.

    Example:
        >>> load_results("runs/question").scores
    """
    return Results(Path(folder), *load_scores(Path(folder)))


def compare(
    results: Results | str | Path, against: str | None = None, statistic: str = "area_under_curve"
) -> pl.DataFrame:
    """Every arm of a study against one of them: the table that `morphorl compare` prints.

    A row for each preset, environment and arm, with these columns; each of the first three numbers has its 95% interval
    in columns that end in `_low` and `_high`. What is unknown is null.

    - `difference` of the arms' interquartile means, paired by seed, and its p-value, adjusted for the number of rows.
    - `better`: the probability that a run of the arm beats one of the other.
    - `median_steps` to the threshold, infinite where fewer than half of the runs get there, and their `ratio` to the
      other arm's.
    - `log_rank_p`: the p-value of "both get there at the same rate", adjusted as well.
    - `differs_in`: the settings in which the two arms differ.
    - `unknown`: what the runs cannot tell, in a sentence. Fewer than 8 seeds tell nothing.

    Args:
        results: from `load_results`, or the folder.
        against: the label of the arm that the others are compared with; plain PPO, or the first one, if not given.
        statistic: which return the difference is of: `area_under_curve` (the mean over the training), `early_return`
            (its first fifth), `early_greedy_return`, `final_return` (its last tenth) or `final_greedy_return`.

    Raises:
        SettingError: if there is no such arm or statistic, or no other arm.
    """
    compared = compare_arms(_loaded(results), against, statistic)
    return comparison_table.table(compared.comparisons, compared.against, compared.differs_in)


def compare_arms(results: Results, against: str | None, statistic: str) -> Compared:
    """`compare` as the values that the table is made of."""
    if statistic not in RETURNS:
        hint = did_you_mean(statistic, RETURNS)
        raise SettingError(f"statistic = {statistic!r}: must be one of {', '.join(RETURNS)}.{hint}")
    labelled = results.study.expand(results.study.presets[0])
    rival = interpretations.rival(labelled) if against is None else against
    there = results.scores["arm"].unique(maintain_order=True).to_list()
    if against is None and rival not in there:
        raise SettingError(
            f"against: if not given, arms are compared with {rival!r}, of which there is no run; must be one of "
            f"{', '.join(map(repr, there))}."
        )
    found = comparisons.compare(results.scores, rival, statistic)
    values = {label: interpretations.in_words(settings) for label, settings in labelled.items()}
    return Compared(rival, found, comparisons.differing(values, rival))


def judge(results: Results | str | Path) -> pl.DataFrame:
    """The verdict on each of the post's claims, by rules that were fixed before any run (docs/claims.md).

    A row for each preset, reading of the post and claim: the `effect` that decided, as a share of what plain PPO
    learns, with its 95% interval (`low` to `high`); `n`, the number of seeds; the `verdict` and its `reason`. There are
    none for a study without the arms that the claims compare.

    Args:
        results: from `load_results`, or the folder.
    """
    loaded = _loaded(results)
    judged = [
        (preset, one) for preset in loaded.study.presets for one in verdicts.judge(loaded.study, preset, loaded.scores)
    ]
    rows = [
        {"preset": preset, "reading": one.reading.name} | verdict._asdict()
        for preset, one in judged
        for verdict in one.verdicts
    ]
    return pl.DataFrame(rows, schema=VERDICT_SCHEMA)


def _loaded(results: Results | str | Path) -> Results:
    return results if isinstance(results, Results) else load_results(results)
