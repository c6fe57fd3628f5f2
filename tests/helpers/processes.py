"""Processes of their own: what their environment says."""

import os

from helpers.quick_compiling import FLAGS

QUICKLY_COMPILED = os.environ | {
    "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    "XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {FLAGS}".strip(),
}
"""Programs compile as in the tests' own process: quickly, without optimisations."""
