"""JAX on this machine: one host device per core, programs kept between starts, and no computing after a fork."""

import contextlib
import os
from pathlib import Path

import jax
from jax._src.xla_bridge import backends_are_initialized  # which has no public name

from morphorl.config.errors import SettingError
from morphorl.config.jax_environment import DEVICES


def use_all_cores() -> None:
    """Give JAX one host device per core, and keep compiled programs on disk between starts.

    Call it before anything else: once a JAX array exists, and importing gymnax makes one, JAX refuses. Sharding runs
    over one device per core trains about 1.4 times faster than
    leaving the cores to one device. `JAX_NUM_CPU_DEVICES` says another number, and `MORPHORL_CACHE` moves the cache
    from `~/.cache/morphorl`.
    """
    if DEVICES not in os.environ:
        jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))
    jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def start() -> None:
    """Start JAX on the platforms that it is to use."""
    jax.devices()


def batch_sizes() -> tuple[int, int]:
    """The largest number of runs in a batch, and the number of which it must be a multiple.

    16 runs per core keep a CPU busy and its caches warm; an accelerator wants many more.

    Raises:
        SettingError: in a process that was forked after JAX had started, where training would wait for ever.
    """
    refuse_after_fork()
    devices = jax.devices()
    return (16 if devices[0].platform == "cpu" else 4096) * len(devices), len(devices)


def use_all_cores_if_free() -> None:
    """`use_all_cores` for a program that is not ours: what it has told JAX stays, and a JAX that has started too."""
    if jax.config.jax_compilation_cache_dir is None:
        jax.config.update("jax_compilation_cache_dir", str(cache_folder() / "jax"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    if jax.config.jax_num_cpu_devices == -1 and "xla_force_host_platform_device_count" not in _xla_flags():
        with contextlib.suppress(RuntimeError):  # JAX has started
            jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))


def refuse_after_fork() -> None:
    """Raise what would else be a wait without end: JAX's threads do not survive a fork.

    A process that was forked before JAX had started may compute like any other.

    Raises:
        SettingError: in a process that was forked after JAX had started; the message says how to start one.
    """
    if _fork.threads_lost:
        raise SettingError(
            "multiprocessing context = 'fork': must be 'spawn' or 'forkserver' where JAX has started before, for its "
            "threads do not survive a fork. Say AsyncVectorEnv(…, context='spawn') or "
            "SubprocVecEnv(…, start_method='spawn'); multiprocessing.get_context('spawn') starts any other process."
        )


class _Fork:
    """What this process knows of forks: Python asks before each, and tells the child."""

    started_before = False
    threads_lost = False

    def before(self) -> None:
        self.started_before = backends_are_initialized()

    def in_child(self) -> None:
        self.threads_lost = self.threads_lost or self.started_before


_fork = _Fork()
os.register_at_fork(before=_fork.before, after_in_child=_fork.in_child)


def _xla_flags() -> str:
    return os.environ.get("XLA_FLAGS", "")


def cache_folder() -> Path:
    """Where what was computed once is kept between starts."""
    return Path(os.environ.get("MORPHORL_CACHE") or Path.home() / ".cache" / "morphorl")
