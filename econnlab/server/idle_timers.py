"""The keep-alive timers of a server: never early, and fired before the loop looks for new data."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from econnlab.system.clock import now

#: A heap with fewer timers than this is left as it is.
FEW = 64


class IdleTimer:
    """One pending timeout."""

    __slots__ = ("due", "fire", "started")

    def __init__(self, started: float, due: float, fire: Callable[[IdleTimer], None]) -> None:
        self.started = started
        self.due = due
        #: What it calls; None once it is cancelled.
        self.fire: Callable[[IdleTimer], None] | None = fire


class IdleTimers:
    """Timers in order of their due time, run by ``run_due`` as the selector's ``before_poll``."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, IdleTimer]] = []
        self._count = 0
        self._cancelled = 0

    def __len__(self) -> int:
        """How many are kept, the cancelled ones among them."""
        return len(self._heap)

    def start(self, seconds: float, fire: Callable[[IdleTimer], None]) -> IdleTimer:
        """Call ``fire`` once ``seconds`` from now have passed."""
        started = now()
        timer = IdleTimer(started, started + seconds, fire)
        self._count += 1
        heapq.heappush(self._heap, (timer.due, self._count, timer))
        return timer

    def cancel(self, timer: IdleTimer) -> None:
        """Forget ``timer``. Once half of the heap is cancelled it is built anew, so that it cannot grow."""
        if timer.fire is None:
            return
        timer.fire = None
        self._cancelled += 1
        if self._cancelled > max(FEW, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if entry[2].fire is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def run_due(self) -> float | None:
        """Fire what is due; the seconds until it wants to run again, or None if no timer waits.

        0 after one fired, so that the loop first runs what its callback planned.
        """
        fired = False
        while self._heap:
            due, _, timer = self._heap[0]
            if timer.fire is not None and (left := due - now()) > 0:
                return 0.0 if fired else left
            heapq.heappop(self._heap)
            if timer.fire is None:
                self._cancelled -= 1
                continue
            fire, timer.fire = timer.fire, None
            fire(timer)
            fired = True
        return 0.0 if fired else None
