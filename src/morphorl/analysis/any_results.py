"""Results of anybody: a finished study of ours, or the logs of another program, asked the same questions.

Logs are read without JAX; a study of ours needs it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import polars as pl

from morphorl.analysis import comparison_table, rliable_bridge
from morphorl.analysis.comparisons import RETURNS
from morphorl.analysis.logs import verdicts
from morphorl.analysis.logs.runs import Runs, load
from morphorl.analysis.rliable_bridge import Curves, Scores
from morphorl.config.errors import SettingError, did_you_mean


@runtime_checkable
class AnyResults(Protocol):
    """What results of ours and of others have in common."""

    @property
    def scores(self) -> pl.DataFrame:
        """A row for each run: its labels and seeds, its returns, and the steps that it needed."""
        ...

    def curves(self) -> pl.DataFrame:
        """A row for each run and update (or bin of steps)."""
        ...


def load_results(
    *paths: str | Path,
    pattern: str | None = None,
    columns: Mapping[str, str] | None = None,
    tag: str | None = None,
    format: str | None = None,
    env: str | None = None,
    threshold: float | int | Mapping[str, float | int] | None = None,
    until: float | int | None = None,
) -> AnyResults:
    """Read what `run_study` (or a command) wrote into a folder, or the logs of another program.

    What comes back has `scores`, a Polars frame with a row for each run, and `curves()`, one with a row for each run
    and update. Logs also have `points()`, every point as it was logged, and `reading`, how they were understood. The
    options are for logs alone; docs/yourruns.md explains them.

    Args:
        paths: a study's folder, or files and folders with logs.
        pattern: how arm, environment and seed stand in the names of folders, such as `{arm}/{env}/seed_{seed}`.
        columns: by meaning (step, return, evaluation, seed, arm, env), the columns of a CSV or Parquet.
        tag: the scalar of event files that is the return.
        format: the only format that is read, such as `tensorboard`.
        env: the environment of runs that do not say theirs.
        threshold: the return from which a task counts as solved, or that of each environment by its name.
        until: the step up to which runs are compared.

    Raises:
        UntrustedError: if the study has dynamics of a module that is not imported yet. Import it first.
        StoreError: if the folder holds no finished run, or a log cannot be read.
        SettingError: if logs cannot be understood as they are, or options are given for a study.

    Example:
        >>> load_results("logs/", pattern="{arm}/seed_{seed}").scores
    """
    folders = [Path(path) for path in paths]
    options = {"pattern": pattern, "columns": columns, "tag": tag, "format": format, "env": env, "until": until}
    if len(folders) == 1 and is_study(folders[0]):
        given = [name for name, value in (options | {"threshold": threshold}).items() if value is not None]
        if given:
            raise SettingError(f"{', '.join(given)}: for logs of others alone, and {folders[0]} is a study of ours.")
        return _ours(folders[0])
    if not folders:
        raise SettingError("paths: must be a study's folder, or files and folders with logs.")
    solved = threshold if isinstance(threshold, Mapping) else {} if threshold is None else {"": threshold}
    return load(
        folders,
        pattern=pattern,
        columns=columns,
        tag=tag,
        format=format,
        env=env,
        thresholds={name: float(value) for name, value in solved.items()},
        until=None if until is None else float(until),
    )


def compare(
    results: AnyResults | str | Path, against: str | None = None, statistic: str = "area_under_curve"
) -> pl.DataFrame:
    """Every arm against one of them: the table that `morphorl compare` prints.

    A row for each preset, environment and arm, with these columns; each of the first three numbers has its 95% interval
    in columns that end in `_low` and `_high`. What is unknown is null.

    - `difference` of the arms' interquartile means, paired by seed, and its p-value, adjusted for the number of rows.
    - `better`: the probability that a run of the arm beats one of the other.
    - `median_steps` to the threshold, infinite where fewer than half of the runs get there, and their `ratio` to the
      other arm's.
    - `log_rank_p`: the p-value of "both get there at the same rate", adjusted as well.
    - `differs_in`: the settings in which two arms of a study differ.
    - `unknown`: what the runs cannot tell, in a sentence. Fewer than 8 seeds tell nothing.

    Args:
        results: from `load_results`, or the folder.
        against: the label of the arm that the others are compared with; plain PPO, or the first one, if not given.
        statistic: which return the difference is of: `area_under_curve` (the mean over the training), `early_return`
            (its first fifth), `early_greedy_return`, `final_return` (its last tenth) or `final_greedy_return`.

    Raises:
        SettingError: if there is no such arm or statistic, or no other arm.
    """
    loaded = load_results(results) if isinstance(results, str | Path) else results
    if not isinstance(loaded, Runs):
        from morphorl.analysis import finished_study  # JAX

        assert isinstance(loaded, finished_study.Results)
        return finished_study.compare(loaded, against, statistic)
    if statistic not in RETURNS:
        hint = did_you_mean(statistic, RETURNS)
        raise SettingError(f"statistic = {statistic!r}: must be one of {', '.join(RETURNS)}.{hint}")
    judged = verdicts.judge(loaded, against, statistic)
    if not judged.comparisons:
        raise SettingError(f"arms = [{judged.against!r}]: must be two or more, to compare one with another.")
    return comparison_table.table(judged.comparisons, judged.against, {})


def to_rliable(results: AnyResults | str | Path, statistic: str = "final_return") -> Scores | Curves:
    """The dictionary that rliable's functions take: for each arm, a matrix with a row for each run.

    Its columns are the environments, in the order in which they come. `curve` has a third axis, of 50 points in
    training. rliable averages over environments, and so wants scores on one scale.

    Args:
        results: from `load_results`, or the folder.
        statistic: `curve`, or a score as in `compare`.

    Raises:
        SettingError: for another statistic, or arms with other numbers of runs in different environments.
        EvidenceError: if a score was not measured in every run.

    Example:
        >>> rly.get_interval_estimates(to_rliable("logs/"), lambda x: np.array([metrics.aggregate_iqm(x)]))
    """
    loaded = load_results(results) if isinstance(results, str | Path) else results
    if statistic == "curve":
        return rliable_bridge.curves(loaded.curves())
    return rliable_bridge.scores(loaded.scores, statistic)


def is_study(path: Path) -> bool:
    """Whether a folder is one that `morphorl run` wrote, or once was."""
    return any((path / mark).exists() for mark in ("study.json", "runs.parquet", "shards"))


def _ours(folder: Path) -> AnyResults:
    from morphorl.config.devices import use_all_cores_if_free  # JAX, which must be told before it starts

    use_all_cores_if_free()
    from morphorl.analysis import finished_study

    return finished_study.load_results(folder)
