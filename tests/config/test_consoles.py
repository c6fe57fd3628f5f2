"""What our consoles print is text, whatever it looks like."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

import morphorl
from morphorl.config.consoles import TextConsole, visible
from morphorl.report import tables

SOURCE = Path(str(morphorl.__file__)).parent
AS_THEY_ARE = [
    "use_bias[/b]",
    "[red]",
    "[/]",
    "γ [0.1]",
    r"\[",
    r"\[red]",
    ":smile:",
    "[link=x]y[/link]",
    "\\",
    "192.168.0.1",
]


def printed(what, **options):
    screen = io.StringIO()
    TextConsole(file=screen, width=200, **options).print(what)
    return screen.getvalue()


def everywhere(text):
    """A renderable in which a string stands in the five places where rich takes one."""
    table = Table(text, title=text, caption=text)
    table.add_row(text)
    return Group(text, table)


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_a_string_is_shown_as_it_is_wherever_it_stands(text):
    assert printed(everywhere(text)).count(text) == 5
    assert printed(text) == printed(Text(text)) == f"{text}\n"


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_a_string_gets_no_style_on_a_terminal_either(text):
    assert printed(text, force_terminal=True) == f"{text}\n"


@pytest.mark.parametrize("text", AS_THEY_ARE)
def test_live_displays_and_status_lines_show_strings_as_they_are(text):
    screen = io.StringIO()
    console = TextConsole(file=screen, width=200, force_terminal=True)
    with console.status(text):
        pass
    assert text in screen.getvalue()
    with Live(text, console=console, auto_refresh=False):
        pass
    assert screen.getvalue().count(text) >= 2


@pytest.mark.parametrize("order", ["\x1b[2J", "\x1b]0;title\x07", "\x9b2J", "\r", "\b", "\x00", "\x7f"])
def test_no_order_reaches_the_terminal(order):
    screen = printed(everywhere(f"before{order}after"))
    assert screen.count(f"before{visible(order)}after") == 5
    screen += printed(Text(f"before{order}after")) + printed(tables.with_interval(order, order))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", screen)


def test_a_table_with_control_characters_is_as_straight_as_any(capsys):
    table = Table("label", "next", box=None)
    table.add_row("a\x1b[2Jb", "1")
    table.add_row("plain", "1")
    places = {line.rstrip().rindex("1") for line in printed(table).splitlines()[1:]}
    assert len(places) == 1


def test_tabs_and_line_breaks_are_not_orders():
    assert printed("two\nlines") == "two\nlines\n"
    assert "\\" not in printed("a\ttab")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_letter_shows_its_number(encoding):
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    TextConsole(file=file, width=60).print(everywhere("γ = 0.1"), Text("γ = 0.1"))
    assert raw.getvalue().count(rb"\u03b3 = 0.1") == 5
    assert raw.getvalue().endswith(b"\n? = 0.1\n")


def test_half_of_a_surrogate_pair_is_printed():
    """As a name of a file has it that is not UTF-8."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="utf-8")
    TextConsole(file=file, width=60).print("runs/\udcff")
    assert raw.getvalue() == b"runs/\\udcff\n"


def test_styles_are_those_of_texts_alone():
    screen = printed(Text.assemble(("error:", "red"), " [bold]"), force_terminal=True)
    assert screen in ("\x1b[31merror:\x1b[0m [bold]\n", "error: [bold]\n")  # without colours where NO_COLOR is set


def test_an_interval_is_dimmed_and_its_value_is_not():
    cell = tables.with_interval("0.5", "0.1–0.9", "bold")
    assert cell.plain == "0.5 0.1–0.9"
    assert [(cell.plain[span.start : span.end], span.style) for span in cell.spans] == [("0.1–0.9", "dim")]
    assert cell.style == "bold"


def test_nobody_makes_another_console_or_writes_markup():
    texts = {path.relative_to(SOURCE).as_posix(): path.read_text("utf-8") for path in SOURCE.rglob("*.py")}
    assert [name for name, text in texts.items() if re.search(r"\bConsole\((?!Console\))", text)] == []
    for name, text in texts.items():
        assert "rich.markup" not in text, name
        assert "from_markup" not in text, name
        assert not re.search(r"\[/?(dim|bold|italic|red|green|yellow)\]", text), name
