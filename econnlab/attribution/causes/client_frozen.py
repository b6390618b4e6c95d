"""The client's process was stopped; the server closed the connection, and the client wrote without a look."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.events import CloseReason, ConnectionEvent, Kind

HELP = "the client's process was stopped; the server closed meanwhile, and the client wrote before it looked"
COLUMN = 24
ADVICE = (
    "The client's process is frozen between requests, as AWS Lambda and a suspended machine do. Close idle "
    "connections before that, or send the first request after it on a new connection."
)


def explain(case: Case) -> Finding | None:
    """The server's FIN came while the lab had stopped the client, and the request went out after that."""
    if case.packets is not None or not case.attempt.reused or not case.unanswered or case.arrival is None:
        return None
    closed = _closed(case)
    stop = None if closed is None else _stop_around(case, closed.at)
    if closed is None or stop is None or stop.began is None or case.arrival < stop.at:
        return None
    evidence = (
        f"client's process was stopped for {ms(stop.at - stop.began)}; server closed this connection "
        f"{ms(closed.at - stop.began)} into that, {ms(case.arrival - closed.at)} before the request arrived"
    )
    return certain(evidence) if case.close_reason is CloseReason.IDLE_TIMEOUT else likely(evidence)


def _closed(case: Case) -> ConnectionEvent | None:
    """How the connection's end came to the client: over the link if there is one."""
    if case.server is not None and case.close_reason is not CloseReason.IDLE_TIMEOUT:
        return None
    return case.server_close if case.link is None else case.server_fin


def _stop_around(case: Case, at: float) -> ConnectionEvent | None:
    stops = (event for event in case.around.events if event.kind == Kind.FROZEN)
    return next((stop for stop in stops if stop.began is not None and stop.began <= at <= stop.at), None)
