"""``--save`` and ``--jsonl``: what happens, as JSON Lines, written while it happens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from econnlab.cli.files import Appended
from econnlab.record.events import Kind
from econnlab.record.jsonl import counters_line, event_json, event_line, header_line, request_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from econnlab.record.attempts import Request
    from econnlab.record.events import ConnectionEvent
    from econnlab.record.run import Run


class EventFile(Appended):
    """The ledger of a server or link that runs alone: a line per connection event."""

    def event(self, event: ConnectionEvent) -> None:
        """Write ``event``."""
        self.all([event])

    def all(self, events: Sequence[ConnectionEvent]) -> None:
        """Write ``events``, in one piece."""
        lines = [json.dumps(event_json(event)) + "\n" for event in events if event.kind != Kind.SYNC]
        if lines and self.wanted:
            self.write("".join(lines))


class Recorder(Appended):
    """The record of a run."""

    _events_written = 0

    def start(self, run: Run) -> None:
        """Write the first line, in place of what the file held."""
        self.begin()
        self.write(header_line(run))

    def request(self, request: Request) -> None:
        """Write its attempts."""
        if self.wanted:
            self.write(request_lines(request))

    def events(self, run: Run) -> None:
        """Write the events that ``run`` has gained since the last call."""
        if self.wanted:
            self.write("".join(map(event_line, run.events[self._events_written :])))
            self._events_written = len(run.events)

    def end(self, run: Run) -> None:
        """Write the rest of the events, and what the kernel counted."""
        self.events(run)
        self.write(counters_line(run))

    def whole(self, run: Run) -> None:
        """Write a run that is over."""
        self.start(run)
        for request in run.requests:
            self.request(request)
        self.end(run)
