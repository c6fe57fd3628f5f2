"""Tables of others, CSV and Parquet: their columns are looked at first, and only those that are needed are read."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from morphorl.analysis.logs.finding import refuse_large
from morphorl.config.errors import SettingError, StoreError, did_you_mean, quoted, shortened

LONGEST_HEADER = 1_000_000
"""Bytes of a CSV's first line: one with ten million columns is refused before anything is read."""


def columns(path: Path, skip: int = 0) -> list[str]:
    """The names of a table's columns.

    Args:
        skip: lines before the header of a CSV.

    Raises:
        StoreError: if the file is no table, is too large, or names its columns in more than `LONGEST_HEADER` bytes.
    """
    refuse_large(path)
    try:
        if path.suffix == ".parquet":
            return list(pl.read_parquet_schema(path))
        with path.open("rb") as file:
            for _ in range(skip):
                file.readline(LONGEST_HEADER)
            line = file.readline(LONGEST_HEADER)
        if len(line) == LONGEST_HEADER:
            raise StoreError(
                f"{path}: its first line has more than {LONGEST_HEADER:,} bytes; must be names of columns."
            )
        names = pl.read_csv(line, n_rows=0, truncate_ragged_lines=True).columns if line.strip() else []
    except (OSError, pl.exceptions.PolarsError) as error:
        raise StoreError(f"{path}: cannot be read as a table ({shortened(str(error))}).") from error
    return [name.strip() for name in names]


def read(path: Path, numbers: Sequence[str], texts: Sequence[str] = (), skip: int = 0) -> pl.DataFrame:
    """Some columns of a table: those of numbers as such, those of labels as text. Missing values are null.

    A cell is never more than text or a number: a spreadsheet's formula in a column of numbers is refused.

    Raises:
        SettingError: if a column is not there.
        StoreError: if a cell of a column of numbers is none, or the file is damaged.
    """
    there = columns(path, skip)
    wanted = list(dict.fromkeys([*numbers, *texts]))
    for name in wanted:
        if name not in there:
            raise SettingError(
                f"{path}: has no column {quoted(name)}; it has {shortened_list(there)}.{did_you_mean(name, there)}"
            )
    try:
        found = _parquet(path, wanted) if path.suffix == ".parquet" else _csv(path, wanted, there, skip)
    except (OSError, pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read as a table ({shortened(str(error))}).") from error
    return found.with_columns(*(_numbers(found[name], path) for name in dict.fromkeys(numbers)))


def shortened_list(names: Sequence[str]) -> str:
    """Names for a message: the first twelve, and how many there are."""
    shown = ", ".join(quoted(name) for name in names[:12])
    return shown if len(names) <= 12 else f"{shown}, … ({len(names):,} in all)"


def _csv(path: Path, wanted: Sequence[str], there: list[str], skip: int) -> pl.DataFrame:
    places = sorted(there.index(name) for name in wanted)
    found = pl.read_csv(path, columns=places, skip_lines=skip, infer_schema=False, truncate_ragged_lines=True)
    return found.rename({old: there[i] for old, i in zip(found.columns, places, strict=True)})


def _parquet(path: Path, wanted: Sequence[str]) -> pl.DataFrame:
    return pl.read_parquet(path, columns=list(wanted))


def _numbers(column: pl.Series, path: Path) -> pl.Series:
    """Text as numbers; empty cells as null, and NaN as NaN."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64)
    text = column.cast(pl.String).str.strip_chars()
    text = text.set(text.is_in(["", "None", "null", "NA", "N/A"]), None)
    found = text.cast(pl.Float64, strict=False)
    wrong = text.is_not_null() & found.is_null()
    if wrong.any():
        place = int(wrong.arg_true()[0])
        raise StoreError(
            f"{path}: column {quoted(column.name)} has {quoted(str(text[place]))} in row {place + 1}; must be numbers."
        )
    return found
