"""What a running study shows: a live table on a terminal, plain lines elsewhere, and a file for `morphorl status`.

It only shows: what it raises, because a terminal is gone for instance, is told once and stops no training.
"""

import functools
import json
import math
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Concatenate

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from morphorl.studies import time_estimate
from morphorl.studies.run import Run

LINE_SECONDS = 5.0
"""Time between two lines where there is no terminal."""

REFRESH_SECONDS = 0.25
"""Time between two pictures of the live table."""

BEAT_SECONDS = 2.0
"""Time between two signs of life in the study's folder."""
MOST_ROWS = 24
"""Arms in the live table; more of them are shown together, one row for each environment."""


def _harmless[**P](method: Callable[Concatenate["Progress", P], None]) -> Callable[Concatenate["Progress", P], None]:
    """A method of `Progress` that never raises an `Exception`: the first one ends the display."""

    @functools.wraps(method)
    def harmless(self: "Progress", *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            method(self, *args, **kwargs)
        except Exception as error:
            self._give_up(error)

    return harmless


class Progress:
    """Follows the runs of a study and shows how they stand; use it as a context manager around the training.

    None of its methods that a training calls raises an `Exception`.
    """

    def __init__(
        self,
        console: Console,
        runs: list[Run],
        finished: set[str],
        folder: Path | None = None,
        *,
        together: bool = False,
    ) -> None:
        self.console = console
        self.folder = folder
        self.last_beat = -math.inf
        self.running = 0
        self.together = together or len({(id(run.settings), run.arm) for run in runs}) > MOST_ROWS
        self.rows: dict[tuple[int, str], tuple[str, str]] = {}
        self.total = defaultdict(int)
        self.done = defaultdict(int)
        self.returns: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
        for run in runs:
            row = self._row(run)
            self.total[row] += 1
            self.done[row] += run.id in finished
        remaining = {run.id: run.settings for run in runs if run.id not in finished}
        alike = Counter(map(id, remaining.values()))  # a million runs share a thousand settings
        self.work_left: dict[str, int] = defaultdict(int)
        for settings in {id(settings): settings for settings in remaining.values()}.values():
            self.work_left[time_estimate.kind(settings)] += alike[id(settings)] * time_estimate.work(settings)
        self.work: dict[str, int] = defaultdict(int)
        self.seconds: dict[str, float] = defaultdict(float)
        self.remembered = time_estimate.known_speeds()
        self.steps = 0
        self.batch_updates = 0
        self.activity = "starting"
        self.resumed_at: float | None = None
        self.last_shown = -math.inf
        self.live: Live | None = None
        self.given_up = False

    def __enter__(self) -> "Progress":
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop("stopped" if kind else "done")

    @_harmless
    def say(self, text: str | Text) -> None:
        """Print a message on a line of its own, whether this is a terminal or not."""
        self.console.print(text, soft_wrap=True)

    @_harmless
    def started(self, runs: list[Run]) -> None:
        """A batch is under way."""
        self.running += len(runs)
        self._beat()

    @_harmless
    def compiling(self, run: Run) -> None:
        """A program is about to be compiled: the one that this run belongs to."""
        self.activity = f"compiling {run.settings.environment} (once per machine and version: then it is cached)"
        self.resumed_at = None
        self._show(self.activity)

    @_harmless
    def begun(self, runs: list[Run], returns: np.ndarray) -> None:
        """The agents of a batch are there, and returned so much before any training; the first of them are shown."""
        self._note(runs, returns)
        if self.last_shown == -math.inf:
            self._show(self.line())

    @_harmless
    def advanced(self, runs: list[Run], updates: int, returns: np.ndarray) -> None:
        """The runs of a batch have done so many updates, and returned so much in their latest episodes."""
        now = time.perf_counter()
        settings = runs[0].settings
        kind = time_estimate.kind(settings)
        updates_done = len(runs) * (updates - self.batch_updates)
        work = updates_done * time_estimate.work(settings) // settings.updates
        self.work_left[kind] -= work
        if self.resumed_at is not None:  # the time of the first chunk is not known: it must not count for the speed
            self.seconds[kind] += now - self.resumed_at
            self.work[kind] += work
            self.steps += updates_done * settings.ppo.batch
        self.resumed_at, self.batch_updates = now, updates
        self.activity = f"training {runs[0].settings.environment}"
        self._note(runs, returns)
        self._beat()
        if now - self.last_shown > (LINE_SECONDS if self.live is None else REFRESH_SECONDS):
            self.last_shown = now
            self._show(self.line())

    @_harmless
    def failed(self, runs: list[Run], error: Exception) -> None:
        """A batch could not be trained."""
        self.running -= len(runs)
        self.batch_updates, self.resumed_at = 0, None
        self.work_left[time_estimate.kind(runs[0].settings)] -= sum(time_estimate.work(run.settings) for run in runs)
        self.say(f"{len(runs)} runs failed: {type(error).__name__}: {error}")

    @_harmless
    def finished(self, runs: list[Run]) -> None:
        """The runs of a batch are trained, and their results are on disk."""
        self.batch_updates = 0
        self.running -= len(runs)
        for run in runs:
            self.done[self._row(run)] += 1

    def line(self) -> str:
        """The state in one line."""
        runs = f"{sum(self.done.values())}/{sum(self.total.values())} runs"
        latest = ", ".join(
            f"{arm} {_mean(self.returns[env, arm])}" for env, arm in self.total if self.returns[env, arm]
        )
        return f"{self.activity}: {runs}, {self.speed()}" + (f" | latest return: {latest}" if latest else "")

    def speed(self) -> str:
        """Environment steps per second and the time left, where they are known."""
        if not self.rate():
            return "measuring the speed"
        minutes, seconds = divmod(round(self.seconds_left() or 0), 60)
        return f"{self.rate():,.0f} env steps/s, {minutes}:{seconds:02d} left"

    def rate(self) -> float | None:
        """Environment steps per second, once known."""
        return self.steps / sum(self.seconds.values()) if self.steps else None

    def seconds_left(self) -> float | None:
        """The time left, once the speed is known."""
        return time_estimate.seconds(self.work_left, self.remembered | self.speeds()) if self.rate() else None

    def speeds(self) -> dict[str, float]:
        """Work per second by kind (`time_estimate.kind`), where known."""
        return {kind: self.work[kind] / seconds for kind, seconds in self.seconds.items() if seconds}

    def render(self) -> Group:
        """The state as a live table."""
        done, total = sum(self.done.values()), sum(self.total.values())
        table = Table(box=None, padding=(0, 2), header_style="dim")
        for name in ("environment", "arm"):
            table.add_column(name)
        for name in ("runs", "latest return"):
            table.add_column(name, justify="right")
        for env, arm in self.total:
            table.add_row(env, arm, f"{self.done[env, arm]}/{self.total[env, arm]}", _mean(self.returns[env, arm]))
        head = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=max(total, 1), completed=done, width=30)
        head.add_row(bar, f"{done}/{total} runs", self.speed())
        return Group(Text(self.activity, style="bold"), head, table)

    def _give_up(self, error: Exception) -> None:
        """Show nothing from now on, and say so once."""
        if self.given_up:
            return
        self.given_up = True
        with suppress(Exception):
            self._stop_live()
        with suppress(Exception):
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"The display of progress stopped ({reason}); the training goes on without it.", file=sys.stderr)

    @_harmless
    def _start(self) -> None:
        if self.console.is_terminal:
            # Without a thread of its own: nothing changes but in a call of these methods, and what it raised there
            # could not be caught here.
            self.live = Live(get_renderable=self.render, console=self.console, auto_refresh=False)
            self.live.start(refresh=True)

    @_harmless
    def _stop(self, activity: str) -> None:
        if self.live is None:
            self._show(self.line())
        self.activity = activity
        self._stop_live()

    def _stop_live(self) -> None:
        live, self.live = self.live, None
        if live is not None:
            live.stop()

    def _show(self, line: str) -> None:
        """Renew the live table, or print the line where there is no terminal."""
        if self.live is not None:
            self.live.refresh()
        elif not self.given_up:
            self.console.print(line, soft_wrap=True)

    def _beat(self) -> None:
        """Renew `progress.json`. It is a courtesy: a disk that is full stops the results, and not this.

        So it is replaced as a whole, but not flushed to the disk (`files.write_json`) at every beat.
        """
        now = time.monotonic()
        if self.folder is None or now - self.last_beat < BEAT_SECONDS:
            return
        self.last_beat = now
        state = {"at": time.time(), "activity": self.activity, "running": self.running}
        known = {"env_steps_per_second": self.rate(), "seconds_left": self.seconds_left()}
        temporary = self.folder / f".progress.{os.getpid()}"
        with suppress(OSError):
            temporary.write_text(json.dumps(state | known))
            temporary.replace(self.folder / "progress.json")

    def _note(self, runs: list[Run], returns: np.ndarray) -> None:
        """Take down the latest return of each run."""
        for run, value in zip(runs, returns, strict=True):
            self.returns[self._row(run)][run.id] = float(value)

    def _row(self, run: Run) -> tuple[str, str]:
        key = id(run.settings), run.arm
        if key not in self.rows:
            arm = "all arms" if self.together else run.arm
            self.rows[key] = f"{run.settings.environment} ({run.preset})", arm
        return self.rows[key]


def _mean(returns: dict[str, float]) -> str:
    known = [value for value in returns.values() if not math.isnan(value)]
    return f"{sum(known) / len(known):.0f}" if known else "–"
