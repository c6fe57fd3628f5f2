"""Continuous actions: the bounds of an environment, and the units in which an agent gives them."""

from typing import Any, NamedTuple

import numpy as np

from morphorl.config.errors import SettingError


class ActionRange(NamedTuple):
    """The bounds of each number that a continuous action is made of.

    An agent gives actions in units of the range: −1 is the lower bound and 1 the upper one, so that a mean, a deviation
    or a readout means the same in every environment. A number without both bounds is taken as it is.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, space: Any) -> "ActionRange":
        """The range of a `Box` of one dimension, of Gymnasium's or gymnax's."""
        sides = (np.broadcast_to(np.asarray(side, np.float64), space.shape) for side in (space.low, space.high))
        return cls(*(tuple(side.tolist()) for side in sides))

    def checked(self, name: str) -> "ActionRange":
        """The same range, if it is one.

        Raises:
            SettingError: if there are none, not as many on either side, or a lower one that is not below its upper.
        """
        if not self.low or len(self.low) != len(self.high):
            raise SettingError(f"{name} = {tuple(self)}: must have as many lower bounds as upper ones, at least one.")
        if not all(low < high for low, high in zip(*self, strict=True)):
            raise SettingError(f"{name} = {tuple(self)}: each lower bound must be below its upper one.")
        return self

    def executed(self, action: Any) -> Any:
        """What the environment is given: middle + half the range · clip(action, −1, 1); arrays of NumPy's or JAX's.

        Args:
            action: in units of the range, its numbers on the last axis.
        """
        middle, half = self._middle_and_half()
        least, most = (self.offered(np.array(side, np.float32)) for side in self)
        return middle + half * action.clip(least, most)

    def offered(self, action: Any) -> Any:
        """An action of the environment's own in units of the range: the inverse of `executed`."""
        middle, half = self._middle_and_half()
        return (action - middle) / half

    def _middle_and_half(self) -> tuple[np.ndarray, np.ndarray]:
        """The middle of each range and half of it; 0 and 1 for a number without both bounds."""
        sides = np.array(self)
        low, high = np.where(np.isfinite(sides).all(axis=0), sides, [[-1.0], [1.0]])
        return ((high + low) / 2).astype(np.float32), ((high - low) / 2).astype(np.float32)
