"""Every command that a page shows, or that made a result, is run: at small size, in the order of its page.

`small_commands` says what is small: fewer agents, steps, episodes and arms, and all other words as they stand. Of the
scripts, those of `SCRIPTS` run on what small studies left; of the others only the options are read
(`test_page_commands.py`). Commands that `test_docs.py` runs as they stand are not run again, nor those that an earlier
page has: what these left is copied.
"""

import runpy
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from unittest.mock import patch

import jax
import jaxtyping
import pytest

from end_to_end.test_docs import LONG, blocks
from end_to_end.test_page_commands import DOCS, MORPHORL, PAGES, ROOT, commands, made, write_files
from helpers.small_commands import cut, few
from morphorl import cli
from morphorl.config.following import unseen
from morphorl.studies import study_file

pytestmark = pytest.mark.slow
INDEX = DOCS / "results" / "index.toml"
SCRIPTS = ("docs/tuned.py",)
MEMORY = "train --env StatelessCartPole-v1 --preset tuned --blend.kind none --memory.kind leaky_integrators"
SPARSE = """run sparse.toml --set 'environments=["SparseMountainCar-v0"]' --out runs/sparse_first"""
BEFORE = {
    "environments.md": "train --env TMaze-10 --out runs/maze",
    "exploration.md": SPARSE,  # by docs/regenerate.py
    "index.md": "train --env CartPole-v1 --out runs/NAME",
    "index.toml": "run horizon --agents --out runs/horizon",
    "scale.md": "run readings",
    "tour.md": "reproduce",
    "tutorial.md": f"{MEMORY} --out runs/memory",
}
"""What a page takes for granted."""
INSTEAD = {
    "check NAME": "check leaky_integrators",
    "compare DIR": "compare docs/results/controls",
    "compare --power": "compare logs --against a2c --power",
    "eval DIR --env TMaze-100": "eval runs/maze --env TMaze-100",
    "evolve STUDY": "evolve evolve_blind",
    "export AGENT --onnx": "export runs/agent --onnx",
    "odds DIR": "odds docs/results/claims",
    "plan STUDY": "plan readings",
    "readouts STUDY": "readouts controls",
    "report DIR": "report runs/fhn --trust my_lab.fhn",
    "run DIR/evolved.toml": "run runs/evolve_blind/evolved.toml",
    "summary DIR": "summary docs/results/claims",
    "train --env gym:ID --out DIR": "train --env gym:CartPole-v1 --out runs/agent",
    # Its analysis asks for all 160 arms.
    "multiverse runs/multiverse": "multiverse docs/results/multiverse",
    # Asks for a cluster, and for the extra `ray`: tests/end_to_end/test_ray.py has both.
    "run readings --engine ray --address 192.168.0.1:6379": "run readings",
}
"""What stands for a placeholder, or for what cannot be run here."""
OF_HISTORY = ("sparse.toml", "runs/sparse_first")
"""Files that `git show` makes, and what comes of them."""


def bash(page):
    """The commands of a page that `test_docs.py` runs as they stand."""
    lines = "\n".join(text for language, _, text in blocks(page) if language == "bash").splitlines()
    return [shlex.split(line) for line in lines if line]


RUN_AS_THEY_STAND = [words for page in (*LONG, "elsewhere.md") for words in bash(page)]
SHOWN = {page: commands(page.read_text()) for page in PAGES} | {INDEX: [words for _, words in made()]}
COMPARED = {
    words[2]: words[words.index("--against") + 1] for found in SHOWN.values() for words in found if "--against" in words
}
"""The arm that a command compares all others with, by the folder that it reads."""


def instead(words):
    program, line = words[0], shlex.join(words[1:])
    return [program, *shlex.split(INSTEAD[line])] if line in INSTEAD else words


def to_run(page):
    """What is run of a page, in its order: a program and its words."""
    before = [[MORPHORL, *shlex.split(BEFORE[page.name])]] if page.name in BEFORE else []
    new = [words for words in SHOWN[page] if words[1:] and words not in RUN_AS_THEY_STAND]
    return before + [instead(words) for words in new if words[0] in (MORPHORL, *SCRIPTS)]


