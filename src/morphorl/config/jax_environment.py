"""The environment variables that JAX reads, checked before JAX does: it answers a wrong one with a crash."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from morphorl.config.errors import SettingError, quoted

DEVICES = "JAX_NUM_CPU_DEVICES"
PLATFORMS = "JAX_PLATFORMS"
FLAGS = "XLA_FLAGS"


@contextmanager
def refusing_wrong_variables() -> Iterator[None]:
    """Import and start JAX in here.

    Raises:
        SettingError: naming the variable, its value and what is allowed.
    """
    _check_devices()
    _check_flags()
    try:
        yield
    except ValueError as error:
        if "JAX" not in str(error):
            raise
        raise SettingError(f"{error}: must be a value that JAX takes; unset the variable if in doubt.") from error
    except (RuntimeError, AssertionError) as error:  # JAX asserts that one of several platforms has started
        platforms = os.environ.get(PLATFORMS)
        if not platforms:
            raise
        raise SettingError(
            f"{PLATFORMS} = {quoted(platforms)}: must be a platform that JAX can use here, such as 'cpu', or unset."
        ) from error


def _check_devices() -> None:
    value = os.environ.get(DEVICES)
    if value is not None and not (value.isascii() and value.isdecimal() and int(value[:9]) > 0 and len(value) < 5):
        raise SettingError(f"{DEVICES} = {quoted(value)}: must be a whole number from 1 to 9999, or unset.")


def _check_flags() -> None:
    """XLA ends the process that gives it flags it does not know: another process tries them."""
    value = os.environ.get(FLAGS)
    if not value:
        return
    alone = {name: other for name, other in os.environ.items() if not name.startswith("JAX_")} | {PLATFORMS: "cpu"}
    tried = subprocess.run([sys.executable, "-c", "import jax; jax.devices()"], env=alone, capture_output=True)
    if tried.returncode:
        raise SettingError(f"{FLAGS} = {quoted(value)}: must be flags that XLA knows, or unset.")
