"""The numbers of the pages are those of docs/results, and one that is no longer is found by page and line."""

import functools
import math
import os
import random
import shutil

import noted
import page_numbers
import pytest
from page_numbers import DOCS, fitted, left, listed
from places import PageError, Phrase, Table
from result_files import Results, number_in
from styles import Known, Shown, Style, gain, percent, ratio, share, steps, two_digits, whole

from morphorl.config.errors import StoreError

RESULTS = Results()
NOTED = noted.remembered()


@pytest.fixture(scope="module")
def lists():
    """What is listed for a page, computed once."""
    return functools.cache(lambda name: listed(DOCS / name, RESULTS))


@pytest.mark.parametrize("path", page_numbers.pages(), ids=lambda path: path.name)
def test_every_number_of_a_page_is_what_its_file_says_or_is_allowed_for(path, lists):
    page = fitted(path, lists(path.name))
    assert page.wrong() + left(page) == [], "uv run docs/page_numbers.py mends it; docs/numbers_of lists its numbers"
    assert page.mended() == page.text
    assert noted.in_page(page, NOTED["typed"]) == [], "if it is right: uv run docs/noted.py"


def test_result_files_are_as_noted():
    assert noted.in_results(NOTED["results"]) == [], "if they are right: uv run docs/noted.py"
    name, digest = next(iter(NOTED["results"].items()))
    other = NOTED["results"] | {name: digest[::-1], "gone.csv": digest}
    assert [sentence.split(":")[0] for sentence in noted.in_results(other)] == [
        f"docs/results/{name}",
        "docs/results/gone.csv",
    ]


@pytest.mark.parametrize(
    "name",
    ["README.md", "claims.md", "corrections.md", "elsewhere.md", "method.md", "speed.md", "trust.md", "yourruns.md"],
)
def test_any_digit_that_looks_like_a_result_is_told_when_it_changes(name, lists):
    (path,) = (path for path in page_numbers.pages() if path.name == name)
    page, chance = fitted(path, lists(name)), random.Random(name)
    numbers = [place for place in page.places if place.shown.text] + page.uncovered()
    spans = [(one.start, one.end) if isinstance(one, page_numbers.Place) else one.span() for one in numbers]
    digits = [i for start, end in spans for i in range(start, end) if page.text[i].isdigit()]
    for i in chance.sample(digits, 10):
        other = page.text[:i] + str((int(page.text[i]) + chance.randint(1, 9)) % 10) + page.text[i + 1 :]
        changed = page_numbers.Page(path, other, page.places)
        said = changed.wrong() + noted.in_page(changed, NOTED["typed"])
        line = other.count("\n", 0, i) + 1
        assert any(sentence.startswith(f"{name}:{line}: ") for sentence in said), (other[i - 20 : i + 20], said)


@pytest.mark.parametrize(
    ("page", "says", "changed"),
    [
        ("README.md", "a leaky bank at 181 (164", "a leaky bank at 182 (164"),
        ("answer.md", "(the best: +3%, 0 to +5", "(the best: +3%, 0 to +6"),
        ("answer.md", "48% (43 to 52)", "48% (43 to 53)"),
        ("answer.md", "20% (10 to 37; averaged)", "20% (10 to 38; averaged)"),
        ("answer.md", "| 285 (278 to 291) |", "| 285 (278 to 281) |"),
        ("answer.md", "**contradicted**: +2% (−4 to +9)", "**supported**: +2% (−4 to +9)"),
        ("answer.md", "which is 22 on CartPole", "which is 23 on CartPole"),
        ("elsewhere.md", "trains 1.3 times", "trains 1.4 times"),
        ("trust.md", "| `luck` | 50 |", "| `luck` | 60 |"),
        ("yourruns.md", "where that is 28%", "where that is 29%"),
    ],
)
def test_a_digit_that_was_changed_in_a_page_is_found_by_its_line(page, says, changed, lists, tmp_path):
    text = (page_numbers.pages()[0].parent / ("" if page == "README.md" else "docs") / page).read_text()
    (tmp_path / page).write_text(text.replace(says, changed, 1))
    (said,) = fitted(tmp_path / page, lists(page)).wrong()
    line = text[: text.index(says)].count("\n") + 1
    assert said.startswith(f"{page}:{line}: the page says ")
    assert fitted(tmp_path / page, lists(page)).mended() == text


@pytest.mark.parametrize(
    ("file", "says", "changed", "line"),
    [
        ("evolve_guidance/summary.json", "0.734375", "0.834375", "| plain PPO | 4.2k"),
        ("evolve_guidance/acrobot.json", "0.234375", "0.284375", "of seeds reach −100 against"),
        ("evolve_blind/summary.json", "54.", "64.", "| plain PPO | 54"),
    ],
)
def test_a_digit_that_was_changed_in_a_result_is_found_by_the_line_of_the_page(file, says, changed, line, tmp_path):
    shutil.copytree(RESULTS.root, tmp_path / "results", copy_function=os.symlink)
    text = (RESULTS.root / file).read_text()
    assert says in text
    (tmp_path / "results" / file).unlink()
    (tmp_path / "results" / file).write_text(text.replace(says, changed))
    page = DOCS / "evolve.md"
    said = fitted(page, listed(page, Results(tmp_path / "results"))).wrong()
    number = next(i for i, words in enumerate(page.read_text().splitlines(), 1) if line in words)
    assert any(one.startswith(f"evolve.md:{number}: ") and f"docs/results/{file} says" in one for one in said)


