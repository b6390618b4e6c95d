"""A line for each event of the lab server, and the summary."""

from __future__ import annotations

import time
from collections import Counter

from econnlab.plaintext import harmless
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.system.clock import now

_SHOWN = {Kind.ACCEPTED, Kind.RESPONSE, Kind.DROPPED, Kind.CLOSED, Kind.ACCEPT_PAUSED, Kind.ACCEPT_RESUMED}
_REASONS = {
    "client_closed": "the client closed it",
    "connection_close": "as it had announced",
    "over_capacity": "over capacity",
    "bad_request": "what came was not HTTP",
    "shutdown": "the server stops",
}


class Ticker:
    """Turns events into lines, with the wall clock's time, and counts them."""

    def __init__(self) -> None:
        self._wall_offset = time.time() - now()
        self._served: Counter[int] = Counter()
        self._methods: dict[int, str] = {}
        self._idle_ms: dict[int, float] = {}
        self._counts: Counter[str] = Counter()
        self._open = 0
        self._most_open = 0

    def line(self, event: ConnectionEvent) -> str | None:
        """The line for ``event``, or None."""
        self._count(event)
        if event.kind not in _SHOWN:
            return None
        wall = event.at + self._wall_offset
        clock = time.strftime("%H:%M:%S", time.localtime(wall)) + f".{int(wall % 1 * 1000):03d}"
        number = "" if event.connection is None else f"#{event.connection}"
        return f"{clock}  {number:<6} {self._words(event)}"

    def _count(self, event: ConnectionEvent) -> None:
        number = event.connection or 0
        if event.kind == Kind.REQUEST:
            self._methods[number] = event.method or ""
        elif event.kind == Kind.RESPONSE:
            self._served[number] += 1
            self._counts["requests"] += 1
        elif event.kind == Kind.IDLE_TIMEOUT:
            self._idle_ms[number] = (event.idle_s or 0) * 1000
        elif event.kind == Kind.ACCEPTED:
            self._counts["connections"] += 1
            self._open += 1
            self._most_open = max(self._most_open, self._open)
        elif event.kind == Kind.DROPPED:
            self._counts["dropped"] += 1
        elif event.kind == Kind.CLOSED:
            self._open -= 1
            self._counts[f"{event.reason}/{event.how}"] += 1

    def _words(self, event: ConnectionEvent) -> str:
        number = event.connection or 0
        if event.kind == Kind.ACCEPTED:
            return f"connected from {event.peer}"
        if event.kind == Kind.RESPONSE:
            named = f"  ({harmless(event.request_id)})" if event.request_id else ""
            method = harmless(self._methods.get(number, ""))
            return f"{method} answered with {event.status}, its request {self._served[number]}{named}"
        if event.kind == Kind.DROPPED:
            return f"over capacity: {event.reason}"
        if event.kind == Kind.CLOSED:
            return self._closed_words(event)
        if event.kind == Kind.ACCEPT_PAUSED:
            return f"accepting paused: {event.reason or 'full'}"
        return "accepting resumed"

    def _closed_words(self, event: ConnectionEvent) -> str:
        number = event.connection or 0
        self._served.pop(number, None)
        self._methods.pop(number, None)
        reason = event.reason or ""
        if reason == "idle_timeout":
            reason = f"{self._idle_ms.pop(number, 0.0):.1f} ms idle"
        packet = f"RST, {event.unread} bytes unread" if event.unread else (event.how or "").upper()
        return f"closed with {packet}: {_REASONS.get(reason, reason)}"

    def summary(self) -> str:
        """The sums at the end."""
        counts = self._counts
        ends = {key: count for key, count in counts.items() if "/" in key}
        by_how: Counter[str] = Counter()
        for key, count in ends.items():
            reason, _, how = key.partition("/")
            by_how[f"{reason.replace('_', ' ')} ({how.upper()})"] += count
        closed = ", ".join(f"{name} {count}" for name, count in by_how.most_common()) or "none"
        return (
            f"{counts['connections']} connections (at most {self._most_open} at a time), "
            f"{counts['requests']} requests answered, {counts['dropped']} connections over capacity\n"
            f"closed: {closed}"
        )
