"""How many requests may be sent, and how many bytes of bodies they may bring."""

from __future__ import annotations


class Budget:
    """Counts requests, and says when no more may be sent."""

    def __init__(self, requests: int, total_bytes: int) -> None:
        self.total = requests
        self._total_bytes = total_bytes
        self._each = 0
        self.taken = 0
        #: More requests were wanted, or more bytes.
        self.exceeded = self.exceeded_bytes = False

    def each_brings(self, size: int) -> None:
        """Each response has a body of ``size`` bytes."""
        self._each = size

    @property
    def left(self) -> int:
        """How many may still be sent."""
        allowed = self.total if not self._each else min(self.total, self._total_bytes // self._each)
        return max(0, allowed - self.taken)

    def take(self, requests: int = 1) -> bool:
        """Whether so many more may be sent; if so, they are counted."""
        if requests > self.left:
            if self.taken + requests > self.total:
                self.exceeded = True
            else:
                self.exceeded_bytes = True
            return False
        self.taken += requests
        return True

    def give_back(self, requests: int = 1) -> None:
        """They were not sent."""
        self.taken -= requests


class Share:
    """A part of a budget, for a purpose that must not use up all of it."""

    def __init__(self, whole: Budget, requests: int) -> None:
        self._whole = whole
        self._left = requests

    def take(self, requests: int = 1) -> bool:
        """Whether so many more may be sent; if so, they are counted."""
        if requests > self._left:
            self._whole.exceeded = True
            return False
        self._left -= requests
        return self._whole.take(requests)