def test_a_number_that_the_code_sets_is_told_with_the_file_that_sets_it(tmp_path):
    file, page = "tests/end_to_end/test_damage.py", tmp_path / "new.md"
    page.write_text("It takes 21 s.\n")
    (said,) = fitted(page, [Phrase("It takes {} s.", whole.value(number_in(file, r"SECONDS = (\d+)")))]).wrong()
    assert said == f"new.md:1: the page says '21', {file} says '20'."
    with pytest.raises(PageError, match=r"0 places of tests/.*\.py fit 'MINUTES = \(\.\)'; must be one\."):
        number_in(file, r"MINUTES = (.)")


def test_a_table_of_scores_that_was_edited_is_refused_by_name(tmp_path):
    shutil.copytree(RESULTS.root / "evolve_blind", tmp_path / "evolve_blind")
    path = tmp_path / "evolve_blind" / "scores.parquet"
    path.write_bytes(path.read_bytes().replace(b"plain PPO", b"plain PPQ", 1))
    with pytest.raises(StoreError, match=r"evolve_blind/scores\.parquet: is damaged, or was edited"):
        Results(tmp_path).scores("evolve_blind")


def test_a_phrase_that_left_its_page_is_an_error_and_not_skipped(tmp_path):
    page = tmp_path / "answer.md"
    page.write_text("Nothing is left.\n")
    with pytest.raises(PageError, match=r"answer.md: 0 places say 'twice \{\}'; must be one."):
        fitted(page, [Phrase("twice {}", Shown("2", "x.json"))])
    with pytest.raises(PageError, match=r"0 tables begin with '\| arm \|'"):
        fitted(page, [Table("| arm |", {})])
    with pytest.raises(PageError, match="1 numbers for the 2 places"):
        Phrase("{} and {}", Shown("2", "x.json"))
    page.write_text("| arm | a |\n|---|---|\n| one | **2** |\n| two | 3 |\n\nOne has 2.\n")
    two = Shown("2", "x.json")
    assert fitted(page, [Table("| arm |", {"one": [two]}), Phrase("One has {}.", two)]).wrong() == []
    with pytest.raises(PageError, match=r"0 rows of the table '\| arm \|' begin with 'three'"):
        fitted(page, [Table("| arm |", {"three": [two]})])
    with pytest.raises(PageError, match="has 2 cells, not 3"):
        fitted(page, [Table("| arm |", {"one": [two, two]})])
    with pytest.raises(PageError, match="'2' is listed twice"):
        fitted(page, [Phrase("One has {}.", two), Phrase("has {}.", two)])


def test_a_number_that_looks_like_a_result_and_is_on_no_list_is_found(tmp_path):
    page = tmp_path / "new.md"
    page.write_text(
        "It takes 3.5k steps, 12% (8 to 20) less.\n\n    code 1.5\n\n`2.5` and [a link](x1.5.md)\n\n| 7 | a |\n"
    )
    assert left(fitted(page, [])) == [
        f"new.md:{line}: {number!r} looks like a result and is on no list."
        for line, number in ((1, "3.5k"), (1, "12% (8 to 20"), (7, "7"))
    ]


@pytest.mark.parametrize(
    ("style", "numbers", "text"),
    [
        (whole, (105.6, 103.2, 108.4), "106 (103 to 108)"),
        (whole, (500, 500, 500), "500"),
        (gain, (0.0254, -0.001, 0.05), "+3% (0 to +5)"),
        (gain, (0.15, 0.08, 0.23), "+15% (8 to 23)"),
        (gain, (-0.234, -0.259, -0.208), "−23% (−26 to −21)"),
        (percent, (0, 0, 0), "0% (0 to 0)"),
        (share, (1, 0.97, 1), "1 (.97 to 1)"),
        (share, (0.996, 0.96, 0.9999), "1.00 (.96 to 1.00)"),
        (ratio, (1, 0.71, 1.29), "1.00 (.71 to 1.29)"),
        (steps("100k"), (62464, 38912, math.inf), "62.5k (38.9k to >100k)"),
        (steps("100k"), (math.inf, 90000, math.inf), ">100k"),
        (two_digits("100k"), (10240, 8192, 9728), "10k (8.2k to 9.7k)"),
        (Style(significant=3), (9, 7.333, 11.25), "9.00 (7.33 to 11.2)"),
    ],
)
def test_numbers_are_written_as_in_the_pages(style, numbers, text):
    value, low, high = numbers
    assert style(Known(value, low, high, "x.json")).text == text


def test_the_command_mends_checks_and_lists(tmp_path, monkeypatch, capsys):
    page = tmp_path / "evolve.md"
    page.write_text((DOCS / "evolve.md").read_text().replace("| evolved | 55 (", "| evolved | 56 ("))
    monkeypatch.setattr(page_numbers, "pages", lambda: [page])
    assert page_numbers.PageNumbers(check=True)() == 1
    assert "the page says '56 (53 to 56)'" in capsys.readouterr().out
    assert page_numbers.PageNumbers(("evolve.md",))() == 0
    assert page.read_text() == (DOCS / "evolve.md").read_text()
    assert page_numbers.PageNumbers(check=True)() == 0
    capsys.readouterr()
    assert page_numbers.PageNumbers(("other.md",))() == 2
    assert capsys.readouterr().out == "other.md: must be of evolve.md.\n"
    assert page_numbers.PageNumbers(uncovered=True)() == 0
    assert "evolve.md:" in capsys.readouterr().out
