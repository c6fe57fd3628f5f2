"""Processes of their own: what their environment says."""

import os

QUICKLY_COMPILED = os.environ | {"JAX_DISABLE_MOST_OPTIMIZATIONS": "1"}
"""Programs compile as in the tests' own process, without optimisations."""
