"""The numbers of the pages are those of docs/results, and one that is no longer is found by page and line."""

import functools

import page_numbers
import pytest
from page_numbers import DOCS, fitted, left, listed
from result_files import Results

RESULTS = Results()


@pytest.fixture(scope="module")
def lists():
    """What is listed for a page, computed once."""
    return functools.cache(lambda name: listed(DOCS / name, RESULTS))


@pytest.mark.parametrize("path", page_numbers.pages(), ids=lambda path: path.name)
def test_every_number_of_a_page_is_what_its_file_says_or_is_allowed_for(path, lists):
    page = fitted(path, lists(path.name))
    assert page.wrong() + left(page) == [], "uv run docs/page_numbers.py mends it; docs/numbers_of lists its numbers"
    assert page.mended() == page.text


@pytest.mark.parametrize(
    ("page", "says", "changed"),
    [
        ("README.md", "a leaky bank at 174 (141", "a leaky bank at 175 (141"),
        ("answer.md", "(the best: +3%, 0 to +5", "(the best: +3%, 0 to +6"),
        ("answer.md", "48% (43 to 52)", "48% (43 to 53)"),
        ("answer.md", "20% (10 to 37; averaged)", "20% (10 to 38; averaged)"),
        ("answer.md", "| 285 (278 to 291) |", "| 285 (278 to 281) |"),
        ("answer.md", "**contradicted**: +2% (−4 to +9)", "**supported**: +2% (−4 to +9)"),
        ("answer.md", "which is 22 on CartPole", "which is 23 on CartPole"),
    ],
)
def test_a_digit_that_was_changed_in_a_page_is_found_by_its_line(page, says, changed, lists, tmp_path):
    text = (page_numbers.pages()[0].parent / ("" if page == "README.md" else "docs") / page).read_text()
    (tmp_path / page).write_text(text.replace(says, changed, 1))
    (said,) = fitted(tmp_path / page, lists(page)).wrong()
    line = text[: text.index(says)].count("\n") + 1
    assert said.startswith(f"{page}:{line}: the page says ")
    assert fitted(tmp_path / page, lists(page)).mended() == text
