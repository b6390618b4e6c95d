"""The attempts of a program that tells nothing of itself, as the ledgers of link and server saw them. Pure.

A client that speaks no protocol is known by its packets alone: bytes towards the server begin an attempt,
bytes back answer it, and an end before any answer is a failure. Times are the link's: a request is ``sent``
when it reached the link.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from econnlab.record.attempts import Attempt, Outcome, Request
from econnlab.record.events import ConnectionEvent, Kind, Party, Source

FIRST_ERROR_STATUS = 400


@dataclass(frozen=True)
class Heard:
    """What the ledgers tell: requests, the events with a name for every request, and what is left."""

    requests: tuple[Request, ...]
    events: tuple[ConnectionEvent, ...]
    #: Attempts on connections whose session no request names.
    unnamed: int


@dataclass
class _Asked:
    """One request on a connection, as the link saw it."""

    sent: float
    first_byte: float | None = None
    last_byte: float | None = None
    ended: float | None = None
    outcome: Outcome | None = None


@dataclass
class _Connection:
    local: str
    number: int
    asked: list[_Asked] = field(default_factory=list)
    #: The server's entries of its requests, in order.
    reached: list[ConnectionEvent] = field(default_factory=list)
    responses: list[ConnectionEvent] = field(default_factory=list)


def hear(
    events: Iterable[ConnectionEvent], session_of: Callable[[str], int | None], row_of: Callable[[int], int]
) -> Heard:
    """The requests in ``events``: ``session_of`` a target is its session, ``row_of`` a session its row."""
    named = _with_names(sorted(events, key=lambda each: each.at))
    connections = _connections(named)
    by_session: dict[int, list[tuple[_Connection, int]]] = defaultdict(list)
    unnamed = 0
    for connection in connections:
        targets = (session_of(each.target or "") for each in connection.reached)
        session = next((each for each in targets if each is not None), None)
        if session is None:
            unnamed += len(connection.asked)
            continue
        by_session[session] += [(connection, index) for index in range(len(connection.asked))]
    requests = []
    for session, asked in sorted(by_session.items()):
        asked.sort(key=lambda each: each[0].asked[each[1]].sent)
        for number, (connection, index) in enumerate(asked, 1):
            attempt = _attempt(connection, index, session, number, row_of(session))
            requests.append(Request((attempt,)))
    requests.sort(key=lambda request: request.last.ended)
    return Heard(tuple(requests), tuple(named), unnamed)


def _with_names(events: list[ConnectionEvent]) -> list[ConnectionEvent]:
    """Give each request in the server's ledger a name, so that its entries are told from those of others."""
    count: dict[int | None, int] = defaultdict(int)
    named = []
    for event in events:
        if event.source == Source.SERVER and event.kind == Kind.REQUEST:
            count[event.connection] += 1
        if event.source == Source.SERVER and event.kind in _OF_REQUESTS:
            event = replace(event, request_id=f"{event.connection}:{count[event.connection]}")
        named.append(event)
    return named


_OF_REQUESTS = (Kind.REQUEST, Kind.PROCESSED, Kind.REPLAYED, Kind.RESPONSE, Kind.PARTIAL)


def _connections(events: list[ConnectionEvent]) -> list[_Connection]:
    found: dict[int, _Connection] = {}
    server: dict[str, int] = {}  # the server's number of a connection, by the link's address
    onward: dict[int, str] = {}
    for event in events:
        if event.connection is None:
            continue
        if event.source == Source.LINK:
            if event.kind == Kind.ACCEPTED and event.peer is not None:
                found[event.connection] = _Connection(event.peer, event.connection)
            elif event.kind == Kind.CONNECTED and event.local is not None:
                onward[event.connection] = event.local
            elif event.connection in found:
                _take(found[event.connection], event)
        elif event.kind == Kind.ACCEPTED and event.peer is not None:
            server[event.peer] = event.connection
    _join(found, server, onward, events)
    return list(found.values())


def _join(
    found: dict[int, _Connection],
    server: dict[str, int],
    onward: dict[int, str],
    events: list[ConnectionEvent],
) -> None:
    behind = {server[local]: found[number] for number, local in onward.items() if local in server}
    for event in events:
        connection = behind.get(event.connection or 0) if event.source == Source.SERVER else None
        if connection is not None and event.kind == Kind.REQUEST:
            connection.reached.append(event)
        elif connection is not None and event.kind in (Kind.RESPONSE, Kind.PARTIAL):
            connection.responses.append(event)


def _take(connection: _Connection, event: ConnectionEvent) -> None:
    """Take one event of the link into ``connection``."""
    began = event.at if event.began is None else event.began
    last = connection.asked[-1] if connection.asked else None
    open_ = last is not None and last.outcome is None
    if event.kind in (Kind.BYTES, Kind.UNDELIVERED) and event.side == Party.CLIENT and event.bytes:
        if last is not None and open_ and last.first_byte is not None:
            last.outcome, last.ended = Outcome.OK, last.last_byte
            open_ = False
        if not open_:
            connection.asked.append(_Asked(began))
        return
    if last is None or not open_:
        return
    if event.kind == Kind.BYTES and event.side == Party.SERVER:
        last.first_byte, last.last_byte = last.first_byte or event.at, event.at
    elif event.kind in (Kind.FIN, Kind.RST) and event.side == Party.SERVER:
        _end(last, Outcome.CLOSED if event.kind == Kind.FIN else Outcome.RESET, event.at)
    elif event.kind in (Kind.FIN, Kind.RST, Kind.CLOSED):
        _end(last, Outcome.OTHER, event.at)  # the client's own end


def _end(asked: _Asked, outcome: Outcome, at: float) -> None:
    if asked.first_byte is not None:
        asked.outcome, asked.ended = Outcome.OK, asked.last_byte  # whole or not: the server's entry tells
    else:
        asked.outcome, asked.ended = outcome, at


def _attempt(connection: _Connection, index: int, session: int, number: int, row: int) -> Attempt:
    asked = connection.asked[index]
    reached = connection.reached[index] if index < len(connection.reached) else None
    response = connection.responses[index] if index < len(connection.responses) else None
    before = connection.asked[index - 1].last_byte if index else None
    outcome = asked.outcome or (Outcome.OTHER if asked.first_byte is None else Outcome.OK)
    status = None if response is None else response.status
    if outcome is Outcome.OK and response is not None and response.kind == Kind.PARTIAL:
        outcome = Outcome.TRUNCATED
    elif outcome is Outcome.OK and status is not None and status >= FIRST_ERROR_STATUS:
        outcome = Outcome.HTTP_ERROR
    return Attempt(
        row=row,
        session=session,
        request=number,
        number=1,
        request_id=(reached.request_id if reached is not None else None) or f"{session}-{number}",
        method=(reached.method if reached is not None else None) or "",
        planned=None,
        began=asked.sent,
        sent=asked.sent,
        first_byte=asked.first_byte,
        ended=asked.ended or asked.last_byte or asked.sent,
        connection=connection.number,
        local=connection.local,
        reused=index > 0,
        idle_s=None if before is None else asked.sent - before,
        outcome=outcome,
        status=status,
        bytes_read=0 if response is None or response.bytes is None else response.bytes,
        error="",
        errno=None,
        send_errno=None,
        keep_alive=None,
        connection_header=None,
    )
