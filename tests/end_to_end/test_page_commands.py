"""Every command that a page shows, or that made a result, is one that the command line takes: parsed, and not run."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

from end_to_end.test_docs import blocks

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("plans/*.md"))]
WITH_FILES = ("../README.md", "howto.md")
"""Pages whose code writes the files that commands name."""
START = r"(?:uv run )?(?:--extra \w+ )?morphorl +"
INLINE, LINE = re.compile(rf"`{START}([^`]+)`"), re.compile(rf"^ *{START}([^`\n]+)$", re.M)
FRAGMENT = re.compile(r"…|\.\.\.|\bKIND\b|^COMMAND\b")
"""A command that leaves out something on purpose."""


def commands(text):
    """The words after `morphorl` of each command in a text, continued lines joined, comments and pipes cut off."""
    joined = re.sub(r"\\\n\s*", " ", text)
    found = [*INLINE.findall(joined), *LINE.findall(joined.replace("&& ", "\n"))]
    lines = (re.split(r"\s#|&&|\||;", line.replace("\n", " "))[0] for line in found)
    whole = [shlex.split(line) for line in lines if not FRAGMENT.search(line)]
    return [words for words in whole if len(words) > 1]


PARSE = """
import contextlib, io, json, shlex, sys
from morphorl import cli
for place, words in json.load(sys.stdin):
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.parse(words)
    except SystemExit as stopped:
        if stopped.code:
            print(f"{place}: morphorl {shlex.join(words)}\\n{said.getvalue()}")
    except Exception as error:
        print(f"{place}: morphorl {shlex.join(words)}\\n{error}")
"""
"""In a process of its own, without the type checks of the tests, which know a command's annotations better than its
options do."""


def refused(shown, folder):
    """What the command line says of those that it does not take; nothing of the others."""
    command = [sys.executable, "-c", PARSE]
    ran = subprocess.run(command, input=json.dumps(shown), cwd=folder, capture_output=True, text=True, check=True)
    return ran.stdout


def test_the_commands_of_pages_and_results_are_taken(tmp_path):
    for page in WITH_FILES:
        for _, title, text in blocks(page):
            if title:
                (tmp_path / title).parent.mkdir(exist_ok=True)
                (tmp_path / title).write_text(text)
    shown = [(page.name, words) for page in PAGES for words in commands(page.read_text())]
    entries = tomllib.loads((DOCS / "results" / "index.toml").read_text())
    made = [
        (name, words) for name, entry in entries.items() for words in commands("\n".join(entry.get("commands", ())))
    ]
    assert len(shown) > 150
    assert len(made) > 30
    wrong = [("one", ["train", "--env", "CartPole-v1", "--sede", "4", "--out", "runs/x"]), ("two", ["trian", "--sede"])]
    told = refused([*shown, *made, *wrong], tmp_path)
    assert re.findall(r"^(.*): morphorl (\w+)", told, re.M) == [("one", "train"), ("two", "trian")], told
