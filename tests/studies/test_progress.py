"""Progress only shows: whatever fails in it, the training goes on and its results are kept."""

import io
import sys

import numpy as np
import pytest

from helpers.small_studies import fake_result, small_study
from morphorl.config.consoles import TextConsole
from morphorl.studies.progress import Progress
from morphorl.studies.runner import run
from morphorl.studies.store import Store

TOLD = "the training goes on without it."


class Broken(io.StringIO):
    """A screen that cannot be written."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text):
        raise self.error


def engine(batches, progress):
    """Trains nothing, and tells what an engine tells; every second batch fails."""
    for number, batch in enumerate(batches):
        progress.started(batch.runs)
        progress.compiling(batch.runs[0])
        progress.begun(batch.runs, np.full(len(batch.runs), 21.0))
        for update in (1, 2, 3):
            progress.advanced(batch.runs, update, np.zeros(len(batch.runs)))
        yield batch, fake_result(batch.runs) if number % 2 == 0 else ValueError("no [/such] luck")


def trained(folder, console):
    """Run a study; gives its store, and the numbers of its runs that finished and that failed."""
    study, store = small_study(seeds=64), Store(folder)
    failed = run(study, store, console, engine=engine)
    return store, len(study.runs()), failed


ERRORS = {
    "a terminal that is gone": OSError(5, "Input/output error"),
    "a reader that is gone": BrokenPipeError(32, "Broken pipe"),
    "a letter that it lacks": UnicodeEncodeError("ascii", "γ", 0, 1, "ordinal not in range(128)"),
    "a bug": ZeroDivisionError("division by zero"),
}


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS.keys())
def test_a_screen_that_cannot_be_written_stops_no_training(tmp_path, capsys, terminal, error):
    store, runs, failed = trained(tmp_path, TextConsole(file=Broken(error), force_terminal=terminal))
    assert len(store.finished()) + failed == runs
    assert 0 < failed < runs
    said = capsys.readouterr().err
    assert said.count("\n") == said.count(TOLD) == 1
    assert type(error).__name__ in said


@pytest.mark.parametrize(("broken", "terminal"), [("render", True), ("line", False), ("rate", True), ("speed", False)])
def test_a_bug_in_the_display_stops_no_training(tmp_path, capsys, monkeypatch, terminal, broken):
    def fails(_):
        raise KeyError("two\nlines")

    monkeypatch.setattr(Progress, broken, fails)
    store, runs, failed = trained(tmp_path, TextConsole(file=io.StringIO(), force_terminal=terminal))
    assert len(store.finished()) + failed == runs
    said = capsys.readouterr().err
    assert said.count("\n") == said.count(TOLD) == 1


def test_the_output_is_given_back_when_the_display_stops(tmp_path, monkeypatch):
    """Rich takes standard output over while it shows a live table."""
    before = sys.stdout, sys.stderr
    monkeypatch.setattr(Progress, "render", lambda self: 1 / 0)
    trained(tmp_path, TextConsole(file=io.StringIO(), force_terminal=True))
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_ctrl_c_is_no_failure_of_the_display(tmp_path, terminal):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, TextConsole(file=Broken(KeyboardInterrupt()), force_terminal=terminal))


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_untrained_agents_are_the_first_numbers(tmp_path, terminal):
    screen = io.StringIO()
    trained(tmp_path, TextConsole(file=screen, width=120, force_terminal=terminal))
    before, _, _ = screen.getvalue().partition("training CartPole-v1")
    assert "21" in before


def test_what_is_shown_is_shown_to_the_end(tmp_path):
    screen = io.StringIO()
    store, runs, failed = trained(tmp_path, TextConsole(file=screen, width=120, force_terminal=True))
    shown = screen.getvalue()
    assert "compiling CartPole-v1" in shown
    assert f"{len(store.finished())}/{runs} runs" in shown.rpartition("done")[2]
    assert "ValueError: no [/such] luck" in shown
    assert f"{failed} runs failed" in shown
