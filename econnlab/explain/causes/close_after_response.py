"""The server closed a connection that it had said it would keep."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain, ms
from econnlab.record.events import Kind

NAME = "close_after_response"
HELP = "the server closed by itself soon after a response, without having said Connection: close"


def explain(case: Case) -> Finding | None:
    """Closed by the application, no idle timer fired, nothing of this request read, the last one answered."""
    if not case.attempt.reused or not case.unanswered or case.server is None:
        return None
    close = case.server_close
    if case.close_reason != "aborted" or close is None or case.reached is not None or close.unread:
        return None
    answers = [event for event in case.server.events if event.kind == Kind.RESPONSE and event.at <= close.at]
    if not answers:
        return None
    return certain(
        f"server closed this connection with {(close.how or '').upper()} {ms(close.at - answers[-1].at)} "
        "after its response, which had not said Connection: close"
    )
