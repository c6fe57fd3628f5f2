"""The numbers of docs/trust.md that settings of the code and of its tests give."""

from collections.abc import Iterator

from places import Phrase, Table
from result_files import Results, number_in
from styles import whole

DAMAGE = "tests/end_to_end/test_damage.py"
COMMANDS = ("status", "summary", "compare", "luck", "figures", "report", "eval", "export")


def numbers(results: Results) -> Iterator[Phrase | Table]:
    """Phrases and tables of the page, in its order."""
    largest = number_in("src/morphorl/analysis/logs/finding.py", r"MOST_BYTES = ([\d_]+)")
    yield Phrase("a file of more than {} GB", whole.value(largest.times(1e-9)))
    yield Phrase("a traceback, over {} s |", whole.value(number_in(DAMAGE, r"SECONDS = (\d+)")))
    damages = {command: whole.value(number_in(DAMAGE, rf'"{command}": (\d+)')) for command in COMMANDS}
    others = [None] * 4  # what came out, which no file keeps
    yield Table("| command | damages |", {f"`{command}`": [number, *others] for command, number in damages.items()})
