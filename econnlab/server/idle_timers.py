"""The keep-alive timers of a server: never early, fired before the loop looks for new data."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from econnlab.system.clock import now


class IdleTimer:
    """One pending timeout; ``cancel`` makes it do nothing."""

    __slots__ = ("due", "fire", "started")

    def __init__(self, started: float, due: float, fire: Callable[[IdleTimer], None]) -> None:
        self.started = started
        self.due = due
        self.fire: Callable[[IdleTimer], None] | None = fire

    def cancel(self) -> None:
        """Forget it, and what it would have called."""
        self.fire = None


class IdleTimers:
    """Timers in order of their due time, run by ``run_due`` as the selector's ``before_poll``."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, IdleTimer]] = []
        self._count = 0

    def start(self, seconds: float, fire: Callable[[IdleTimer], None]) -> IdleTimer:
        """Call ``fire`` once ``seconds`` from now have passed."""
        started = now()
        timer = IdleTimer(started, started + seconds, fire)
        self._count += 1
        heapq.heappush(self._heap, (timer.due, self._count, timer))
        return timer

    def run_due(self) -> float | None:
        """Fire what is due; the seconds until it wants to run again, or None where no timer waits.

        0 after something fired: what that planned in the event loop has not been looked at yet.
        """
        fired = False
        while self._heap:
            due, _, timer = self._heap[0]
            if timer.fire is not None and (left := due - now()) > 0:
                return 0.0 if fired else left
            heapq.heappop(self._heap)
            if timer.fire is not None:
                timer.fire(timer)
                fired = True
        return 0.0 if fired else None
