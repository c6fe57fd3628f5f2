"""Episodes as Gymnasium's `RecordEpisodeStatistics` tells them, saved as CSV: a row for each, with r and l (and t).

Steps are the sum of the lengths so far, in the order of the rows.
"""

from collections.abc import Iterator
from pathlib import Path

from morphorl.analysis.logs import tables
from morphorl.analysis.logs.log import Asked, Log, points

NAME = "Gymnasium's episode statistics"
WHAT = "episodes of Gymnasium's RecordEpisodeStatistics as CSV (columns r, l, t)"
RANK = 0


def claims(path: Path, head: bytes) -> bool:
    """A CSV with the columns r and l, and nothing else but t."""
    names = {name.strip().strip('"') for name in head.partition(b"\n")[0].decode("utf-8", "replace").split(",")}
    return path.suffix == ".csv" and {"r", "l"} <= names <= {"r", "l", "t"}


def read(paths: list[Path], asked: Asked) -> Iterator[Log]:
    """A run for each file: of its folder's name if it is the only one there, else of its own."""
    for path in paths:
        rows = tables.read(path, ["r", "l"])
        yield Log(
            path, "", "training", {}, points(rows["l"].cum_sum(), rows["r"]), "r over the sum of l",
            is_folder=len(paths) == 1 and not any(letter.isdigit() for letter in path.stem),
        )  # fmt: skip
