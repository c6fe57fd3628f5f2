"""An episode in the terminal: the dynamics' states as coloured squares, logits as bars."""

import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from morphorl.report.episode import Look

MOST_NUMBERS = 8
"""Columns of a state up to which its numbers are shown; the sites of a field are squares alone."""


def show(looks: Iterable[Look], title: str, console: Console, pause: float = 0.04) -> float:
    """Play an episode in the terminal; gives its return."""
    total = 0.0
    with Live(console=console, refresh_per_second=25, transient=False) as live:
        for step, look in enumerate(looks):
            total += look.reward
            live.update(frame(look, f"{title}, step {step + 1}, return {total:.4g}"))
            time.sleep(pause if console.is_terminal else 0)
    return total


def frame(look: Look, title: str) -> Group:
    """One step as a renderable."""
    parts = [_matrix(name, state) for name, state in look.states.items()]
    return Group(Text(title, style="bold"), Columns([*parts, _logits(look)], padding=(0, 3)))


def _matrix(name: str, state: np.ndarray) -> Table:
    most = max(float(np.abs(state).max()), 1e-9)
    table = Table(title=name, box=None, show_header=False, padding=0)
    for row in state:
        texts = [f"{value:6.2f} " if len(row) <= MOST_NUMBERS else " " for value in row]
        table.add_row(*(Text(text, style=_colour(value / most)) for text, value in zip(texts, row, strict=True)))
    return table


def _colour(share: Any) -> str:
    """Blue above 0 and orange below, brighter with size; the sign is in the number too."""
    depth = round(60 + 150 * abs(float(share)))
    return f"white on rgb(20,60,{depth})" if share > 0 else f"white on rgb({depth},70,10)"


def _logits(look: Look) -> Table:
    table = Table(title="network, cell, blended", box=None, show_header=False, padding=(0, 1))
    chosen = int(np.atleast_1d(look.action)[0]) if np.ndim(look.action) == 0 else -1
    for k, values in enumerate(zip(look.network, look.readout, look.blended, strict=True)):
        table.add_row("▶" if k == chosen else " ", *(f"{value:7.2f}" for value in values))
    return table
