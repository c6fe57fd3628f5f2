"""Programs that compile quickly, for tests: less optimised, and by fewer tools.

Of compiling a small program, most is XLA's: LLVM's optimisations, a module of LLVM's for each of 32 threads, and for
each kernel a pipeline of MLIR. Its older emitters, which it still has for whoever asks, need no such pipeline.
Together they compile a training in a third of the time. What they compute is the same but for rounding.
"""

import jax
from jax._src import compiler  # which has no public name
from jaxlib import xla_client

OLDER_EMITTERS = b"xla_cpu_disable_new_fusion_emitters"
FLAGS = f"--xla_cpu_parallel_codegen_split_count=1 --xla_backend_extra_options={OLDER_EMITTERS.decode()}"
"""For XLA in a process of its own."""


def compile_quickly_where_optimisations_are_off() -> None:
    """From now on, JAX with `jax_disable_most_optimizations` compiles as `FLAGS` say; without it, as it does for users.

    Flags of XLA hold for a whole process, and JAX hands on only some of them for one program: hence the detour. All
    programs are one module of LLVM's: 32 of them spread the work over threads, of which the tests have none to spare.
    """
    usual = compiler.get_compile_options

    def options(*args, **named):
        overrides = (named.pop("env_options_overrides", None) or {}) | {"xla_cpu_parallel_codegen_split_count": 1}
        asked = usual(*args, env_options_overrides=overrides, **named)
        if not jax.config.read("jax_disable_most_optimizations"):
            return asked
        return xla_client.CompileOptions.ParseFromString(asked.SerializeAsString() + _OLDER_EMITTERS_TOO)

    compiler.get_compile_options = options


def _message(number: int, content: bytes) -> bytes:
    """One field of a protocol buffer that holds a message or bytes, of fewer than 128 bytes."""
    tag = number << 3 | 2
    return (bytes([tag]) if tag < 128 else bytes([tag & 127 | 128, tag >> 7])) + bytes([len(content)]) + content


_EXTRA_OPTION = _message(1, OLDER_EMITTERS) + _message(2, b"")
_OLDER_EMITTERS_TOO = _message(3, _message(3, _message(500, _EXTRA_OPTION)))
"""`executable_build_options.debug_options.xla_backend_extra_options[…] = ""`, which adds to what stands before it."""
