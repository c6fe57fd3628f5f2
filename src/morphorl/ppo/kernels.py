"""The two ways to compute PPO's learning phase, and which of them can be had here.

`xla` is the reference: JAX's operators, on any device, for any settings. `fused` is the same in one function of machine
code (`ppo/fused`), on processors with AVX2, and trains some 1.3 times as fast. A step on the same samples agrees to the
last digits of single precision. But the fused kernel draws an order of samples of its own, so that a seed's run is
another run: a study is trained by one of the two, which is part of each run's identity.
"""

import importlib.metadata
import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import jax

from morphorl.config import extras
from morphorl.config.errors import SettingError

if TYPE_CHECKING:
    from morphorl.ppo.settings import Settings

Kernel = Literal["xla", "fused"]
KERNELS: tuple[Kernel, ...] = ("xla", "fused")
EXTRA = "fast"
NUMBA = (0, 66)
"""The first version that the kernel is known to work with."""
INTERFACE = (0, 4)
"""The version of XLA's call interface whose frames `fused/xla_call.py` takes apart."""


def takes(settings: "Settings") -> bool:
    """Whether the fused kernel knows settings' networks: two hidden layers, their widths multiples of 16, and nothing
    beside them (`ppo.skip`, `ppo.network`).

    Runs of other settings are trained by XLA in a study of either kernel.
    """
    ppo = settings.ppo
    wide = len(ppo.hidden) == 2 and all(width % 16 == 0 for width in ppo.hidden)
    return ppo.network == "mlp" and not ppo.skip and wide


def unavailable() -> str | None:
    """Why the fused kernel cannot be used on this machine; None if it can."""
    if importlib.util.find_spec(extras.EXTRAS[EXTRA]) is None:
        return extras.missing(EXTRA, "it").removesuffix(".").replace(":", "", 1)
    if (numba := _version("numba")) < NUMBA:
        return f"it needs Numba {_dotted(NUMBA)} or later, and {_dotted(numba)} is installed"
    if jax.default_backend() != "cpu":
        return f"it is for processors, and JAX computes on a {jax.default_backend()} here"
    from llvmlite import binding  # which comes with Numba

    if not {"avx2", "fma"} <= {name for name, there in binding.get_host_cpu_features().items() if there}:
        return "it needs a processor with AVX2"
    if (found := _interface()) != INTERFACE:
        version = importlib.metadata.version("jaxlib")
        return (
            f"it knows version {_dotted(INTERFACE)} of XLA's call interface, and jaxlib {version} has {_dotted(found)}"
        )
    return None


def versions(kernel: str) -> dict[str, str]:
    """What decides the bits of a kernel's results beside what decides those of XLA's: libraries, and vectors."""
    if kernel != "fused" or unavailable():
        return {}
    from llvmlite import binding

    widest = "AVX-512" if binding.get_host_cpu_features().get("avx512f") else "AVX2"
    found = {name: importlib.metadata.version(name) for name in ("numba", "llvmlite")}
    return found | {"vectors": widest}


def refuse_unavailable(kernel: str) -> None:
    """Raise an error for a kernel that this machine does not have.

    Raises:
        SettingError: with the reason, and what to say instead.
    """
    if kernel == "fused" and (reason := unavailable()):
        raise SettingError(
            f"kernel = 'fused': cannot be used here: {reason}. 'xla' trains other runs of the same settings, in a "
            "folder of its own."
        )


def _interface() -> tuple[int, int]:
    """The version of the call interface of this jaxlib, from the header that it carries."""
    header = (Path(jax.ffi.include_dir()) / "xla" / "ffi" / "api" / "c_api.h").read_text()
    found = dict(re.findall(r"#define XLA_FFI_API_(MAJOR|MINOR) (\d+)", header))
    return int(found.get("MAJOR", -1)), int(found.get("MINOR", -1))


def _version(package: str) -> tuple[int, int]:
    """Major and minor version of a package."""
    major, minor, *_ = importlib.metadata.version(package).split(".")
    return int(major), int(minor)


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
