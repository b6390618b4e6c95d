"""The head of the request took longer than the server waits for it."""

from __future__ import annotations

from econnlab.explain.evidence import LOST, Case
from econnlab.explain.verdict import Finding, certain, likely, ms
from econnlab.record.attempts import Outcome

NAME = "header_timeout"
HELP = "the head of the request came later than the server waits for it"

REQUEST_TIMEOUT = 408


def explain(case: Case) -> Finding | None:
    """Closed for that reason by the server's own word; without its ledger, its 408 says so."""
    attempt, close = case.attempt, case.server_close
    if attempt.outcome not in LOST | {Outcome.HTTP_ERROR} or case.reached is not None:
        return None
    if case.server is None:
        said_so = attempt.status == REQUEST_TIMEOUT
        return likely("server answered 408: the request's head took too long for it") if said_so else None
    if close is None or case.close_reason != "header_timeout" or close.idle_s is None:
        return None
    answered = "answered 408 and closed" if attempt.status == REQUEST_TIMEOUT else "closed"
    written = (
        ""
        if attempt.sent is None
        else f"; the client wrote {ms(attempt.sent - attempt.began)} after it began"
    )
    return certain(f"server waited {ms(close.idle_s)} for the request's head and {answered}{written}")
