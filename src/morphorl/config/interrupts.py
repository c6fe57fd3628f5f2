"""Ctrl-C that is not lost."""

import signal
import sys
import threading

AGAIN_SECONDS = 0.05
"""How long after it was dropped Ctrl-C is sent again: the callback that dropped it has returned by then."""


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
