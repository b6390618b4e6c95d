"""The server answered something that is not HTTP."""

from __future__ import annotations

from econnlab.attribution.evidence import Case
from econnlab.attribution.verdict import Finding, certain, likely
from econnlab.record.attempts import Outcome

HELP = "what the server sent is not an HTTP response"
COLUMN = 9


def explain(case: Case) -> Finding | None:
    """Bytes came, the connection lived, and the client could make nothing of them."""
    attempt = case.attempt
    if case.packets is not None:
        if not case.packets.invalid:
            return None
        return likely(f"{attempt.bytes_read} bytes came in answer to an HTTP request, and no status line")
    if attempt.outcome is not Outcome.OTHER or not attempt.bytes_read or not attempt.error:
        return None
    name = attempt.error.rpartition(" < ")[2]
    return certain(f"the client could not read the {attempt.bytes_read} bytes that came: {name}")