@pytest.fixture(scope="module")
def left():
    """What commands left, by their words but for `--out`: a folder, or nothing."""
    return {}


@pytest.fixture
def here(page, tmp_path, monkeypatch):
    """A folder with what readers have: the results, if the page names them, and the files that pages write."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which commands add
    if any(word.startswith("docs/results/") for words in to_run(page) for word in words):
        shutil.copytree(DOCS / "results", "docs/results")
    write_files(tmp_path)
    for page in ("tutorial.md", "yourruns.md"):
        for language, _, text in blocks(page):
            if language == "python" and ".write_text(" in text:
                exec(text, {"Path": Path})
    return tmp_path


@pytest.fixture
def history(here):
    """Whether the clone has all of it: then the commands of the index have written what they take from there."""
    entries = tomllib.loads(INDEX.read_text()).values()
    (command,) = {command for entry in entries for command in entry.get("commands", ()) if command.startswith("git ")}
    shell = ["bash", "-o", "pipefail", "-c", command.replace("git ", f"git -C {shlex.quote(str(ROOT))} ", 1)]
    return subprocess.run(shell, cwd=here, capture_output=True).returncode == 0


@pytest.fixture(autouse=True)
def as_users_have_it():
    """No type checker, as in test_cli.py, and ranks of arrays are promoted: evosax does it."""
    jaxtyping.config.update("jaxtyping_disable", True)
    with jax.numpy_rank_promotion("allow"):
        yield
    jaxtyping.config.update("jaxtyping_disable", False)


WHOLE = study_file.load_with_tables


def small_study(named):
    """`load_with_tables`, whose studies are cut after all that options change in them."""

    def load(study, changes=(), follow=unseen):
        loaded, tables = WHOLE(study, changes, follow)
        return cut(loaded, {named, tables.get("evolve", {}).get("arm")}), tables

    return load


def out_of(words):
    """The folder that a command writes, where its words tell it."""
    if "--out" in words:
        return Path(words[words.index("--out") + 1])
    if words[0] == "reproduce":
        return Path("runs/reproduce")
    named = words[0] in ("run", "evolve", "luck") and "/" not in words[1]
    return Path("runs") / words[1].removesuffix(".toml") if named else None


def complaint(words, left):
    """Run a command, or copy what the same one left before; what went wrong, or nothing."""
    small, out = few(words), out_of(words)
    named = COMPARED.get(str(out))
    key = (named, *(word for before, word in zip(["", *small], small, strict=False) if "--out" not in (before, word)))
    if left.get(key) and out and not out.exists():
        shutil.copytree(left[key], out)
        return ""
    if key in left and not any(word.startswith("runs/") for word in small):
        return ""
    try:
        with patch.object(study_file, "load_with_tables", small_study(named)):
            cli.parse(small)()
    except SystemExit as stopped:
        if stopped.code:
            return f"ended with {stopped.code}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    left[key] = out and out.resolve()
    return ""


def script_complaint(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", words)
    try:
        runpy.run_path(str(ROOT / words[0]), run_name="__main__")
    except (Exception, SystemExit) as error:
        return f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("page", [page for page in SHOWN if to_run(page)], ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page, here, history, left, monkeypatch):
    wrong = []
    for program, *words in to_run(page):
        if not history and any(word in OF_HISTORY for word in words):
            continue
        said = complaint(words, left) if program == MORPHORL else script_complaint([program, *words], monkeypatch)
        wrong += [f"{program} {shlex.join(words)}\n    {said}"] if said else []
    assert not wrong, "\n".join([page.name, *wrong])


def test_what_stands_for_a_command_is_asked_for():
    shown = {shlex.join(words[1:]) for found in SHOWN.values() for words in found}
    assert set(INSTEAD) <= shown
    assert set(BEFORE) <= {page.name for page in SHOWN}
