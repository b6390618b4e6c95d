"""The server carried the request out and ended the connection instead of answering."""

from __future__ import annotations

from econnlab.explain.evidence import Case
from econnlab.explain.verdict import Finding, certain, ms
from econnlab.record.events import Kind

NAME = "reset_after_processing"
HELP = "the server carried the request out and ended the connection before the answer: a retry does it twice"


def explain(case: Case) -> Finding | None:
    """Carried out, not a byte answered, then closed by the application."""
    done, close = case.of_request(Kind.PROCESSED), case.server_close
    if done is None or close is None or case.close_reason != "aborted" or not case.unanswered:
        return None
    if case.of_request(Kind.RESPONSE) is not None or case.of_request(Kind.PARTIAL) is not None:
        return None
    return certain(
        f"server carried the request out and {ms(close.at - done.at)} later ended the connection with "
        f"{(close.how or '').upper()}, before any answer"
    )
