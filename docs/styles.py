"""How a result stands in a page: `106 (103 to 108)`, `+3%, 0 to +5`, `.97 (.89 to 1)`, `26.6k (22.5k to 31.7k)`."""

import dataclasses
import math
from typing import NamedTuple


class Known(NamedTuple):
    """A number with its 95% interval (NaN: it has none), and the file that says so, from docs/results."""

    value: float
    low: float
    high: float
    file: str

    def behind(self) -> "Known":
        """The same seen from the other side: a lead of −3 is 3 behind."""
        return Known(-self.value, -self.high, -self.low, self.file)

    def times(self, factor: float) -> "Known":
        """The same number and interval in another unit."""
        return Known(self.value * factor, self.low * factor, self.high * factor, self.file)


class Shown(NamedTuple):
    """Text for a page, and the file that its numbers are from."""

    text: str
    file: str

    def within(self, text: str) -> "Shown":
        """The same number in a few words, `text`, which has {} in its place."""
        return Shown(text.replace("{}", self.text), self.file)


@dataclasses.dataclass(frozen=True)
class Style:
    """How numbers of one kind are written."""

    digits: int = 0
    """Digits after the point."""
    significant: int = 0
    """Significant digits, in place of `digits`."""
    unit: str = ""
    """"%" for shares of 1, "k" for thousands."""
    sign: bool = False
    """Whether a number above 0 has a plus, and an end of its interval where the interval holds both signs."""
    bare: bool = False
    """Whether the zero before the point is left out, and 0 is `0`."""
    exact: bool = False
    """Whether 1 is `1` where nothing was rounded."""
    alone: bool = False
    """Whether a number whose interval says the same stands without it."""
    beyond: str = ""
    """What an infinite number lies beyond, such as the steps of a training."""

    def __call__(self, known: Known) -> Shown:
        """`value (low to high)`."""
        value, low, high = self._parts(known)
        if not low or (self.alone and value == low == high):
            return self.value(known)
        return Shown(f"{value} ({low} to {high})", known.file)

    def comma(self, known: Known) -> Shown:
        """`value, low to high`, within brackets."""
        value, low, high = self._parts(known)
        return Shown(f"{value}, {low} to {high}", known.file)

    def value(self, known: Known) -> Shown:
        """The number without its interval."""
        return Shown(self._parts(known)[0], known.file)

    def interval(self, known: Known) -> Shown:
        """`low to high`."""
        _, low, high = self._parts(known)
        return Shown(f"{low} to {high}", known.file)

    def spread(self, known: Known) -> Shown:
        """`low–high`."""
        _, low, high = self._parts(known)
        return Shown(f"{low}–{high}", known.file)

    def _parts(self, known: Known) -> tuple[str, str, str]:
        """Value, low, high; the percent sign stands with the first alone, and what is infinite has no interval."""
        value = self._number(known.value, self.sign) + "%" * (self.unit == "%")
        if math.isinf(known.value) or math.isnan(known.low):
            return value, "", ""
        plus = self.sign and known.low < 0
        return value, self._number(known.low, plus), self._number(known.high, plus)

    def _number(self, number: float, plus: bool) -> str:
        if math.isinf(number):
            return f">{self.beyond}"
        scaled = number * {"%": 100, "k": 0.001, "": 1}[self.unit]
        text = f"{scaled:.{self._digits(scaled)}f}"
        zero = float(text) == 0
        if (zero and (self.bare or self.sign)) or (self.exact and scaled in (0, 1)):
            text = f"{abs(float(text)):.0f}"
        if zero:
            text = text.removeprefix("-")
        if self.bare and "." in text:
            text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
        return "+" * (plus and not zero and number > 0) + text.replace("-", "−") + "k" * (self.unit == "k")

    def _digits(self, scaled: float) -> int:
        if not self.significant or scaled == 0:
            return max(self.digits, self.significant - 1)
        rounded = float(f"{scaled:.{self.significant - 1}e}")
        return max(0, self.significant - 1 - math.floor(math.log10(abs(rounded))))


whole = Style(alone=True)
signed = Style(sign=True)
percent = Style(unit="%")
gain = Style(unit="%", sign=True)
share = Style(2, bare=True, exact=True)
ratio = Style(2, bare=True)
decimal = Style(1)
signed_decimal = Style(1, sign=True)


def steps(beyond: str, digits: int = 1) -> Style:
    """Thousands of environment steps, of a training that ended at `beyond`."""
    return Style(digits, unit="k", beyond=beyond)


def two_digits(beyond: str) -> Style:
    """The same with two significant digits."""
    return Style(significant=2, unit="k", beyond=beyond)
