"""The console of every command: what it prints is text, and never markup, an emoji's code or an order to the terminal.

Labels, names of folders and messages of exceptions come from users and from files of others. So no string is parsed:
what is coloured is a `rich.text.Text` that says so.
"""

import os
import sys
from collections.abc import Iterable
from io import TextIOBase
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

ESCAPED = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\t\n"}
"""Control characters, and the letters that are shown in place of each."""


class TextConsole(Console):
    """A console that shows every string as it is.

    Control characters are shown as `\\x1b`, and characters that the terminal's encoding lacks as `\\u03b3`; rich would
    send both as they are. Those that it lacks of a `Text`, whose width is settled before it comes here, as `?`.

    Args:
        file: where to write; the standard output (or error) if not given.
        stderr: whether to write to the standard error.
        width: columns; those of the terminal if not given.
        quiet: whether to write nothing.
        force_terminal: whether this is a terminal; found out if not given.
    """

    def __init__(
        self,
        *,
        file: TextIOBase | None = None,
        stderr: bool = False,
        width: int | None = None,
        quiet: bool = False,
        force_terminal: bool | None = None,
    ) -> None:
        where = {"file": file, "stderr": stderr, "width": width, "quiet": quiet, "force_terminal": force_terminal}
        super().__init__(**where, markup=False, emoji=False, highlight=False)  # pyright: ignore[reportArgumentType]

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as a `Text`; cells of tables pass here before they are measured."""
        return super().render_str(visible(text, self.encoding), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Anything as segments; all that is printed passes here."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, self.encoding, "replace"))

    def status(self, status: RenderableType, **options: Any) -> Status:
        """A line that is shown while something is computed. Rich would parse a string."""
        return super().status(Text(status) if isinstance(status, str) else status, **options)

    def on_broken_pipe(self) -> None:
        """Nobody reads any more: be quiet from now on, and raise `BrokenPipeError`. Rich would exit."""
        self.quiet = True
        if self.file is sys.stdout is sys.__stdout__:  # so that nothing is left to be flushed into it at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def visible(text: str, encoding: str = "utf-8", lacking: str = "backslashreplace") -> str:
    """Text that does nothing to a terminal but appear on it, and that the encoding can hold.

    Args:
        lacking: what to do with characters that it cannot hold, as `str.encode` names it.
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(ESCAPED).encode(encoding, lacking).decode(encoding)
