"""The head of the request took longer than the server waits for it."""

from __future__ import annotations

from econnlab.attribution.evidence import LOST, Case
from econnlab.attribution.packets.facts import TURNED_AWAY_S, End, PacketFacts
from econnlab.attribution.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import CloseReason

HELP = "the head of the request came later than the server waits for it"
COLUMN = 7
ADVICE = (
    "It waits {timeout} for a request's head: do not open connections long ahead of their first "
    "request, or raise its header timeout."
)

REQUEST_TIMEOUT = 408


def explain(case: Case) -> Finding | None:
    """The server's ledger says so; without it, the status 408 does."""
    attempt, close = case.attempt, case.server_close
    if case.packets is not None:
        return _from_packets(case, case.packets)
    if attempt.outcome not in LOST | {Outcome.HTTP_ERROR} or case.reached is not None:
        return None
    if case.server is None:
        said_so = attempt.status == REQUEST_TIMEOUT
        return likely("server answered 408: the request's head took too long for it") if said_so else None
    if close is None or case.close_reason is not CloseReason.HEADER_TIMEOUT or close.idle_s is None:
        return None
    answered = "answered 408 and closed" if attempt.status == REQUEST_TIMEOUT else "closed"
    written = (
        ""
        if attempt.sent is None
        else f"; the client wrote {ms(attempt.sent - attempt.began)} after it began"
    )
    return certain(f"server waited {ms(close.idle_s)} for the request's head and {answered}{written}")


def _from_packets(case: Case, facts: PacketFacts) -> Finding | None:
    if case.attempt.status == REQUEST_TIMEOUT:
        return likely("server answered 408: the request's head took too long for it")
    if not case.unanswered or case.attempt.reused or not facts.crossed or facts.idle_s <= TURNED_AWAY_S:
        return None
    if facts.tls_client or facts.refused_at_end or facts.end is End.RST_NO_SOCKET:
        return None  # a handshake was under way: of TLS, or still of TCP
    return likely(
        f"server waited {ms(facts.idle_s)} for the head of the first request and closed; none of it had come"
    )
