"""A line for each event of a link, its summary, and its status."""

from __future__ import annotations

import time
from typing import Any

from econnlab.commands.link.tally import LinkTally
from econnlab.record.events import ConnectionEvent, Kind
from econnlab.scenario.orders import parse_settings
from econnlab.scenario.treatment import Treatment
from econnlab.system.clock import now

#: How many connections the status lists.
MOST_ROWS = 50
_RESETS = {
    "asked": "reset, as asked",
    "reset_after": "reset after so many bytes",
    "fail_first": "reset, one of the first",
}
_FROM = {"client": "the client", "server": "the server"}


class LinkTicker:
    """Turns events into lines, with the wall clock's time."""

    def __init__(self) -> None:
        self._wall_offset = time.time() - now()
        self._begun = False

    def line(self, event: ConnectionEvent) -> str | None:
        """The line for ``event``, or None."""
        words = _words(event)
        if event.kind == Kind.CHANGED and not self._begun:
            self._begun, words = True, None  # the greeting has said that
        if words is None:
            return None
        wall = event.at + self._wall_offset
        clock = time.strftime("%H:%M:%S", time.localtime(wall)) + f".{int(wall % 1 * 1000):03d}"
        number = "" if event.connection is None else f"#{event.connection}"
        return f"{clock}  {number:<6} {words}"


def _words(event: ConnectionEvent) -> str | None:
    side = _FROM.get(event.side or "", "")
    match event.kind:
        case Kind.ACCEPTED:
            return f"connected from {event.peer}"
        case Kind.CONNECT_FAILED:
            return f"the upstream cannot be reached: {event.reason}"
        case Kind.FIN:
            return f"FIN from {side}, passed on"
        case Kind.RST:
            return f"RST from {side}, passed on"
        case Kind.RESET:
            return _RESETS.get(event.reason or "", "reset")
        case Kind.DROPPED:
            return f"over the limit: {event.reason}"
        case Kind.EXPIRED:
            return f"forgotten: {(event.idle_s or 0) * 1000:.1f} ms idle"
        case Kind.DISCARDED:
            answer = "answered with RST" if event.how else "dropped silently"
            what = f"{event.bytes} bytes" if event.bytes else (event.reason or "").upper()
            return f"{what} from {side}: {answer}"
        case Kind.UNDELIVERED:
            what = f"{event.bytes} bytes" if event.bytes else "its end"
            return f"{what} from {side} not delivered: {_LOST.get(event.reason or '', event.reason)}"
        case Kind.CLOSED:
            return f"ended, {event.to_server:,} bytes to the server, {event.to_client:,} to the client"
        case _:
            return _words_of_all(event)


_LOST = {"stopped": "the link stops", "reset": "it was reset", "forgotten": "it was forgotten"}


def _words_of_all(event: ConnectionEvent) -> str | None:
    match event.kind:
        case Kind.CHANGED:
            return f"from now on: {treatment_words(event.plan or {})}"
        case Kind.PAUSED:
            return "paused"
        case Kind.RESUMED:
            return "resumed"
        case Kind.ACCEPT_PAUSED:
            return f"new connections wait: {event.reason}"
        case Kind.ACCEPT_RESUMED:
            return "new connections are taken again"
        case _:
            return None


def treatment_words(settings: dict[str, Any]) -> str:
    """What a link with these settings, as orders spell them, does."""
    return str(parse_settings(settings).applied_to(Treatment()))


def link_summary(tally: LinkTally) -> str:
    """The sums at the end."""
    counts = dict(tally.counts)
    connections = counts.pop("connections", 0)
    to_server, to_client = tally.bytes_passed
    ends = ", ".join(f"{_COUNTED.get(name, name)} {count}" for name, count in counts.items()) or "none"
    return (
        f"{_connections(connections)} (at most {tally.most_open} at a time), "
        f"{to_server:,} bytes to the server, {to_client:,} to the client\n"
        f"resets and drops: {ends}"
    )


_COUNTED = {
    "dropped": "over the limit",
    "expired": "forgotten",
    "connect_failed": "upstream not reached",
    "reset: asked": "reset as asked",
    "reset: reset_after": "reset after so many bytes",
    "reset: fail_first": "reset as one of the first",
    "rst from client": "RST from the client",
    "rst from server": "RST from the server",
}


def _connections(count: int) -> str:
    return f"{count:,} connection{'' if count == 1 else 's'}"


def status_text(status: dict[str, Any]) -> str:
    """The state of the link; ``status`` is what the HTTP interface returns."""
    rows = status["connections"]
    lines = [
        f"{status['listen']} -> {status['to']}{', paused' if status['paused'] else ''}: "
        + treatment_words(status["settings"]),
        f"{_connections(len(rows))} open{':' if rows else ''}",
    ]
    lines += [
        f"  #{row['connection']:<6} {row['peer']:<22} {row['state']:<10} idle {row['idle_s']:.3f} s, "
        f"{row['to_server']:,} bytes to the server, {row['to_client']:,} to the client"
        for row in rows[:MOST_ROWS]
    ]
    if len(rows) > MOST_ROWS:
        lines.append(f"  and {len(rows) - MOST_ROWS} more")
    return "\n".join(lines)
