"""What the events of a link add up to: its open connections, and the totals."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from econnlab.record.events import ConnectionEvent, Kind


@dataclass
class Open:
    """An open connection. Bytes and state are as last counted."""

    number: int
    peer: str
    began: float
    plan: dict[str, Any]
    state: str = "connecting"
    idle_s: float = 0.0
    to_server: int = 0
    to_client: int = 0


class LinkTally:
    """The sums of all events taken so far, in their order."""

    def __init__(self) -> None:
        self.open: dict[int, Open] = {}
        self.most_open = 0
        #: The treatment as orders spell it, and whether all is paused.
        self.plan: dict[str, Any] = {}
        self.paused = False
        #: How many connections there were, and how many ended in which way.
        self.counts: Counter[str] = Counter()
        self.to_server = 0
        self.to_client = 0
        #: The number of the last sync that was answered.
        self.synced = 0

    def take(self, event: ConnectionEvent) -> None:
        """Count ``event``."""
        if event.connection is None:
            self._take_of_all(event)
            return
        if event.kind == Kind.ACCEPTED:
            self.counts["connections"] += 1
            self.open[event.connection] = Open(event.connection, event.peer or "", event.at, event.plan or {})
        elif event.kind == Kind.COUNTED and event.connection in self.open:
            self._update(self.open[event.connection], event)
        elif event.kind == Kind.CLOSED:
            self.open.pop(event.connection, None)
            self.to_server += event.to_server or 0
            self.to_client += event.to_client or 0
        else:
            self._take_of_one(event)

    def _take_of_all(self, event: ConnectionEvent) -> None:
        if event.kind == Kind.CHANGED:
            self.plan = dict(event.plan or {})
        elif event.kind in (Kind.PAUSED, Kind.RESUMED):
            self.paused = event.kind == Kind.PAUSED
        elif event.kind == Kind.SYNC:
            self.synced = max(self.synced, int(event.reason or 0))

    def _take_of_one(self, event: ConnectionEvent) -> None:
        if event.kind == Kind.RESET:
            self.counts[f"reset: {event.reason}"] += 1
            if event.reason == "fail_first":
                self.plan["fail-first"] = max(0, self.plan.get("fail-first", 0) - 1)
        elif event.kind == Kind.RST:
            self.counts[f"rst from {event.side}"] += 1
        elif event.kind in (Kind.DROPPED, Kind.EXPIRED, Kind.CONNECT_FAILED):
            self.counts[event.kind] += 1
        if event.kind in (Kind.CONNECTED, Kind.CONNECT_FAILED):  # not those over the limit
            self.most_open = max(self.most_open, len(self.open))

    def _update(self, row: Open, event: ConnectionEvent) -> None:
        row.state = event.how or ""
        row.idle_s = event.idle_s or 0.0
        row.to_server, row.to_client = event.to_server or 0, event.to_client or 0

    @property
    def bytes_passed(self) -> tuple[int, int]:
        """To the server and to the client, in ended and open connections."""
        rows = self.open.values()
        return (
            self.to_server + sum(row.to_server for row in rows),
            self.to_client + sum(row.to_client for row in rows),
        )
