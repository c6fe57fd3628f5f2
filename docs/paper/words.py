"""How the paper writes numbers: in shares, returns, ratios, each with its 95% interval."""

from typing import NamedTuple, Protocol

from tasks_page import number


class WithInterval(Protocol):
    """A value and its 95% interval: an `Effect`, an `Estimate` or a `Verdict`'s."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


class Bounded(NamedTuple):
    """A value and its interval, wherever they come from."""

    value: float
    low: float
    high: float


def bounded(held: dict[str, float]) -> Bounded:
    """A value and its interval, as result files hold them."""
    return Bounded(held["value"], held["low"], held["high"])


def signed(one: WithInterval) -> str:
    """A share with its interval, both with their signs: +3% (0 to +5)."""
    low, high = (percent(end, sign=True).removesuffix("%") for end in (one.low, one.high))
    return f"{percent(one.value, sign=True)} ({low} to {high})"


def unsigned(one: WithInterval) -> str:
    """A share with its interval: 47% (42 to 51)."""
    low, high = (percent(end).removesuffix("%") for end in (one.low, one.high))
    return f"{percent(one.value)} ({low} to {high})"


def percent(value: float, *, sign: bool = False) -> str:
    """A share in per cent, without a decimal."""
    whole = f"{value:+.0%}" if sign else f"{value:.0%}"
    return "0%" if whole.lstrip("+-") == "0%" else whole.replace("-", "−")


def estimate(one: WithInterval) -> str:
    """A number with its interval, to three digits."""
    value, low, high = (number(0 if abs(part) < 0.005 else part) for part in (one.value, one.low, one.high))
    return f"{value} ({low} to {high})"


def proportion(one: WithInterval) -> str:
    """A share of seeds with its interval: .87 (.80 to .92)."""
    return "{} ({} to {})".format(*(_decimal(value) for value in (one.value, one.low, one.high)))


def _decimal(value: float) -> str:
    return f"{value:.0f}" if value in (0, 1) else f"{value:.2f}".removeprefix("0")


def times(one: WithInterval) -> str:
    """A ratio with its interval: 0.50 (0.44 to 0.71)."""
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"
