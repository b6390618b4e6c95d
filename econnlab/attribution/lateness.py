"""How late each process of the lab was on the way of one attempt. Pure.

A lab that is held up (a stopped process, a machine without time for it) makes failures of its own. An
attempt on whose way its processes were later than a bound that is fixed beforehand counts as neither success
nor failure.
Lateness that the scenario asks for does not count: a blocked client, a busy server, a delayed answer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from econnlab.attribution.evidence import Ledger
from econnlab.attribution.verdict import Certainty, Verdict, ms
from econnlab.record.attempts import Attempt, Outcome
from econnlab.record.events import CloseReason, ConnectionEvent, Kind, Party
from econnlab.scenario.durations import seconds
from econnlab.scenario.model import Scenario

LAB_LATE = "lab_late"
#: Less than the distance to the idle timeout cannot carry a request across it.
SHARE = 0.9
#: However far the timeout is.
MOST_S = 0.200
#: Sessions that start together depend on how soon a server turns one of them away.
TOGETHER_S = 0.050
#: A machine with other work is later than this too often.
LEAST_S = 0.020
#: What each of several sessions that start together may add.
EACH_S = 0.002
#: The kernel may take more bytes than these only when their receiver reads: then their end says nothing.
_SMALL = 65536
_PASSED_ON = frozenset({Kind.BYTES, Kind.FIN, Kind.RST})


@dataclass(frozen=True)
class Late:
    """Seconds by which the processes of the lab were late on the way of an attempt."""

    client_s: float = 0.0
    link_s: float = 0.0
    server_s: float = 0.0

    @property
    def total_s(self) -> float:
        """Of all processes together."""
        return self.client_s + self.link_s + self.server_s

    def ms(self) -> dict[str, float]:
        """By process, in ms."""
        each = {"client": self.client_s, "link": self.link_s, "server": self.server_s}
        return {name: round(late * 1000, 3) for name, late in each.items()}

    @property
    def verdict(self) -> Verdict:
        """In place of the cause of an attempt that was late."""
        worst = max((self.client_s, "client"), (self.link_s, "link"), (self.server_s, "server"))
        return Verdict(
            LAB_LATE,
            Certainty.CERTAIN,
            f"the lab's own {worst[1]} was {ms(worst[0])} late: this attempt says nothing of the server",
        )


ON_TIME = Late()


def bound_s(scenario: Scenario, row: int) -> float:
    """How late an attempt of ``row`` may be: less if its interval is close to the server's idle timeout.

    More for sessions that start together: no process can take all of them up at one moment.
    """
    plan = scenario.plan
    if plan.together:
        return TOGETHER_S + EACH_S * plan.total_sessions
    if scenario.server is None:
        return MOST_S
    gap = abs(scenario.server.keepalive_timeout_ms - plan.intervals_ms[min(row, len(plan.intervals_ms) - 1)])
    return min(MOST_S, max(LEAST_S, SHARE * seconds(gap)))


@dataclass(frozen=True)
class Way:
    """An attempt, the one before it on its connection, and what the ledgers have of that connection."""

    scenario: Scenario
    attempt: Attempt
    before: Attempt | None
    #: None without that ledger.
    link: Ledger | None
    server: Ledger | None
    #: When the server was busy because the scenario asks for it.
    busy: Sequence[ConnectionEvent]
    #: When the client's process was stopped because the scenario asks for it.
    frozen: Sequence[ConnectionEvent] = ()
    #: The client is a real one, in a process of its own.
    client_peer: bool = False

    def late(self) -> Late:
        """How late each process was."""
        return Late(_sum(self._client()), _sum(self._link()), _sum(self._server()))

    # -- the client -------------------------------------------------------------------------------

    def _client(self) -> Iterator[float]:
        attempt, client = self.attempt, self.scenario.client
        # A real client loads and compiles its code at its first request, on which no idle time depends.
        # A ping on a connection that has ended takes a round trip before the attempt begins on a new one.
        compiles = self.client_peer and attempt.request == 1
        if attempt.planned is not None and not client.ping and not compiles:
            yield _beyond(attempt.planned, attempt.began, self.frozen)
        if attempt.reused and attempt.sent is not None and not client.ping:
            yield _beyond(attempt.began, attempt.sent, self.frozen) - seconds(client.blocked_ms)
        if self._tells_answers:
            yield from self._received()

    def _received(self) -> Iterator[float]:
        """From what an answer's first byte was on its way, and the answer before it whole, to its reading."""
        attempt, before = self.attempt, self.before
        if attempt.first_byte is not None and attempt.sent is not None:
            came = next((at for at in self._answers(attempt.sent)), None)
            yield 0.0 if came is None else _beyond(came, attempt.first_byte, self.frozen)
        if before is not None and before.sent is not None:
            whole = [at for at in self._answers(before.sent) if at <= before.ended]
            yield _beyond(whole[-1], before.ended, self.frozen) if whole else 0.0

    @property
    def _tells_answers(self) -> bool:
        """In TLS, a link cannot tell an answer from a session ticket."""
        return self.link is None or self.scenario.server is None or not self.scenario.server.tls

    def _answers(self, since: float) -> Iterator[float]:
        """When an answer, or a part of one, was on its last way to the client."""
        for event in self._events(self.server if self.link is None else self.link, since):
            if event.kind == Kind.RESPONSE or (event.kind == Kind.BYTES and event.side == Party.SERVER):
                yield event.at

    # -- the link ---------------------------------------------------------------------------------

    def _link(self) -> Iterator[float]:
        asked = self._asked_at_link
        if asked is not None and asked.began is not None and self.attempt.sent is not None:
            yield asked.began - self.attempt.sent
        for event in self._events(self.link, self._since):
            due = event.due
            if event.kind in _PASSED_ON and due is not None and due <= self.attempt.ended:
                yield event.at - due
        if self.link is not None:
            yield from self._seen()

    @cached_property
    def _asked_at_link(self) -> ConnectionEvent | None:
        """The first of the request as it reached the link."""
        sent = self.attempt.sent
        if sent is None:
            return None
        for event in self._events(self.link, sent):
            if event.kind in (Kind.BYTES, Kind.UNDELIVERED) and event.side == Party.CLIENT:
                ours = event.request_id in (None, self.attempt.request_id)
                if ours and event.began is not None and event.began >= sent:
                    return event
        return None

    def _seen(self) -> Iterator[float]:
        """From an answer, or an end, of the server to its arrival at the link."""
        asked = 0.0
        for event in self._events(self.server, self._since):
            if event.at > self.attempt.ended:
                return
            if event.kind == Kind.REQUEST:
                asked = event.at
            elif event.kind == Kind.RESPONSE and (event.bytes or 0) < _SMALL:
                yield self._from_server({Kind.BYTES}, asked) - event.at
            elif event.kind == Kind.CLOSED:
                yield self._from_server({Kind.FIN, Kind.RST}, self._since) - event.at

    def _from_server(self, kinds: set[Kind], since: float) -> float:
        """When the first of ``kinds`` from the server reached the link; 0 if none did."""
        for event in self._events(self.link, since):
            if event.kind in kinds and event.side == Party.SERVER and (event.began or 0.0) >= since:
                return event.began or 0.0
        return 0.0

    # -- the server -------------------------------------------------------------------------------

    def _server(self) -> Iterator[float]:
        spec = self.scenario.server
        if spec is None:
            return
        asked = None
        for event in self._events(self.server, self._since):
            ours = event.request_id == self.attempt.request_id
            if ours and event.kind == Kind.REQUEST:
                asked = event.at
                yield self._read_late(event)
            elif ours and event.kind == Kind.RESPONSE and asked is not None and (event.bytes or 0) < _SMALL:
                delay = max((each.delay_ms or Decimal(0) for each in spec.routes), default=Decimal(0))
                yield self._unasked(asked + seconds(max(delay, spec.response_delay_ms)), event.at)
            elif event.kind == Kind.IDLE_TIMEOUT and event.due is not None:
                yield self._unasked(event.due, event.at) if event.due <= self.attempt.ended else 0.0
            elif event.close_reason is CloseReason.HEADER_TIMEOUT and event.idle_s is not None:
                yield event.idle_s - seconds(spec.header_timeout_ms or Decimal(0))

    def _read_late(self, request: ConnectionEvent) -> float:
        at_link = self._asked_at_link
        came = self.attempt.sent if self.link is None else None if at_link is None else at_link.at
        if came is None or request.began is None or self._waits_by_plan:
            return 0.0
        return self._unasked(came, request.began)

    @property
    def _waits_by_plan(self) -> bool:
        """A new connection of this server may wait for its turn, because the scenario asks for it."""
        spec = self.scenario.server
        waits = spec is not None and (bool(spec.accept_after_ms) or spec.max_connections is not None)
        return waits and not self.attempt.reused

    def _unasked(self, due: float, at: float) -> float:
        """From ``due`` to ``at``, without the time in which the scenario keeps the server busy."""
        return _beyond(due, at, self.busy)

    # -- the ledgers ------------------------------------------------------------------------------

    @property
    def _since(self) -> float:
        """When the exchange before this one began: what was late there moves this one."""
        if self.before is not None and self.before.sent is not None:
            return self.before.sent
        return 0.0

    def _events(self, ledger: Ledger | None, since: float) -> Iterator[ConnectionEvent]:
        """The events from ``since`` on that can have touched the attempt: after a good answer, none."""
        events = ledger or ()
        until = self.attempt.ended if self.attempt.outcome is Outcome.OK else math.inf
        for index in range(bisect_left(events, since, key=lambda event: event.at), len(events)):
            if events[index].at > until:
                return
            yield events[index]


def _beyond(due: float, at: float, asked: Sequence[ConnectionEvent]) -> float:
    """From ``due`` to ``at``, without the time in which the scenario asks for something else."""
    overlaps = (min(at, each.at) - max(due, each.at if each.began is None else each.began) for each in asked)
    return at - due - sum(max(0.0, overlap) for overlap in overlaps)


def _sum(latenesses: Iterator[float]) -> float:
    return sum(late for late in latenesses if late > 0)
