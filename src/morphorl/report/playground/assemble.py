"""Write kernels.wasm from kernels.wat (needs wasmtime, of the development group).

python -m morphorl.report.playground.assemble
"""

from wasmtime import wat2wasm

from morphorl.report.playground.playground_data import KERNELS


def assembled() -> bytes:
    """The kernels that the page trains with, as WebAssembly."""
    return bytes(wat2wasm(KERNELS.with_suffix(".wat").read_text(encoding="utf-8")))


if __name__ == "__main__":
    KERNELS.write_bytes(assembled())
