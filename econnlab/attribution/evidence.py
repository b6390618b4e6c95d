"""What is known of one failed attempt: its own account joined with the ledgers of server and link.

The client knows a connection by its own address. The link's ledger names that address as the peer, and
the address from which it went on; the server's ledger names that one as its peer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.events import CloseReason, ConnectionEvent, Kind, Party, Source
from econnlab.record.run import Run
from econnlab.scenario.server import Ending

if TYPE_CHECKING:
    from econnlab.attribution.packets.facts import PacketFacts

#: A client usually needs less than 1 ms from taking a connection to writing; longer means it was held up.
BLOCKED_S = 0.010
#: Reason for bytes that were still in flight when the run was stopped.
STOPPED = "stopped"
#: Outcomes of a connection that ended during a request.
LOST = frozenset({Outcome.RESET, Outcome.CLOSED, Outcome.BROKEN_PIPE})
#: The events of one connection, in order of time.
Ledger = Sequence[ConnectionEvent]


@dataclass(frozen=True)
class Trace:
    """The events of one connection in one ledger, in order of time; empty if the ledger does not have it."""

    events: tuple[ConnectionEvent, ...] = ()

    def first(self, kind: str, side: str | None = None, since: float | None = None) -> ConnectionEvent | None:
        """The first event of ``kind``, of that side if one is given, that began at or after ``since``."""
        for event in self.events:
            began = event.at if event.began is None else event.began
            if event.kind == kind and side in (None, event.side) and (since is None or began >= since):
                return event
        return None


@dataclass(frozen=True)
class Surroundings:
    """What applied to the whole run at the time of an attempt."""

    system: str
    #: Server-wide and lab-wide events: accepting paused and resumed, busy, died.
    events: tuple[ConnectionEvent, ...]
    #: Other connections of this run that had been answered and had not been seen to end.
    open_connections: int
    #: What the kernel counted during the run, by name; ``own_counters``: only this run's connections.
    counters: Mapping[str, int] = field(default_factory=dict)
    own_counters: bool = False

    def first(self, kind: str, until: float | None = None) -> ConnectionEvent | None:
        """The first event of ``kind`` that happened at or before ``until``."""
        return next((e for e in self.events if e.kind == kind and (until is None or e.at <= until)), None)


@dataclass(frozen=True)
class Case:
    """One failed attempt and the evidence; ``server`` or ``link`` is None if there is no such ledger."""

    attempt: Attempt
    server: Trace | None
    link: Trace | None
    around: Surroundings
    #: Set for the attempt of a proxy: what the proxy then did to its client.
    proxy_answer: str | None = None
    #: The facts of a capture, which replaces the ledgers.
    packets: PacketFacts | None = None

    @property
    def unanswered(self) -> bool:
        """The connection ended before the first byte of a response."""
        return self.attempt.outcome in LOST and self.attempt.first_byte is None

    @cached_property
    def server_close(self) -> ConnectionEvent | None:
        """How the server ended this connection, by its ledger."""
        return self.server.first(Kind.CLOSED) if self.server is not None else None

    @property
    def close_reason(self) -> CloseReason | None:
        """Why the server closed, by its ledger; None if it did not, or if that is not known."""
        return self.server_close.close_reason if self.server_close is not None else None

    @cached_property
    def reached(self) -> ConnectionEvent | None:
        """The server's event for this request, if it read the request whole."""
        return self.of_request(Kind.REQUEST)

    def of_request(self, kind: str) -> ConnectionEvent | None:
        """The server's event of ``kind`` for this request on this connection."""
        if self.server is None:
            return None
        entries = (event for event in self.server.events if event.kind == kind)
        return next((event for event in entries if event.request_id == self.attempt.request_id), None)

    @cached_property
    def sent_again(self) -> bool | None:
        """Whether the client's kernel retransmitted the request; None without a wire."""
        if self.link is None or self.link.first(Kind.SYN) is None:
            return None
        sent = [e for e in self.link.events if e.kind == Kind.BYTES and e.side == Party.CLIENT]
        return len(sent) > 1

    @cached_property
    def held_up_s(self) -> float | None:
        """How long the client held a connection that was open when it took it and closed when it wrote.

        None if it did not, or if a request sent at once would have been late as well.
        """
        attempt, close, arrival = self.attempt, self.server_close, self.arrival
        if attempt.sent is None or close is None or arrival is None:
            return None
        held_up = attempt.sent - attempt.began
        return held_up if held_up > BLOCKED_S and arrival - held_up < close.at < arrival else None

    @cached_property
    def arrival(self) -> float | None:
        """When the request reached the server's kernel; over bare loopback, when it was sent."""
        if self.attempt.sent is None:
            return None
        if self.link is None:
            return self.attempt.sent
        for kind in (Kind.BYTES, Kind.UNDELIVERED):
            passed = self.link.first(kind, Party.CLIENT, self.attempt.sent)
            if passed is not None and passed.reason != STOPPED:
                return passed.at
        return None

    @cached_property
    def server_fin(self) -> ConnectionEvent | None:
        """The server's FIN as the link saw it."""
        return self.link.first(Kind.FIN, Party.SERVER) if self.link is not None else None

    @cached_property
    def server_rst(self) -> ConnectionEvent | None:
        """The server's RST as the link saw it."""
        return self.link.first(Kind.RST, Party.SERVER) if self.link is not None else None

    @cached_property
    def reset_without_fin(self) -> bool:
        """The server's side sent an RST without a FIN before it.

        The link shows it. Without a link the client's errno does, on Linux only: there an RST after a FIN
        reads as EPIPE or end-of-file (tcp_reset(), tcp_recvmsg()); BSD kernels report ECONNRESET.
        """
        if self.link is not None:
            return self.server_rst is not None and self.server_fin is None
        met = self.attempt.outcome is Outcome.RESET or self.attempt.send_errno == "ECONNRESET"
        return met and self.around.system == "Linux"


