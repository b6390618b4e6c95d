"""The server process was replaced by another one."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain, ms
from econnlab.record.attempts import Outcome
from econnlab.record.events import Kind

NAME = "restart"
HELP = "the server was restarted and closed the connections of its clients"


def explain(case: Case) -> Finding | None:
    """Closed because the process retired, before this request was answered."""
    close = case.server_close
    if case.close_reason != "retired" or close is None:
        return None
    if not case.unanswered and case.attempt.outcome is not Outcome.TRUNCATED:
        return None
    if case.of_request(Kind.RESPONSE) is not None:
        return None
    began = case.around.first(Kind.RETIRING, until=close.at)
    since = f"{ms(close.at - began.at)} after its restart began " if began is not None else ""
    if case.reached is not None:
        return certain(f"server closed this connection {since}with the request read and not answered")
    if close.unread:
        return certain(
            f"server closed this connection {since}with {close.unread} bytes of the request unread"
        )
    return certain(f"server closed this connection, idle, {since}and before the request arrived")
