"""Numbers for hypothesis to choose from."""

import hypothesis.strategies as st


def settable(low, high):
    """Numbers that a setting takes: those that single precision holds."""
    return st.floats(low, high).map(lambda number: number if abs(number) > 1e-37 else 0.0)
