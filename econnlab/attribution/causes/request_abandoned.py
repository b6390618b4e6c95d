"""The server read the request, and ended the connection without having acted on it."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain, ms
from econnlab.record.events import CloseReason, Kind

HELP = "the server read the request and ended the connection without carrying it out or answering"
COLUMN = 15


def explain(case: Case) -> Finding | None:
    """Read whole, not carried out, not answered, then closed by the application."""
    read, close = case.reached, case.server_close
    if read is None or close is None or case.close_reason is not CloseReason.ABORTED or not case.unanswered:
        return None
    if any(case.of_request(kind) for kind in (Kind.PROCESSED, Kind.PARTIAL, Kind.RESPONSE)):
        return None
    return certain(
        f"server read the request and {ms(close.at - read.at)} later ended the connection with "
        f"{(close.how or '').upper()}, without having carried it out"
    )
