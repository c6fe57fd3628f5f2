"""The paper: every number comes from the results, every value is used, and it keeps its length."""

import json
import re
import runpy
from pathlib import Path

import pytest

PAPER = Path(__file__).parents[2] / "docs" / "paper"
SOURCES = sorted(PAPER.glob("*.typ"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_result_is_typed(source):
    """A result has its interval in brackets, a sign or a percent sign; 95% is the level of all intervals."""
    text = re.sub(r"(?m)^\s*//.*$|#figure\(drawing\([^)]*\)|#let .*|inset: .*|width: .*", "", source.read_text())
    assert re.findall(r"\([^()]*\d to [^()]*\d\)|[+−]\d|\d\.?\d*%", text.replace("95%", "")) == []


def test_every_reference_is_cited():
    cited = set(re.findall(r"@(\w+)", "".join(path.read_text() for path in SOURCES)))
    entries = re.findall(r"^@\w+\{(\w+),$", (PAPER / "references.bib").read_text(), re.M)
    assert len(entries) == len(set(entries)) >= 15
    assert set(entries) <= cited


@pytest.mark.slow
def test_the_paper_has_every_value_that_it_uses_no_other_and_its_length(tmp_path, monkeypatch):
    pytest.importorskip("typst", reason="the group docs is not installed")
    monkeypatch.syspath_prepend(PAPER)
    build = runpy.run_path(str(PAPER / "build.py"))
    paper = build["compiler"](tmp_path / "figures")  # a name that is not there stops Typst
    used = {one["value"] for one in json.loads(paper.query("<value>"))}
    assert used == set(build["values"].everything())
    assert 6 <= len(paper.compile(format="png", ppi=20)) <= 8
