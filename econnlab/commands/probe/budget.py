"""How many requests may be sent."""

from __future__ import annotations


class Budget:
    """Counts requests, and says when there are none left."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0
        #: More were wanted.
        self.exceeded = False

    @property
    def left(self) -> int:
        """How many may still be sent."""
        return self.total - self.taken

    def take(self, requests: int = 1) -> bool:
        """Whether so many more may be sent, which are then counted."""
        if self.taken + requests > self.total:
            self.exceeded = True
            return False
        self.taken += requests
        return True

    def give_back(self, requests: int = 1) -> None:
        """They were not sent."""
        self.taken -= requests


class Share:
    """A part of a budget, for what is not to use up all of it."""

    def __init__(self, whole: Budget, requests: int) -> None:
        self._whole = whole
        self._left = requests

    def take(self, requests: int = 1) -> bool:
        """Whether so many more may be sent, which are then counted."""
        if requests > self._left:
            self._whole.exceeded = True
            return False
        self._left -= requests
        return self._whole.take(requests)
