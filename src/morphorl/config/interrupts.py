"""Ctrl-C that is not lost."""

import signal
import sys
import threading
from types import FrameType

AGAIN_SECONDS = 0.05
"""How long after it was dropped Ctrl-C is sent again: the callback that dropped it has returned by then."""

arrived = threading.Event()
"""Set from the moment that Ctrl-C arrives."""


def note_and_send_again() -> None:
    """Note that Ctrl-C arrives, for `raise_if_swallowed`, and send it again where Python drops it.

    A process that ignores Ctrl-C, as one in the background may, goes on ignoring it.
    """

    def interrupted(number: int, frame: FrameType | None) -> None:
        arrived.set()
        signal.default_int_handler(number, frame)

    if threading.current_thread() is threading.main_thread():
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupted)
        send_dropped_ones_again()


def raise_if_swallowed() -> None:
    """Raise `KeyboardInterrupt` again if Ctrl-C has arrived and somebody has caught it: JAX has bare `except:` clauses.

    For the places between two pieces of long work.
    """
    if arrived.is_set():
        raise KeyboardInterrupt


def send_dropped_ones_again() -> None:
    """Send Ctrl-C again wherever Python drops it, until it arrives.

    What is raised in a callback of the garbage collector or of a weak reference goes no further: Python hands it to
    `sys.unraisablehook` and continues. JAX has such callbacks, and they run while it traces and compiles.
    """
    others = sys.unraisablehook

    def hook(dropped: "sys.UnraisableHookArgs") -> None:
        if dropped.exc_type is KeyboardInterrupt:
            again = (threading.main_thread().ident, signal.SIGINT)  # sent to the thread, so that it ends a sleep too
            threading.Timer(AGAIN_SECONDS, signal.pthread_kill, again).start()
        else:
            others(dropped)

    sys.unraisablehook = hook
