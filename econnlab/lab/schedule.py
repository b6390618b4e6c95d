"""When each session starts, and which is due next. Pure: no clock, no threads.

A Python client needs about a millisecond of its interpreter to send a request, so of two sends at the same
time one is late. Starts are therefore chosen so that all sends keep their distance, as far as they can be
predicted: session s sends at ``start + k * (interval + round trip)``.
"""

from __future__ import annotations

import bisect
import heapq
import random
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

#: Sends predicted per session: the jitter of round trips makes later ones unpredictable.
FORESEEN_SENDS = 10
#: Free slots that are compared per session.
CANDIDATES = 8


def spread_starts(
    periods: Sequence[float], sends: int, seed: int, window: float | None = None
) -> list[float]:
    """A start in seconds, from 0, for each session, given the period of its sends in seconds.

    All starts are within ``window``, by default the longest period, in slots of equal width. Each session
    takes the one of some free slots whose predicted sends are furthest from those of other sessions.
    """
    if window is None:
        window = max(periods, default=0.0)
    slot = window / max(len(periods), 1)
    free = list(range(len(periods)))
    shuffle = random.Random(f"{seed}/starts")
    shuffle.shuffle(free)
    laid_out: list[float] = []
    starts = [0.0] * len(periods)
    foreseen = min(sends, FORESEEN_SENDS)
    # Sessions in random order, otherwise each row of a sweep would fill one part of the window.
    order = list(range(len(periods)))
    shuffle.shuffle(order)
    for session in order:
        period = periods[session]
        best, best_distance = 0, -1.0
        for index in range(min(CANDIDATES, len(free))):
            start = free[index] * slot
            distance = min((_distance(laid_out, start + k * period) for k in range(1, foreseen)), default=1.0)
            if distance > best_distance:
                best, best_distance = index, distance
        free[best], free[-1] = free[-1], free[best]
        starts[session] = free.pop() * slot
        for k in range(foreseen):
            bisect.insort(laid_out, starts[session] + k * period)
    return starts


def _distance(laid_out: list[float], at: float) -> float:
    """From ``at`` to the nearest of ``laid_out``, which is sorted."""
    index = bisect.bisect(laid_out, at)
    return min(
        (abs(laid_out[near] - at) for near in (index - 1, index) if 0 <= near < len(laid_out)), default=1e9
    )


class Agenda(Generic[T]):
    """What is due, in order of time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, who: T) -> None:
        """``who`` is due at ``due``."""
        self._count += 1
        heapq.heappush(self._heap, (due, self._count, who))

    @property
    def next_due(self) -> float | None:
        """When the next one is due, or None."""
        return self._heap[0][0] if self._heap else None

    def take(self, until: float) -> tuple[float, T] | None:
        """The next one with its due time, if it is due by ``until``."""
        if self._heap and self._heap[0][0] <= until:
            due, _, who = heapq.heappop(self._heap)
            return due, who
        return None
