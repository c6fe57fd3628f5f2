"""The index of docs/results covers every file once, and its commands are printed and run."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import regenerate
from regenerate import INDEX, RESULTS, ROOT, Regenerate, index, owner

from morphorl.studies import library

ENTRIES = index()
FILES = sorted(str(path.relative_to(RESULTS)) for path in RESULTS.rglob("*") if path.is_file() and path != INDEX)


def test_every_file_is_covered_and_every_entry_covers_one():
    owners = Counter(owner(file, ENTRIES) for file in FILES)
    assert owners.keys() == ENTRIES.keys()


@pytest.mark.parametrize("path", ENTRIES)
def test_the_pages_of_an_entry_exist_and_those_that_link_it_are_named(path):
    pages = {page: ROOT / page if page == "README.md" else ROOT / "docs" / page for page in ENTRIES[path].pages}
    assert all(page.exists() for page in pages.values())
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        links = re.findall(r"\]\((?:docs/)?results/([^)#]+)\)", page.read_text())
        if path in {owner(link, ENTRIES) for link in links}:
            assert page.name in pages


def test_the_studies_that_commands_run_exist():
    known = {path.stem for path in Path(library.__file__).parent.glob("*.toml")}
    commands = "\n".join(command for entry in ENTRIES.values() for command in entry.commands)
    asked = set(re.findall(r"morphorl (?:run|evolve) (\w+)(?= )", commands))
    assert asked
    assert asked <= known
    assert {file for file in re.findall(r"python (\S+\.py)", commands) if not (ROOT / file).exists()} == set()


def test_a_commit_that_is_named_changed_what_it_stands_for():
    log = ["git", "log", "--format=@%h %cs", "--name-only", "--", "docs/results"]
    told = subprocess.run(log, cwd=ROOT, capture_output=True, text=True)
    if told.returncode or ENTRIES["claims"].commit not in told.stdout:
        pytest.skip("no history here, or not all of it")
    changed = {}
    for commit in told.stdout.split("@")[1:]:
        head, *files = commit.split("\n")
        below = {owner(file.removeprefix("docs/results/"), ENTRIES) for file in files if file}
        changed[head] = below
    for path, entry in ENTRIES.items():
        (head,) = [head for head in changed if head.startswith(entry.commit[:7])]
        assert path in changed[head]
        assert head.endswith(entry.date.isoformat())


def test_it_lists_prints_and_refuses(capfd):
    assert Regenerate(all=True)() == 0
    assert "memory/noisy: Five memories through noise." in capfd.readouterr().out.splitlines()
    assert Regenerate("memory/noisy", dry_run=True)() == 0
    assert capfd.readouterr().out.splitlines() == ENTRIES["memory/noisy"].commands
    assert Regenerate("memory/nosy")() == 2
    assert capfd.readouterr().err == (
        "'memory/nosy' is no result in docs/results/index.toml. Did you mean memory/noisy? --list prints all.\n"
    )
    assert Regenerate("field/speed_earlier.json")() == 1
    assert "no command makes it again" in capfd.readouterr().err


def test_it_runs_the_commands_until_one_fails(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(regenerate, "INDEX", tmp_path / "index.toml")
    entry = 'what = ""\ncommit = ""\ndate = 2026-11-29\npages = []\ncommands = ["echo one", "exit 3", "echo two"]\n'
    (tmp_path / "index.toml").write_text(f"[result]\n{entry}")
    assert Regenerate("result")() == 3
    out, err = capfd.readouterr()
    assert out == "echo one\none\nexit 3\n"
    assert err == "This command ended with 3; those after it were not run.\n"
