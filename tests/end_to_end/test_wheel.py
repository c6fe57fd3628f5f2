"""The wheel works without a clone: built, installed into an empty environment, and used far from any repository."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import morphorl
from helpers.processes import QUICKLY_COMPILED
from morphorl.cli import COMMANDS
from morphorl.studies.library import shipped

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "morphorl"
OURS = ("PYTHONPATH", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
"""Variables that would lead a process back to this repository's environment."""


def run(*command, cwd):
    environment = {name: value for name, value in QUICKLY_COMPILED.items() if name not in OURS}
    ran = subprocess.run([*map(str, command)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, made from the source archive as a release makes it."""
    folder = tmp_path_factory.mktemp("dist")
    run("uv", "build", "--quiet", "--out-dir", folder, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """Where the programs are of an environment that holds the wheel and what it requires, and nothing else.

    uv runs in the repository, so that versions are those of `constraint-dependencies`; the programs do not.
    """
    folder = tmp_path_factory.mktemp("empty") / "environment"
    run("uv", "venv", "--quiet", "--python", sys.executable, folder, cwd=ROOT)
    run("uv", "pip", "install", "--quiet", "--python", folder, wheel, cwd=ROOT)
    return folder / ("Scripts" if os.name == "nt" else "bin")


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(wheel):
    there = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("morphorl/")}
    here = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert there - {"morphorl/"} >= {path.relative_to(PACKAGE.parent).as_posix() for path in here}
    assert len(here) > 200


@pytest.mark.slow
def test_the_package_is_the_one_of_the_wheel(programs, tmp_path):
    asked = "import morphorl; print(morphorl.__file__, morphorl.__version__)"
    place, version = run(programs / "python", "-c", asked, cwd=tmp_path).split()
    assert Path(place).is_relative_to(programs.parent)
    assert version == morphorl.__version__


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, programs, tmp_path):
    assert f"usage: morphorl {name}" in run(programs / "morphorl", name, "--help", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_an_experiment_from_the_studies_to_the_playground(programs, tmp_path):
    command = programs / "morphorl"
    listed = run(command, "studies", cwd=tmp_path)
    assert all(name in listed for name in shipped())
    run(command, "reproduce", "--seeds", "1", "--steps", "1024", "--out", "post", cwd=tmp_path)
    assert (tmp_path / "post" / "standard" / "verdicts.json").exists()
    run(command, "report", "post", cwd=tmp_path)
    run(command, "play", "post", "--no-open", cwd=tmp_path)
    run(command, "play", "--no-open", cwd=tmp_path)
    for page in ("post/report.html", "post/playground.html", "playground.html"):
        assert "</html>" in (tmp_path / page).read_text()


def test_the_version_is_the_same_wherever_it_stands():
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.M)
    released = re.search(r"^## (\d\S*) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert cited
    assert released
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {cited[1], released[1], declared} == {morphorl.__version__}
