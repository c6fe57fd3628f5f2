"""Every command that a page shows, or that made a result, is one that the command line takes: parsed, and not run.

`test_commands_run.py` runs those of morphorl. Of the scripts of pages, it runs few; here the options of all are read.
"""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from end_to_end.test_docs import blocks

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("plans/*.md"))]
WITH_FILES = ("../README.md", "tour.md", "howto.md")
"""Pages whose code writes the files that commands name."""
MORPHORL, SCRIPT = "morphorl", r"(?:docs|benchmarks|examples)/[a-z_/]+\.py"
START = rf"(?:/usr/bin/time -v )?(?:uv run )?(?:--(?:extra|group) \w+ )*(?:python )?({MORPHORL}|{SCRIPT})(?= |`|$)"
INLINE, LINE = re.compile(rf"`{START}([^`]*)`"), re.compile(rf"^ *{START}([^`#\n]*(?:#.*)?)$", re.M)
FRAGMENT = re.compile(r"…|\.\.\.|\bKIND\b|^ COMMAND\b")
"""A command that leaves out something on purpose."""


def commands(text):
    """The words of each command in a text, in its order: `morphorl` or a script, and what follows.

    Continued lines are joined, comments and pipes cut off. `morphorl NAME` alone in a sentence is a name, no command.
    """
    joined = re.sub(r"\\\n\s*", " ", text)
    inline = [one for one in INLINE.finditer(joined) if one[1] != MORPHORL or len(one[2].split()) > 1]
    found = sorted([*inline, *LINE.finditer(joined.replace("&& ", "  \n"))], key=lambda one: one.start())
    lines = [(one[1], re.split(r"\s#|&&|\||;", one[2].replace("\n", " "))[0]) for one in found]
    return [[program, *shlex.split(line)] for program, line in lines if not FRAGMENT.search(line)]


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


def write_files(folder):
    """The files that pages say to write."""
    for page in WITH_FILES:
        for _, title, text in blocks(page):
            if title:
                (folder / title).parent.mkdir(exist_ok=True)
                (folder / title).write_text(text)


def made():
    """Name and words of each command that made a result."""
    entries = tomllib.loads((DOCS / "results" / "index.toml").read_text())
    return [
        (name, words) for name, entry in entries.items() for words in commands("\n".join(entry.get("commands", ())))
    ]


def test_the_commands_of_pages_and_results_are_taken(tmp_path):
    write_files(tmp_path)
    shown = [(page.name, words) for page in PAGES for words in commands(page.read_text())]
    assert len(shown) > 150
    assert len(made()) > 30
    wrong = [("one", ["train", "--env", "CartPole-v1", "--sede", "4", "--out", "runs/x"]), ("two", ["trian", "--sede"])]
    ours = [(place, words) for place, (program, *words) in (*shown, *made()) if program == MORPHORL and words]
    told = refused([*ours, *wrong], tmp_path)
    assert re.findall(r"^(.*): morphorl (\w+)", told, re.M) == [("one", "train"), ("two", "trian")], told


READ_OPTIONS = """
import argparse, contextlib, io, json, runpy, shlex, sys
import tyro
class Read(Exception):
    pass
def only(read):
    def stop(*args, **named):
        read(*args, **named)
        raise Read
    return stop
tyro.cli, argparse.ArgumentParser.parse_args = only(tyro.cli), only(argparse.ArgumentParser.parse_args)
for place, (script, *words) in json.load(sys.stdin):
    sys.argv, said = [script, *words], io.StringIO()
    sys.path.insert(0, script.rpartition("/")[0])
    try:
        with contextlib.redirect_stderr(said):
            runpy.run_path(script, run_name="__main__")
    except Read:
        pass
    except (Exception, SystemExit) as error:
        print(f"{place}: {script} {shlex.join(words)}\\n{error} {said.getvalue()}")
    sys.path.pop(0)
"""
"""Scripts as they are started, which stop when they have read their options."""


@pytest.mark.slow
def test_the_scripts_of_pages_and_results_are_there_and_take_their_options():
    """Those that read `sys.argv` have no options: that they are there is all that is asked of them."""
    named = [(page.name, words) for page in PAGES for words in commands(page.read_text())]
    scripts = [(place, words) for place, words in (*named, *made()) if words[0] != MORPHORL]
    assert len(scripts) > 50
    texts = {script: (ROOT / script).read_text() for _, (script, *_) in scripts}
    read = [one for one in scripts if len(one[1]) > 1 and re.search(r"tyro\.cli|parse_args", texts[one[1][0]])]
    wrong = ("one", ["docs/regenerate.py", "--sede", "4"])
    command = [sys.executable, "-c", READ_OPTIONS]
    given = json.dumps([*read, wrong])
    ran = subprocess.run(command, input=given, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.findall(r"^(.*): (\S+\.py)", ran.stdout, re.M) == [("one", "docs/regenerate.py")], ran.stdout
