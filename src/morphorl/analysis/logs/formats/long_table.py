"""Any table with a row for each point: CSV or Parquet, its columns named by `--columns` or by what they are called."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from morphorl.analysis.logs import tables
from morphorl.analysis.logs.log import COLUMNS, Asked, Kind, Log, points
from morphorl.config.errors import SettingError

NAME = "table"
WHAT = "any CSV or Parquet with a row for each point; --columns step=…,return=…,seed=…,arm=… names its columns"
RANK = 3

CALLED = {
    "step": ("step", "steps", "env_steps", "env_step", "global_step", "timesteps", "total_timesteps", "num_timesteps"),
    "return": ("return", "episode_return", "episodic_return", "mean_return", "ep_rew_mean", "episode_reward", "score"),
    "evaluation": ("evaluation", "evaluation_return", "eval_return", "greedy_return"),
    "seed": ("seed",),
    "arm": ("arm", "algorithm", "algo", "method"),
    "env": ("env", "environment", "env_id", "task"),
}
"""Names by which columns are known without being told; where a table has two of one meaning, `--columns` must say."""


def claims(path: Path, head: bytes) -> bool:
    """Any CSV or Parquet."""
    return path.suffix in (".csv", ".parquet")


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """A log for each combination of the labels that the columns hold."""
    for path in paths:
        chosen = _columns(path, tables.columns(path), asked)
        kinds = {meaning: chosen[meaning] for meaning in ("return", "evaluation") if meaning in chosen}
        labels = {meaning: chosen[meaning] for meaning in ("seed", "arm", "env") if meaning in chosen}
        rows = tables.read(path, [chosen["step"], *kinds.values()], list(labels.values()))
        rows = rows.with_columns(pl.col(name).cast(pl.String) for name in labels.values())
        parts = rows.partition_by(*labels.values(), as_dict=True, maintain_order=True) if labels else {(): rows}
        for key, part in parts.items():
            said = {
                meaning: str(value).removesuffix(".0") if meaning == "seed" else str(value)
                for meaning, value in zip(labels, key, strict=True)
            }
            name = ", ".join(said.values())
            for meaning, column in kinds.items():
                kind: Kind = "training" if meaning == "return" else "evaluation"
                there = part.filter(pl.col(column).is_not_null()) if len(kinds) > 1 else part
                if len(there):
                    found = points(there[chosen["step"]], there[column])
                    source = f"{column} over {chosen['step']}"
                    yield Log(path, name, kind, said, found, source, is_folder=False)


def _columns(path: Path, there: list[str], asked: Asked) -> dict[str, str]:
    """The column of each meaning: the one that the user named, or the only one that is called so."""
    wrong = [meaning for meaning in asked.columns if meaning not in COLUMNS]
    if wrong:
        raise SettingError(f"columns = {wrong[0]!r}: must be one of {', '.join(COLUMNS)}.")
    chosen = dict(asked.columns)
    for meaning, known in CALLED.items():
        named = [name for name in there if name.lower() in known and name not in chosen.values()]
        if meaning in chosen or not named or (meaning == "evaluation" and "return" in asked.columns):
            continue
        if len(named) > 1:
            raise SettingError(
                f"{path}: {' and '.join(named)} may both be the {meaning}; --columns {meaning}={named[0]} says which."
            )
        chosen[meaning] = named[0]
    if "step" not in chosen or not {"return", "evaluation"} & chosen.keys():
        raise SettingError(
            f"{path}: which columns are step and return? It has {tables.shortened_list(there)}. "
            "--columns step=…,return=…,seed=…,arm=… names them."
        )
    return chosen
