"""What a server's ledger says about requests, as plain lines for a failed assert."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from econnlab.plaintext import harmless
from econnlab.record.events import ConnectionEvent, Kind, Source
from econnlab.record.served import Arrival, ServerLedger, Visit, arrivals_of, visits_of

#: Of a longer ledger only the last lines are shown.
MOST_LINES = 40
_MOST_NAMES = 3
_MOST_BRIEF = 5
_TEXT = 60


def lines_of_request(ledger: ServerLedger, request_id: str) -> list[str]:
    """What the server did with each attempt of ``request_id``, or if there was none, with its connections.

    At most 7 lines: pytest cuts off after 8, and the first one is its own.
    """
    events = ledger.events()
    all_arrivals, visits = arrivals_of(events), {visit.number: visit for visit in visits_of(events)}
    arrivals = [each for each in all_arrivals if each.request_id == request_id]
    if not arrivals:
        said = f"The server has read no request called {_short(repr(request_id))}{_others(all_arrivals)}."
        return [said, *_first([_visit_line(visit) for visit in visits.values()])]
    times = sum(arrival.processed for arrival in arrivals)
    often = {0: "never", 1: "once"}.get(times, f"{times} times")
    lines = [_arrival_line(each, visits.get(each.connection), each.at - arrivals[0].at) for each in arrivals]
    return [f"The server has carried out {_short(repr(request_id))} {often}:", *_first(lines)]


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_BRIEF
    return lines if more <= 0 else [*lines[:_MOST_BRIEF], f"  and {more} more"]


def _arrival_line(arrival: Arrival, visit: Visit | None, after_s: float) -> str:
    done = "carried out" if arrival.processed else "not carried out"
    if arrival.status is not None:
        end = f"answered with {arrival.status}"
    elif arrival.ended is None or visit is None:
        end = "no answer yet"
    else:
        end = f"no answer: {_ending(visit.how, visit.unread, visit.reason)}"
    return f"  #{arrival.connection} {after_s * 1000:.1f} ms: {done}, {end}"


def _visit_line(visit: Visit) -> str:
    end = "open" if visit.closed is None else _ending(visit.how, visit.unread, visit.reason)
    return f"  #{visit.number}: {visit.requests} request{'s' * (visit.requests != 1)} read, {end}"


def _ending(how: str | None, unread: int | None, reason: str | None) -> str:
    packet = f"RST, {unread} bytes unread" if unread else (how or "").upper()
    return f"closed with {packet}: {_short((reason or '').replace('_', ' '))}"


def _others(arrivals: Sequence[Arrival]) -> str:
    names = list(dict.fromkeys(_short(repr(each.request_id)) for each in arrivals if each.request_id))
    if not names:
        return f", but {len(arrivals)} without a name" if arrivals else ""
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f", only {', '.join(names[:_MOST_NAMES])}{more}"


def timeline(events: Sequence[ConnectionEvent], most: int = MOST_LINES) -> list[str]:
    """A line for each event, in order of time, with ms since the first."""
    labels = _labels(events)
    shown = []
    for event in sorted(events, key=lambda event: event.at):
        label = labels.get((event.source, event.connection), "")
        words = _WORDS.get((event.source, event.kind))
        if words is not None:
            shown.append((event.at, label, words(event)))
    if not shown:
        return ["(nothing has come to it)"]
    first = shown[0][0]
    lines = [f"{(at - first) * 1000:9.1f} ms  {label:<6} {words}" for at, label, words in shown]
    if len(lines) > most:
        lines = [f"({len(lines) - most} earlier lines are left out)", *lines[-most:]]
    return lines


def _labels(events: Sequence[ConnectionEvent]) -> dict[tuple[str, int | None], str]:
    """Name each connection by its number at the server; the link's are matched by address."""
    labels: dict[tuple[str, int | None], str] = {}
    at_server: dict[str | None, str] = {}
    for event in events:
        if event.source == Source.SERVER and event.kind == Kind.ACCEPTED:
            labels[event.source, event.connection] = at_server[event.peer] = f"#{event.connection}"
    for event in events:
        if event.source == Source.LINK and event.connection is not None:
            key = (event.source, event.connection)
            labels.setdefault(key, f"link {event.connection}")
            if event.kind == Kind.CONNECTED and event.local in at_server:
                labels[key] = at_server[event.local]
    return labels


def _short(text: str | None) -> str:
    said = harmless(text or "")
    return said if len(said) <= _TEXT else f"{said[:_TEXT]}..."


def _named(event: ConnectionEvent) -> str:
    return f" ({_short(event.request_id)})" if event.request_id else ""


def _request(event: ConnectionEvent) -> str:
    body = f" with a body of {event.bytes} bytes" if event.bytes else ""
    return f"{_short(event.method)} {_short(event.target)} read{body}{_named(event)}"


def _closed(event: ConnectionEvent) -> str:
    return _ending(event.how, event.unread, event.reason)


def _passed(what: str) -> Callable[[ConnectionEvent], str]:
    def words(event: ConnectionEvent) -> str:
        took = (event.at - (event.began or event.at)) * 1000
        return f"  link: the {event.side}'s {what.format(event.bytes)} passed on after {took:.1f} ms"

    return words


def _lost(said: str) -> Callable[[ConnectionEvent], str]:
    return lambda event: f"  link: {event.bytes or 0} bytes of the {event.side}'s {said}"


_SERVER: dict[Kind, Callable[[ConnectionEvent], str]] = {
    Kind.ACCEPTED: lambda event: f"connected from {event.peer}",
    Kind.HANDSHAKE: lambda _: "the TLS handshake is done",
    Kind.REQUEST: _request,
    Kind.PROCESSED: lambda event: f"carried out{_named(event)}",
    Kind.RESPONSE: lambda event: f"answered with {event.status}{_named(event)}",
    Kind.PARTIAL: lambda event: f"answered with {event.status}, cut off after {event.bytes} bytes",
    Kind.IDLE_TIMEOUT: lambda event: f"idle for {(event.idle_s or 0) * 1000:.1f} ms",
    Kind.DROPPED: lambda event: f"over capacity: {event.reason}",
    Kind.RETIRING: lambda event: f"another server process takes over, this one leaves: {event.reason}",
    Kind.CLOSED: _closed,
}
_LINK: dict[Kind, Callable[[ConnectionEvent], str]] = {
    Kind.BYTES: _passed("{} bytes"),
    Kind.FIN: _passed("FIN"),
    Kind.RST: _passed("RST"),
    Kind.UNDELIVERED: _lost("not delivered: the far end was gone"),
    Kind.EXPIRED: lambda event: f"  middlebox: forgotten after {(event.idle_s or 0) * 1000:.1f} ms",
    Kind.DISCARDED: _lost("discarded: the middlebox knows the connection no more"),
    Kind.CONNECT_FAILED: lambda event: f"  link: the server refused: {event.errno}",
}
_WORDS: dict[tuple[str, str], Callable[[ConnectionEvent], str]] = {
    **{(Source.SERVER, kind): words for kind, words in _SERVER.items()},
    **{(Source.LINK, kind): words for kind, words in _LINK.items()},
    (Source.LAB, Kind.DIED): lambda event: f"the {event.reason} process has ended: {event.how}",
}
