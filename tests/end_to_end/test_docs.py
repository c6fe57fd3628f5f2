"""The documents are true: the tutorial's blocks run, names exist, examples run, the site builds without a warning."""

import ast
import contextlib
import io
import json
import os
import pkgutil
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import matplotlib
import pytest

import morphorl
from helpers.processes import QUICKLY_COMPILED
from morphorl.config import kinds
from morphorl.dynamics.base import Dynamics
from morphorl.dynamics.guidance.base import Guidance

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LONG = ("../README.md", "tutorial.md", "howto.md", "yourruns.md")
"""Pages that train, or start many commands, and take a minute or more."""


def blocks(page):
    """The code blocks of a page in order: (language, title or "", text). Indented ones are not run."""
    found = re.findall(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", (DOCS / page).read_text(), re.S | re.M)
    return [(language, title, text) for language, title, text in found if title or language in ("python", "bash")]


def run(*command, cwd, env=None):
    ran = subprocess.run([sys.executable, *map(str, command)], cwd=cwd, env=env, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def as_script(language, title, text):
    """Lines of Python that do what a reader does with a block: write the file of that title, type commands, or run."""
    if title:
        return [f"pathlib.Path({title!r}).parent.mkdir(exist_ok=True)", f"pathlib.Path({title!r}).write_text({text!r})"]
    if language == "python":
        return [text]
    commands = [shlex.split(line) for line in text.strip().splitlines()]
    assert all(command[0] == "morphorl" for command in commands)
    return [f"subprocess.run([sys.executable, '-m', *{command!r}], check=True)" for command in commands]


@pytest.mark.parametrize("page", [*(pytest.param(page, marks=pytest.mark.slow) for page in LONG), "elsewhere.md"])
def test_the_code_of_a_page_runs_as_it_stands(page, tmp_path):
    """Its Python in one process, and the commands between in processes of their own, as a reader does."""
    lines = [line for block in blocks(page) for line in as_script(*block)]
    script = tmp_path / "page.py"
    script.write_text("\n".join(["import pathlib, subprocess, sys", *lines]))
    assert len(lines) >= 1
    run(script, cwd=tmp_path, env=QUICKLY_COMPILED if page == "howto.md" else None)


def test_every_system_rule_and_public_name_is_in_the_reference():
    entries = set(re.findall(r"^::: ([\w.]+)$", (DOCS / "reference.md").read_text(), re.M))
    kinds_ = [kinds.resolve(base, name) for base in (Dynamics, Guidance) for name in kinds.names(base)]
    assert entries >= {f"{cls.__module__}.{cls.__name__}" for cls in kinds_}
    assert {entry.rpartition(".")[2] for entry in entries} >= set(morphorl.__all__)


def test_the_newcomers_file_is_the_example_that_is_tested():
    files = {title: text for _, title, text in blocks("howto.md")}
    for name in ("my_lab/fhn.py", "my_lab/tasks.py"):
        assert files[name] == (ROOT / "examples" / name).read_text()


def test_every_name_beside_an_equation_exists():
    names = re.findall(r"\| `(morphorl\.[\w.]+)` \|", (DOCS / "equations.md").read_text())
    assert len(names) >= 10
    for name in names:
        assert pkgutil.resolve_name(name).__doc__


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.glob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs", reason="the group docs is not installed")
    pytest.importorskip("mkdocstrings_handlers.python", reason="the group docs is not installed")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    quiet = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=quiet)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert "Run a dynamical system beside an environment" in (tmp_path / "reference" / "index.html").read_text()


EXAMPLES = {
    "own_environment.py": (["--steps", "512"], "of 3"),
    "study.py": (["--seeds", "2", "--steps", "2048", "--out", "out"], "early_return"),
    "sb3_memory.py": (["--seeds", "1", "--steps", "1024", "--episodes", "1"], "with memory"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name, tmp_path):
    if name == "sb3_memory.py":
        pytest.importorskip("stable_baselines3", reason="the extra sb3 is not installed")
    arguments, said = EXAMPLES[name]
    assert said in run(ROOT / "examples" / name, *arguments, cwd=tmp_path, env=QUICKLY_COMPILED)


NOTEBOOKS = ("your_runs/your_runs.ipynb", "the_cell_alone.ipynb", "own_dynamics.ipynb")


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_says_what_its_code_gives(name, monkeypatch):
    matplotlib.use("agg")
    notebook = ROOT / "examples" / name
    monkeypatch.chdir(notebook.parent)
    monkeypatch.setattr(sys, "path", [*sys.path])  # to which a notebook adds
    names: dict[str, object] = {}
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            assert shown("".join(cell["source"]), names) == stored(cell["outputs"])


def shown(code: str, names: dict[str, object]) -> str:
    """What a notebook shows below a cell, figures apart: what it prints, and the value of its last line."""
    body = ast.parse(code).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body, []), "<cell>", "exec"), names)
        value = None if last is None else eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)
    return printed.getvalue() + ("" if value is None else repr(value))


def stored(outputs: list) -> str:
    """The same as the notebook keeps it."""
    words = [one for one in outputs if one["output_type"] != "display_data"]
    return "".join("".join(one["text"] if "text" in one else one["data"]["text/plain"]) for one in words)


def test_every_example_is_run():
    examples = ROOT / "examples"
    assert {path.name for path in examples.glob("*.py")} == set(EXAMPLES)
    assert {path.relative_to(examples).as_posix() for path in examples.rglob("*.ipynb")} == set(NOTEBOOKS)


@pytest.mark.parametrize("name", ["environments", "horizon", "map", "rhythm", "shift", "sparse", "tasks"])
def test_a_written_page_is_what_the_registry_and_the_results_say(name, monkeypatch):
    monkeypatch.syspath_prepend(DOCS)
    page = runpy.run_path(str(DOCS / f"{name}_page.py"))["page"]
    assert (DOCS / f"{name}.md").read_text() == page(), f"uv run docs/{name}_page.py writes it anew"
