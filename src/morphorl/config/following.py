"""Following a long loop from outside: who starts it may show how far it is, and the loop knows nothing of that."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable


@runtime_checkable
class Follow(Protocol):
    """Gives items on as they are, one by one, and may show how many of them it has given."""

    def __call__[T](self, items: Iterable[T], total: int, doing: str) -> Iterable[T]:
        """The same items.

        Args:
            total: how many there are.
            doing: what is done with them, in words.
        """
        ...


def unseen[T](items: Iterable[T], total: int, doing: str) -> Iterable[T]:
    """The `Follow` that shows nothing."""
    return items
