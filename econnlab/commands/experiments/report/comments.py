"""The comments in a capture: each attempt's verdict, on the packets that it is about.

An attempt knows its connection by the client's own port, and its times by the monotonic clock; the facts of
the run tie that clock to the capture's (``Facts.epoch``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address

from econnlab.attribution.explanations import Failure
from econnlab.attribution.summary import Summary
from econnlab.attribution.verdict import carried_out
from econnlab.packets.frames import Frame
from econnlab.packets.layers import FIN, RST, Segment, segment
from econnlab.plaintext import harmless
from econnlab.record.attempts import Attempt, Outcome
from econnlab.record.events import Kind, Source

#: The two clocks are read some microseconds apart; a client needs longer from one step to the next.
_SLACK_S = 50e-6
#: The kernel stamps a packet on delivery, which on a busy machine is well after send(2). An attempt that
#: ended in between (its FIN had arrived) still sent a request.
_DELIVERY_S = 0.020
_WRAP = 0xFFFFFFFF
#: A difference of sequence numbers below this is a step forward (RFC 9293 section 3.4).
_FORWARD = 0x80000000


def commented(frames: Iterable[Frame], summary: Summary) -> Iterator[Frame]:
    """``frames``, in order of time, with comments on those that carry a request or ended a failed attempt.

    What never was a packet (no port was left, a write into a connection that was gone) has no comment.
    """
    comments = _Comments(summary)
    for frame in frames:
        comment = comments.of(frame)
        yield frame._replace(comment=comment) if comment else frame


@dataclass
class _Connection:
    """A connection as the client knows it, and how much of it the capture has shown so far."""

    #: The client's address, 4 or 16 bytes; None if the connection never had one.
    host: bytes | None
    attempts: list[Attempt] = field(default_factory=list)
    #: The sequence number after the client's last byte.
    after: int | None = None
    #: How many attempts have shown their requests.
    sent: int = 0
    ended: bool = False

    def takes(self, host: bytes, at: float) -> bool:
        """A packet of ``host`` at this time belongs to this connection."""
        return self.host in (None, host) and at <= self.attempts[-1].ended + _DELIVERY_S

    def is_new(self, found: Segment) -> bool:
        """The packet carries bytes of the client that no earlier packet carried."""
        after = (found.seq + found.size) & _WRAP
        fresh = self.after is None or 0 < (after - self.after) & _WRAP < _FORWARD
        if found.size and fresh:
            self.after = after
        return bool(found.size) and fresh


class _Comments:
    def __init__(self, summary: Summary) -> None:
        run = summary.run
        self._epoch_ns = None if run.facts.epoch is None else round(run.facts.epoch * 1e9)
        late = [each.failure for each in summary.late if each.failure is not None]
        self._failures = {_key(failure.attempt): failure for failure in (*summary.failures, *late)}
        listening = (e for e in run.events if (e.source, e.kind) == (Source.CAPTURE, Kind.LISTENING))
        self._far = next((_port(event.local) for event in listening if event.local), None)
        self._connections = _by_port(attempt for request in run.requests for attempt in request.attempts)
        self._begins = {
            port: [each.attempts[0].began for each in known] for port, known in self._connections.items()
        }

    def of(self, frame: Frame) -> str:
        """The comment on ``frame``; empty if it gets none."""
        found = segment(frame.link_type, frame.data, frame.length)
        if found is None or self._epoch_ns is None:
            return ""
        at = (frame.at_ns - self._epoch_ns) / 1e9
        source, target = (int.from_bytes(end[-2:], "big") for end in (found.source, found.target))
        if self._far in (None, target):
            connection = self._connection(source, found.source[:-2], at)
            if connection is not None:
                return self._of_clients(connection, found, at)
        if self._far in (None, source):
            connection = self._connection(target, found.target[:-2], at)
            if connection is not None:
                return self._of_servers(connection, found, at)
        return ""

    def _connection(self, port: int, host: bytes, at: float) -> _Connection | None:
        """The last connection that began before ``at`` on this client port; ports are used again."""
        begun = bisect_right(self._begins.get(port, ()), at + _SLACK_S)
        connection = self._connections[port][begun - 1] if begun else None
        return connection if connection is not None and connection.takes(host, at) else None

    def _of_clients(self, connection: _Connection, found: Segment, at: float) -> str:
        if not connection.is_new(found):
            return ""
        begun = [each for each in connection.attempts if each.sent is not None and each.sent - _SLACK_S <= at]
        # An attempt whose write failed sent nothing, so the packet belongs to the last attempt that began.
        if len(begun) <= connection.sent:
            return ""
        connection.sent = len(begun)
        return f"econnlab: {_name(begun[-1])}: {self._verdict(begun[-1])}"

    def _of_servers(self, connection: _Connection, found: Segment, at: float) -> str:
        if connection.ended or not found.flags & (FIN | RST):
            return ""
        connection.ended = True
        packet = "RST" if found.flags & RST else "FIN"
        for attempt in connection.attempts:
            if _key(attempt) in self._failures and at <= attempt.ended + _SLACK_S:
                return f"econnlab: this {packet} ended {_name(attempt)}: {self._verdict(attempt)}"
        return ""

    def _verdict(self, attempt: Attempt) -> str:
        failure = self._failures.get(_key(attempt))
        return _well(attempt) if failure is None else _lost(failure)


def _by_port(attempts: Iterable[Attempt]) -> dict[int, list[_Connection]]:
    """Connections by the client's port, in the order in which they began."""
    connections: dict[int, _Connection] = {}
    ports: dict[int, list[_Connection]] = defaultdict(list)
    for attempt in sorted(attempts, key=lambda each: each.began):
        if attempt.connection is None or attempt.local is None:
            continue
        known = connections.get(attempt.connection)
        if known is None:
            known = connections[attempt.connection] = _Connection(_host(attempt.local))
            ports[_port(attempt.local)].append(known)
        known.attempts.append(attempt)
    return ports


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _host(address: str) -> bytes | None:
    host = ip_address(address.rpartition(":")[0].strip("[]"))
    return None if host.is_unspecified else host.packed


def _key(attempt: Attempt) -> tuple[int, int, int]:
    return attempt.session, attempt.request, attempt.number


def _name(attempt: Attempt) -> str:
    return f"request {attempt.request} of session {attempt.session}, attempt {attempt.number}"


def _well(attempt: Attempt) -> str:
    took = (attempt.ended - (attempt.sent or attempt.began)) * 1000
    return f"{Outcome.OK.value}, {attempt.status} in {took:.1f} ms"


def _lost(failure: Failure) -> str:
    verdict = failure.verdict
    said = f"{failure.attempt.outcome.value}, {verdict.cause} ({verdict.certainty.value}): {verdict.evidence}"
    return harmless(said + carried_out(failure.processed))