def hop_attempt(attempt: Attempt, link: Trace) -> Attempt:
    """The proxy's attempt at ``attempt``'s request, as the link between it and the server saw it."""
    sent = next(
        event.began
        for event in link.events
        if event.request_id == attempt.request_id and event.began is not None
    )
    answers = [event.at for event in link.events if event.kind == Kind.BYTES and event.side == Party.SERVER]
    before = [at for at in answers if at <= sent]
    fin, rst = link.first(Kind.FIN, Party.SERVER), link.first(Kind.RST, Party.SERVER)
    outcome = Outcome.OTHER
    if fin is not None:
        outcome = Outcome.CLOSED
    elif rst is not None:
        outcome = Outcome.RESET
    return replace(
        attempt,
        began=sent,
        sent=sent,
        first_byte=next((at for at in answers if at > sent), None),
        reused=bool(before),
        idle_s=sent - before[-1] if before else None,
        outcome=outcome,
        status=None,
        send_errno=None,
    )


class Evidence:
    """Joins attempts with events, also while the run goes on."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._taken = 0
        self._traces: dict[tuple[str, int], list[ConnectionEvent]] = defaultdict(list)
        self._by_peer: dict[tuple[str, str], list[ConnectionEvent]] = defaultdict(list)
        self._wide: tuple[ConnectionEvent, ...] = ()
        self._busy: list[ConnectionEvent] = []
        self._frozen: list[ConnectionEvent] = []
        #: The server's last line; whether it says that it kills itself; a death that it does not tell.
        self._last_line = 0.0
        self._told = False
        self._lost_since: float | None = None
        self._died: float | None = None
        self._processed: dict[str, int] = defaultdict(int)
        #: By request id: the last connection of the link that carried the request.
        self._carriers: dict[str, int] = {}

    def update(self) -> None:
        """Take in the run's new events."""
        new = self._run.events[self._taken :]
        self._taken = len(self._run.events)
        new.sort(key=lambda each: each.at)
        self._wide += tuple(event for event in new if event.connection is None)
        self._take_death(new)
        self._busy += [event for event in new if event.kind == Kind.BUSY]
        self._frozen += [event for event in new if event.kind == Kind.FROZEN]
        for event in new:
            if event.connection is not None:
                self._add(event, event.connection)

    def _add(self, event: ConnectionEvent, connection: int) -> None:
        self._traces[event.source, connection].append(event)
        if event.kind == Kind.ACCEPTED and event.peer is not None:
            self._by_peer[event.source, event.peer].append(event)
        elif event.source == Source.LINK and event.request_id is not None:
            self._carriers[event.request_id] = connection
        elif event.kind == Kind.PROCESSED and event.request_id is not None:
            self._processed[event.request_id] += 1

    def processed(self, request: Request) -> int | None:
        """How many times the server carried ``request`` out; None if that is not known.

        A server that was killed from outside takes its last lines with it (econnlab.system.child, FLUSH_S).
        """
        if not self._run.counts_processed:
            return None
        times = self._processed.get(request.last.request_id, 0)
        if self._lost_since is not None and any(self._may_lack(attempt) for attempt in request.attempts):
            return None
        return times

    def _may_lack(self, attempt: Attempt) -> bool:
        """The server may have carried ``attempt`` out after the last line that came from it."""
        since, died = self._lost_since, self._died
        if attempt.outcome is Outcome.REFUSED or since is None or died is None:
            return False
        return attempt.ended >= since and attempt.began <= died

    def _take_death(self, new: list[ConnectionEvent]) -> None:
        for event in new:
            if event.source == Source.SERVER:
                self._last_line = event.at
                self._told = event.kind == Kind.FAULT and event.how == Ending.KILL
            elif event.kind == Kind.DIED and event.reason == "server" and not self._told:
                self._lost_since, self._died = self._last_line, event.at

    def case(self, attempt: Attempt) -> Case:
        """The evidence on ``attempt``, or on the proxy's attempt if a proxy answered for the server."""
        if self._run.scenario.proxy is not None and attempt.outcome in LOST | {Outcome.HTTP_ERROR}:
            behind = self._behind_proxy(attempt)
            if behind is not None:
                return behind
        link, server = (None if events is None else Trace(tuple(events)) for events in self.ledgers(attempt))
        return Case(attempt, server, link, self._surroundings(attempt))

    def ledgers(self, attempt: Attempt) -> tuple[Ledger | None, Ledger | None]:
        """The connection of ``attempt`` in the link's and the server's ledger; None without that ledger."""
        link = self._of_peer(Source.LINK, attempt.local, attempt) if self._run.has_link_ledger else None
        if not self._run.has_server_ledger:
            return link, None
        address = attempt.local
        if link is not None:
            address = next((event.local for event in link if event.kind == Kind.CONNECTED), None)
        return link, self._of_peer(Source.SERVER, address, attempt)

    @property
    def busy(self) -> list[ConnectionEvent]:
        """When the server was busy because the scenario asks for it."""
        return self._busy

    @property
    def frozen(self) -> list[ConnectionEvent]:
        """When the client's process was stopped because the scenario asks for it."""
        return self._frozen

    def _behind_proxy(self, attempt: Attempt) -> Case | None:
        """The last connection on which the proxy sent this request, as the link saw it."""
        carried = self._carriers.get(attempt.request_id)
        if carried is None:
            return None
        link = Trace(tuple(self._traces[Source.LINK, carried]))
        hop = hop_attempt(attempt, link)
        connected = link.first(Kind.CONNECTED)
        local = connected.local if connected is not None else None
        server = Trace(tuple(self._of_peer(Source.SERVER, local, attempt)))
        known = self._run.has_server_ledger
        answered = f"answered {attempt.status}" if attempt.status else "ended its own client's connection"
        return Case(hop, server if known else None, link, self._surroundings(attempt), answered)

    def _of_peer(self, source: Source, peer: str | None, attempt: Attempt) -> Ledger:
        if peer is None:
            return ()
        # A long run can use a port twice: take the last connection accepted before the attempt's end.
        accepted = self._by_peer[source, peer]
        before = [event for event in accepted if event.at <= attempt.ended] or accepted[:1]
        if not before:
            return ()
        number = before[-1].connection
        assert number is not None
        return self._traces[source, number]

    def _surroundings(self, attempt: Attempt) -> Surroundings:
        beside = 0 if self._run.has_server_ledger else self._open_beside(attempt)
        facts = self._run.facts
        return Surroundings(facts.system, self._wide, beside, self._run.counters, facts.own_namespace)

    def _open_beside(self, attempt: Attempt) -> int:
        """Connections of other sessions whose last attempt that began before this one's end succeeded."""
        last: dict[int, Outcome] = {}
        for request in self._run.requests:
            for other in request.attempts:
                if (
                    other.connection is not None
                    and other.session != attempt.session
                    and other.began <= attempt.ended
                ):
                    last[other.connection] = other.outcome
        return sum(outcome is Outcome.OK for outcome in last.values())
