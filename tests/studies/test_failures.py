"""Notes of failures: what is damaged among them stops neither `morphorl clean --failed` nor anything else."""

import json
import os

import pytest

from helpers.small_studies import small_study
from morphorl import cli
from morphorl.config.sealed import write_sealed_json
from morphorl.studies import shards
from morphorl.studies.store import Store

GOOD = {"runs": ["a", "b"], "message": "ValueError: no", "at": "2026-11-28T10:00:00+00:00"}
DAMAGED = {
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "empty": b"",
    "a list": b"[]",
    "edited": json.dumps(GOOD).encode(),
    "nested too deeply": b"[" * 100_000,
}
WRONG = {
    "no runs": GOOD | {"runs": None},
    "runs that are no names": GOOD | {"runs": [1, 2]},
    "no message": {"runs": ["a"], "at": "now"},
    "a number for a time": GOOD | {"at": 5},
}
KINDS = {
    "a folder": lambda path: (path / "within").mkdir(parents=True),
    "a pipe": os.mkfifo,
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link in a circle": lambda path: path.symlink_to(path.name),
    "not readable": lambda path: (path.write_bytes(b"{"), path.chmod(0)),
} | {name: lambda path, content=content: path.write_bytes(content) for name, content in DAMAGED.items()}
KINDS |= {name: lambda path, content=content: write_sealed_json(path, content) for name, content in WRONG.items()}


@pytest.fixture
def folder(tmp_path):
    """A study's folder with one good note."""
    Store(tmp_path).open(small_study(), resume=True)
    write_sealed_json(tmp_path / "failed" / "good.json", GOOD)
    return tmp_path


@pytest.mark.parametrize("damage", KINDS.values(), ids=KINDS.keys())
def test_what_is_damaged_is_counted_and_removed(folder, damage, capsys):
    damage(folder / "failed" / "bad.json")
    assert shards.failures(folder) == [GOOD]
    assert Store(folder).failed() == {"a", "b"}
    cli.parse(["status", str(folder)])()
    cli.parse(["clean", str(folder), "--failed"])()
    screen = " ".join(capsys.readouterr().out.split())
    assert "2 failed runs will be tried again." in screen
    assert "1 damaged note of a failure is removed too" in screen
    assert list((folder / "failed").iterdir()) == []


def test_good_notes_are_all_that_is_told(folder, capsys):
    cli.parse(["clean", str(folder), "--failed"])()
    assert capsys.readouterr().out == "2 failed runs will be tried again.\n"
